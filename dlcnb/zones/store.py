"""Zones on disk: one GeoJSON file for each video, in the folder ``zones`` of the project.

Each is a FeatureCollection of Polygons in pixels of the frame, which `movement`, QuPath and shapely read as well. What
GeoJSON has no word for (that a polygon is an ellipse, the size of the frames) is in members of our own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dlcnb.files import StrPath, alone, as_spelled, atomic_write, make_folder, read_text
from dlcnb.project import Project, video_stem
from dlcnb.zones.shapes import Ring, Zone, ZoneError, check_zones, fitted

__all__ = ["ZoneFile", "copy_zones", "read_zones", "zones_path"]

FOLDER = "zones"
_LARGEST = 20 << 20  # bytes
_MOST = 1000  # zones of a video
_SAME = 0.01  # px by which the outline may differ from the ellipse that it is said to be


def zones_path(project: Project, video: StrPath) -> Path:
    """Where the zones of a video are kept (they may not be there yet)."""
    return project.inside(as_spelled(project.root / FOLDER / f"{video_stem(video)}.geojson"))


class ZoneFile:
    """The zones of one video on disk.

    Parameters
    ----------
    path : path
    size : (height, width)
        Of the video's frames.
    """

    def __init__(self, path: StrPath, size: tuple[int, int]) -> None:
        self.path, self.size = Path(path), (int(size[0]), int(size[1]))
        self._seen: str | None = None

    @property
    def changed(self) -> bool:
        """Whether another program changed the file since it was read or written here."""
        return _text(self.path) != self._seen

    def read(self) -> tuple[Zone, ...]:
        """The zones; none where there is no file yet. Raises `ZoneError`."""
        self._seen = _text(self.path)
        if self._seen is None:
            return ()
        zones, size = _parsed(self._seen, self.path)
        if size is not None and size != self.size:
            raise ZoneError(
                f"{self.path}: the zones were drawn on frames of {size[1]}×{size[0]} px, this video has "
                f"{self.size[1]}×{self.size[0]}; copy them from the video that they were drawn on, which scales them "
                "(dlcnb zones --copy-from), or delete the file"
            )
        return zones

    def read_fitted(self) -> tuple[Zone, ...]:
        """The zones, scaled to this video's frames where they were drawn on others. Raises `ZoneError`."""
        self._seen = _text(self.path)
        zones, size = _parsed(self._seen, self.path) if self._seen is not None else ((), None)
        return fitted(zones, size or self.size, self.size)

    def write(self, zones: Sequence[Zone]) -> None:
        """Write them, whole or not at all; refuses if another program changed the file since it was read."""
        text = _dumped(zones, self.size, self.path.stem)
        make_folder(self.path.parent)
        with alone(self.path.parent):
            if self.changed:
                raise ZoneError(f"{self.path} was changed by another program or tab since it was read; reload it first")
            atomic_write(self.path, text)
        self._seen = text


def _text(path: Path) -> str | None:
    """What is in a file of zones, None where there is none; `ZoneError` for what can't be one."""
    try:
        if path.stat().st_size > _LARGEST:
            raise ZoneError(f"{path} is larger than {_LARGEST >> 20} MB, too large for zones; delete it")
        return read_text(path)
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise ZoneError(f"{path}: expected GeoJSON, found no text; delete it") from None


def read_zones(project: Project, video: StrPath, size: tuple[int, int]) -> tuple[Zone, ...]:
    """The zones of a video whose frames have this size; raises `ZoneError` if there are none, or wrong ones."""
    path = zones_path(project, video)
    zones = ZoneFile(path, size).read()
    if not zones:
        raise ZoneError(
            f"no zones for {video_stem(video)} in {path.parent}; draw them (in Studio: Look, Zones, "
            "centimetres; in a notebook: ZoneEditor), or copy another video's (dlcnb zones --copy-from)"
        )
    check_zones(zones, size, str(path))
    return zones


def copy_zones(
    project: Project, source: StrPath, targets: Iterable[tuple[StrPath, tuple[int, int]]], *, replace: bool = False
) -> list[Path]:
    """Copy the zones of a video to others, fitted to the size of their frames; returns the files.

    Parameters
    ----------
    targets : iterable of (video, (height, width))
    replace : bool
        Zones that a target has already are replaced, else that is a `ZoneError`, before anything is written.
    """
    origin = zones_path(project, source)
    text = _text(origin)
    if text is None:
        raise ZoneError(
            f"no zones for {video_stem(source)} in {origin.parent}; draw them first "
            "(in Studio: Look, Zones; in a notebook: ZoneEditor)"
        )
    zones, size = _parsed(text, origin)
    made = []
    for video, new in targets:
        path = zones_path(project, video)
        if path == origin:
            continue
        if path.exists() and not replace:
            raise ZoneError(f"{video_stem(video)} has zones already ({path}); replace them with --replace")
        made.append((path, fitted(zones, size or new, new), new))
    for path, found, new in made:
        make_folder(path.parent)
        atomic_write(path, _dumped(found, new, path.stem))
    return [path for path, _, _ in made]


def _dumped(zones: Sequence[Zone], size: tuple[int, int], video: str) -> str:
    features = []
    for zone in zones:
        own = {"name": zone.name, "kind": zone.kind, "roi_type": "PolygonOfInterest"}
        if zone.kind == "ellipse":
            own["box"] = list(zone.box)  # type: ignore[assignment]  # of numbers, among texts
        rings = [[*ring, ring[0]] for ring in (ring.tolist() for ring in zone.rings())]
        features.append({"type": "Feature", "properties": own, "geometry": {"type": "Polygon", "coordinates": rings}})
    whole = {"type": "FeatureCollection", "video": video, "frame_size": list(size), "features": features}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _parsed(text: str, path: Path) -> tuple[tuple[Zone, ...], tuple[int, int] | None]:
    """(zones, size of the frames if it is told) of GeoJSON, by whatever program."""
    try:
        found = json.loads(text)
        features = found["features"]
        if len(features) > _MOST:
            raise ZoneError(
                f"expected at most {_MOST} zones, found {len(features)}; delete the file and draw them again"
            )
        size = tuple(map(int, found["frame_size"])) if found.get("frame_size") else None
        if size is not None and (len(size) != 2 or min(size) < 1):
            raise ValueError("frame_size")
        zones = [zone for n, feature in enumerate(features) for zone in _of_feature(feature, f"zone {n + 1}")]
    except ZoneError as error:
        raise ZoneError(f"{path}: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError):
        raise ZoneError(
            f"{path}: expected GeoJSON with a FeatureCollection of Polygons; correct the file, or delete it and draw "
            "the zones again"
        ) from None
    return tuple(zones), (size[0], size[1]) if size else None


def _of_feature(feature: Any, unnamed: str) -> list[Zone]:
    own, geometry = feature.get("properties") or {}, feature["geometry"]
    name = str(own.get("name") or unnamed)
    if geometry["type"] == "MultiPolygon" and len(geometry["coordinates"]) == 1:
        geometry = {"type": "Polygon", "coordinates": geometry["coordinates"][0]}
    if geometry["type"] != "Polygon":
        raise ZoneError(f"zone '{name}' is a {geometry['type']}; expected a Polygon")
    rings: list[Ring] = [tuple((float(x), float(y)) for x, y, *_ in ring[:-1]) for ring in geometry["coordinates"]]
    for zone in _simple(name, own, rings[0]) if len(rings) == 1 else ():
        outline = zone.rings()[0]
        if len(outline) == len(rings[0]) and np.abs(outline - rings[0]).max() < _SAME:
            return [zone]
    return [Zone(name, "polygon", rings[0], tuple(rings[1:]))]


def _simple(name: str, own: dict[str, Any], ring: Ring) -> list[Zone]:
    """The rectangle or ellipse that a polygon is said to be, if it can be one."""
    if own.get("kind") == "rectangle" and len(ring) == 4:
        return [Zone(name, "rectangle", (ring[0], ring[2]))]
    if own.get("kind") == "ellipse" and len(own.get("box") or ()) == 4:
        left, top, right, bottom = map(float, own["box"])
        return [Zone(name, "ellipse", ((left, top), (right, bottom)))]
    return []
