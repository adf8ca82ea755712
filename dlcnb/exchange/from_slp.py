"""SLEAP's .slp and .pkg.slp read, through sleap-io: user labels, with the frames that a package embeds.

sleap-io gives an integer to the centre of a pixel, as dlcnb does, whatever the format of the file.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.exchange.common import ExchangeError, require
from dlcnb.exchange.foreign import Animals, Clip, Foreign, Pixels, Places, folder_names, image_names, one_animal
from dlcnb.labels.images import MOST_PIXELS
from dlcnb.project.names import basename, video_stem
from dlcnb.tables.h5 import check_h5

__all__ = ["read_foreign"]


def read_foreign(places: Places, animal: str | None) -> Foreign:
    """The user's labels in a .slp file as `Foreign`; predictions are left out.

    Frames are taken out of the file if it embeds them, else from the video or the images that it names, where SLEAP
    left them or in ``places``.

    Raises `ExchangeError` if it is no such file, has several animals of which none was chosen, or frames are nowhere to
    be found; `TableError` if it is damaged or leads to other HDF5 files; `ImportError` without sleap-io.
    """
    (sio,) = require("sleap", "Reading .slp files", "sleap_io")
    path = places.path.absolute()
    check_h5(path)
    try:
        labels = sio.load_slp(str(path), open_videos=False)
        skeleton = labels.skeletons[0]
        bodyparts = tuple(map(str, skeleton.node_names))
        edges = tuple((bodyparts[a], bodyparts[b]) for a, b in skeleton.edge_inds)
        labeled = _instances(labels, bodyparts)
    except (KeyError, IndexError, ValueError, TypeError, AttributeError, OSError) as error:
        raise ExchangeError(
            f"{path}: expected SLEAP's labels (.slp), found another HDF5 file, or one without a skeleton. Save it in "
            f"SLEAP again. (sleap-io says: {error})"
        ) from error
    if not labeled:
        raise ExchangeError(f"{path}: expected labels that a person placed, found none (predictions are no labels).")
    names = folder_names([_name(video, path) for video in labeled])
    by_name = dict(zip(names, labeled.values(), strict=True))
    images = {f"frame {n} of {name}": found for name, frames in by_name.items() for n, found in frames.items()}
    chosen = iter(one_animal(path, images, animal, len(bodyparts)).values())
    clips, kept = [], 0
    for name, (video, frames) in zip(names, labeled.items(), strict=True):
        points = {number: next(chosen) for number in frames}
        if there := {number: found for number, found in points.items() if np.isfinite(found).any()}:
            clips.append(_clip(places, video, name, np.array([*there.values()]), tuple(there)))
            kept += len(there)
    left_out = len(labels.labeled_frames) - kept
    notes = (f"{left_out} frames without a point that a person placed are left out",) if left_out > 0 else ()
    return Foreign(bodyparts, edges, (labels.provenance or {}).get("scorer"), tuple(clips), notes)


def _instances(labels: Any, bodyparts: tuple[str, ...]) -> dict[Any, dict[int, Animals]]:
    """{video: {frame number: its animals}}, frames ascending; those without any placed point are left out."""
    found: dict[Any, dict[int, list[tuple[str | None, NDArray[np.float64]]]]] = {}
    for frame in labels.labeled_frames:
        for instance in frame.user_instances:
            points = _points(instance, bodyparts)
            if np.isfinite(points).any():
                track = getattr(instance.track, "name", None)
                found.setdefault(frame.video, {}).setdefault(int(frame.frame_idx), []).append((track, points))
    return {video: {number: frames[number] for number in sorted(frames)} for video, frames in found.items()}


def _points(instance: Any, bodyparts: tuple[str, ...]) -> NDArray[np.float64]:
    """Points ``(K, 2)`` of an instance, whose skeleton may have its nodes in another order, or lack some."""
    own = {str(name): k for k, name in enumerate(instance.skeleton.node_names)}
    values = np.asarray(instance.numpy(), float)[:, :2]
    points = np.full((len(bodyparts), 2), np.nan)
    for k, part in enumerate(bodyparts):
        if part in own and np.isfinite(values[own[part]]).all():
            points[k] = values[own[part]]
    return points


def _name(video: Any, path: Path) -> str:
    """What a video is called: its stem, or the folder of its images."""
    source = video.source_video or video if _embedded(video) else video
    named = source.filename
    if isinstance(named, list):
        return str(Path(str(named[0]).replace("\\", "/")).parent)
    if Path(str(named)).name == path.name:  # embedded, and nothing is known of where it comes from
        return str((video.backend_metadata or {}).get("dataset") or path.stem).split("/")[0]
    return video_stem(str(named))


def _embedded(video: Any) -> bool:
    return bool((video.backend_metadata or {}).get("dataset")) and str(video.filename).endswith(".slp")


def _clip(places: Places, video: Any, name: str, points: NDArray[np.float64], numbers: tuple[int, ...]) -> Clip:
    source = video.source_video if _embedded(video) else video
    if isinstance(getattr(source, "filename", None), list):
        listed = [str(file) for file in source.filename]
        images = tuple(image_names([basename(listed[n]) for n in numbers]))
        if not _embedded(video):
            files = tuple(_listed(places, [listed[n] for n in numbers]))
            return Clip(name, points, images, pixels=files)
        return Clip(name, points, images, pixels=_embedded_pixels(places.path, video, numbers))
    file = None if source is None else _video_file(places, str(source.filename))
    name = name if file is None else video_stem(file)
    if _embedded(video):
        return Clip(name, points, numbers=numbers, pixels=_embedded_pixels(places.path, video, numbers), video=file)
    if file is None:
        raise places.missing([str(source.filename)], 1)
    return Clip(name, points, numbers=numbers, video=file)


def _video_file(places: Places, filename: str) -> Path | None:
    named = Path(filename)
    return named if named.is_absolute() and named.is_file() else places.find(basename(filename))


def _listed(places: Places, names: list[str]) -> list[Path]:
    """The images that SLEAP lists by absolute paths; they may have been moved."""
    found = {name: _video_file(places, name) or places.find(name) for name in names}
    if missing := [name for name, path in found.items() if path is None]:
        raise places.missing(missing, len(names))
    return [path for path in found.values() if path is not None]


def _embedded_pixels(path: Path, video: Any, numbers: tuple[int, ...]) -> tuple[Pixels, ...]:
    from sleap_io.io.video_reading import HDF5Video

    dataset = str(video.backend_metadata["dataset"])
    try:
        backend = HDF5Video(filename=str(path.absolute()), dataset=dataset, plugin="opencv", keep_open=False)
        missing = [number for number in numbers if not backend.has_frame(number)]
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise ExchangeError(f"{path}: expected embedded frames in {dataset}, found none ({error}).") from error
    if missing:
        raise ExchangeError(f"{path}: expected the pixels of frame {missing[0]} in {dataset}; they are not embedded.")
    return tuple(_pixels_of(path, backend, number) for number in numbers)


def _pixels_of(path: Path, backend: Any, number: int) -> Callable[[], NDArray[np.uint8]]:
    return partial(_decoded, path, backend, number)


def _decoded(path: Path, backend: Any, number: int) -> NDArray[np.uint8]:
    """An embedded frame, uint8 (H, W, 3) RGB."""
    from PIL import Image

    try:
        raw = backend.get_frame_raw_bytes(number)
        if raw is not None:
            with Image.open(io.BytesIO(np.asarray(raw).tobytes())) as picture:
                width, height = picture.size
            if width * height > MOST_PIXELS:
                raise ExchangeError(f"{path}: frame {number} has {width} × {height} pixels, more than one of a video.")
        image = np.asarray(backend.get_frame(number))
    except ExchangeError:
        raise
    except Exception as error:  # a stranger's bytes: whatever the libraries make of them
        raise ExchangeError(f"{path}: the pixels of frame {number} are damaged ({type(error).__name__}).") from error
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[-1] not in (1, 3, 4):
        raise ExchangeError(f"{path}: expected 8-bit pixels of frame {number}, found {image.dtype} {image.shape}.")
    return np.ascontiguousarray(np.repeat(image, 3, 2) if image.shape[-1] == 1 else image[..., :3])
