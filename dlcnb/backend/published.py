"""ImageNet weights of the ResNets as torchvision and GluonCV publish them: looked for on this machine, else fetched.

A file counts only if its hash is the published one; nothing half-fetched or altered is ever kept.
"""

from __future__ import annotations

import logging
import os
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pooch
from requests.exceptions import RequestException

__all__ = ["PUBLISHED", "Published", "fetch", "find_or_fetch", "weights_folder"]

log = logging.getLogger(__name__)

_TIMEOUT = 20  # s without an answer


@dataclass(frozen=True)
class Published:
    """A published file of weights.

    ``file`` is its name here, ``url`` where it comes from (a .zip that holds the file, or the file), ``digest`` the
    hash of the file, such as "sha256:…".
    """

    backbone: str
    source: str
    file: str
    url: str
    digest: str


_TORCHVISION = "https://download.pytorch.org/models/"
_GLUON = "https://apache-mxnet.s3-accelerate.dualstack.amazonaws.com/gluon/models/"
PUBLISHED = (
    Published(
        "resnet-50",
        "torchvision",
        "resnet50-0676ba61.pth",
        f"{_TORCHVISION}resnet50-0676ba61.pth",
        "sha256:0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
    ),
    Published(
        "resnet-101",
        "torchvision",
        "resnet101-63fe2227.pth",
        f"{_TORCHVISION}resnet101-63fe2227.pth",
        "sha256:63fe2227b86e8f1f2063f43a75c84d195911b6a0eace650907dd3dc62dd49a0a",
    ),
    Published(
        "resnet-50",
        "gluon",
        "resnet50_v1b-0ecdba34.params",
        f"{_GLUON}resnet50_v1b-0ecdba34.zip",
        "sha1:0ecdba34691be172036ddf244ff1b2eade75ffde",
    ),
    Published(
        "resnet-101",
        "gluon",
        "resnet101_v1b-a455932a.params",
        f"{_GLUON}resnet101_v1b-a455932a.zip",
        "sha1:a455932aa95cb7dcfa05fd040b9b5a5660733c39",
    ),
)


def weights_folder() -> tuple[Path, bool]:
    """``(folder, may_fetch)``: where published weights lie.

    The environment variable ``DLCNB_WEIGHTS`` names a folder of files downloaded by hand, and nothing is fetched then.
    Else it is a folder in the user's cache.
    """
    if named := os.environ.get("DLCNB_WEIGHTS"):
        return Path(named), False
    import platformdirs

    return Path(platformdirs.user_cache_dir("dlcnb")) / "weights", True


def find_or_fetch(backbone: str, source: str | None = None, published: Sequence[Published] = PUBLISHED) -> Path | None:
    """Path of the published weights of a backbone; None where none are published.

    Parameters
    ----------
    source : one of `dlcnb.trainset.WEIGHTS_SOURCES`; None = any that is at hand, else torchvision's are fetched.

    Raises
    ------
    ConnectionError
        They are not at hand, and could not be fetched; the message says what to download, and where to put it.
    ValueError
        A file of that name has another hash.
    """
    wanted = [p for p in published if p.backbone == backbone and source in (None, p.source)]
    folder, may_fetch = weights_folder()
    for each in wanted:
        path = folder / each.file
        if path.is_file():
            if _digest(path, each) != each.digest:
                raise ValueError(
                    f"{path} is damaged: its hash is not the published one. Delete it, and fetch it again."
                )
            return path
    if not wanted:
        return None
    if not may_fetch:
        raise ConnectionError(_unfetched(wanted[0], folder, "DLCNB_WEIGHTS is set, so nothing is fetched"))
    return fetch(wanted[0], folder)


def fetch(each: Published, folder: Path) -> Path:
    """Fetch one published file into ``folder``, check its hash, and return its path; raises ConnectionError."""
    folder.mkdir(parents=True, exist_ok=True)
    log.warning("Fetching the ImageNet weights of %s, once, from %s to %s", each.backbone, each.url, folder)
    level = pooch.get_logger().level
    pooch.get_logger().setLevel(logging.WARNING)
    try:
        with tempfile.TemporaryDirectory(prefix=".dlcnb-tmp-", dir=folder) as making:
            got = Path(making) / Path(each.url).name
            known = each.digest if got.suffix != ".zip" else None  # for a zip the hash of what it holds is known
            pooch.retrieve(each.url, known, got.name, making, downloader=pooch.HTTPDownloader(timeout=_TIMEOUT))
            if got.suffix == ".zip":
                with zipfile.ZipFile(got) as archive:
                    got = Path(archive.extract(each.file, making))
            if _digest(got, each) != each.digest:
                raise ValueError(f"the hash of {each.file} does not match the known hash")
            got.replace(folder / each.file)
    except RequestException as error:
        raise ConnectionError(_unfetched(each, folder, error)) from error
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        reason = f"what arrived is not the published file: {error}"
        raise ConnectionError(_unfetched(each, folder, reason)) from error
    finally:
        pooch.get_logger().setLevel(level)
    return folder / each.file


def _digest(path: Path, each: Published) -> str:
    algorithm = each.digest.partition(":")[0]
    return f"{algorithm}:{pooch.file_hash(str(path), alg=algorithm)}"


def _unfetched(each: Published, folder: Path, reason: object) -> str:
    unpacked = f" (in {Path(each.url).name})" if each.url.endswith(".zip") else ""
    return (
        f"The ImageNet weights of {each.backbone} could not be fetched ({reason}). On a machine with internet download "
        f"{each.url} and put {each.file}{unpacked} into {folder}, or give the file: --weights FILE."
    )
