"""The real open-field set of DeepLabCut: 116 labeled frames and a video of 2,330 frames of mice on odor trails."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path

from dlcnb.project import Project

__all__ = ["cached_openfield", "openfield", "openfield_path"]

log = logging.getLogger(__name__)

NAME = "openfield-Pranav-2018-10-30"
URL = (
    f"https://raw.githubusercontent.com/DeepLabCut/DeepLabCut/2df0f46c8c8c56c8238b46b3d58384163bafb2f0/examples/{NAME}/"
)


def openfield_path(*, url: str = URL) -> Path:
    """Folder of the untouched open-field project; don't write there, work on the copy that `openfield` makes.

    It is the folder of that name in the environment variable ``DLCNB_DATA``, if that is set. Else it is fetched from
    DeepLabCut's repository once, each file checked by its SHA-256, into the user's cache.

    Parameters
    ----------
    url : str
        Where to fetch from, ending in a slash.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    FileNotFoundError
        If ``DLCNB_DATA`` is set, but has no open-field project.
    ConnectionError
        If a file can't be fetched; run again later, what was fetched is kept.
    """
    if os.environ.get("DLCNB_DATA"):
        return _in_data_folder(Path(os.environ["DLCNB_DATA"]))
    return _fetched(url)


def cached_openfield() -> Path | None:
    """Folder of the open-field project in the user's cache if all of it was fetched before, else None."""
    folder = _cache()
    return folder if all((folder / name).is_file() for name in _registry()) else None


def openfield(parent: str | Path) -> Project:
    """Copy the open-field project to ``parent``, ready to work on.

    Returns
    -------
    dlcnb.project.Project
        Of the folder ``parent/openfield-Pranav-2018-10-30``, its config.yaml naming the folder and the video.

    Raises
    ------
    FileExistsError
        If that folder exists; nothing in it is touched.
    FileNotFoundError, ConnectionError
        As `openfield_path`.
    """
    parent = Path(parent)
    target = parent / NAME
    if target.exists():
        raise FileExistsError(
            f"{target} exists already. Open it with Project.open({str(target)!r}), or choose another folder."
        )
    source = openfield_path()
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".dlcnb-tmp-", dir=parent) as making:
        copy = Path(making) / NAME
        for name in _registry():  # not copytree: the source may be read-only, or hold someone's results
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, copy / name)
        copy.rename(target)
    return _localized(Project.open(target))


def _localized(project: Project) -> Project:
    """Write the video's real path into the config, in place of the demo's note that it will be."""
    (crop,) = project.config["video_sets"].values()
    (video,) = (project.root / "videos").glob("*.mp4")
    project.config["video_sets"].clear()
    project.config["video_sets"][str(video)] = crop
    project.save()
    return project


def _registry() -> dict[str, str]:
    """{path inside the project: SHA-256}, from the list that comes with the package (as sha256sum writes it)."""
    lines = (files("dlcnb") / "openfield.sha256").read_text().splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def _in_data_folder(folder: Path) -> Path:
    path = folder / NAME
    if not (path / "config.yaml").is_file():
        raise FileNotFoundError(
            f"DLCNB_DATA is {folder}, but there is no project {path}. Set it to the folder that holds {NAME}, "
            "or unset it to fetch the project."
        )
    return path


def _cache() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("dlcnb")) / NAME


def _fetched(url: str) -> Path:
    import pooch
    from requests.exceptions import RequestException

    folder = _cache()
    store = pooch.create(path=folder, base_url=url, registry=_registry())
    level = pooch.get_logger().level
    pooch.get_logger().setLevel(logging.WARNING)  # one line here instead of two per file
    if not folder.is_dir():
        log.info("Fetching the open-field set (29 MB, once) from %s to %s", url, folder)
    try:
        for name in store.registry:
            store.fetch(name)
    except RequestException as error:
        raise ConnectionError(_unfetched(url, error)) from error
    except ValueError as error:  # pooch's word for a wrong hash
        raise ConnectionError(_unfetched(url, f"{name} was damaged on the way")) from error
    finally:
        pooch.get_logger().setLevel(level)
    return folder


def _unfetched(url: str, reason: object) -> str:
    return (
        f"The open-field set could not be fetched from {url} ({reason}). Connect to the internet and run this again "
        f"(what was fetched is kept), or download the folder {NAME} by hand and set the environment variable "
        "DLCNB_DATA to the folder that holds it."
    )
