"""Writing a file entirely or not at all."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shlex
import shutil
import stat
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "TEMPORARY",
    "StrPath",
    "alike",
    "alone",
    "as_spelled",
    "atomic_path",
    "atomic_write",
    "check_writable",
    "composed",
    "disk_error",
    "is_shared",
    "make_folder",
    "quoted",
    "read_arrays",
    "read_json",
    "read_member",
    "read_text",
    "require_file",
    "sha256_of",
    "share",
    "unhidden",
]

StrPath: TypeAlias = str | os.PathLike[str]
TEMPORARY = ".dlcnb-tmp-"  # how the names of temporary files begin
_UNPACKED = 64 << 20  # bytes that an archive may hold however small it is,
_TIMES = 32  # and how many times its own size: a file of 1 MB may unpack to gigabytes of zeros

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)  # what is the disk's fault, not the path's
_DISK_ERRORS = {
    errno.ENOSPC: ("the disk is full", "Free some space and try again"),
    errno.EDQUOT: ("your disk quota is used up", "Delete something of yours and try again"),
    errno.EROFS: ("the disk is read-only", "Copy the project to a place where you may write"),
    errno.EACCES: (
        "no permission",
        "Close other programs that hold it, or ask its owner for the right to write",
    ),
    errno.EPERM: ("no permission", "Ask its owner for the right to write there"),
    errno.ENOENT: ("its folder does not exist", "Create the folder first"),
    errno.ENOTDIR: ("its folder is a file", "Choose another folder"),
    errno.ENAMETOOLONG: ("its name is too long", "Choose a shorter name"),
    errno.EFBIG: ("the file is too large for this disk", "Choose another disk"),
    errno.EIO: ("the disk has a fault", "Copy the project to another disk"),
}


class DiskError(OSError):
    """What could not be written, why, and what to do, in one line."""

    def __str__(self) -> str:
        return str(self.strerror)


@contextmanager
def atomic_path(path: StrPath) -> Iterator[Path]:
    """Give a temporary path to write to; move it over ``path`` at the end, remove it on any error.

    It lies in the same folder, has the same suffix, is fsynced, and takes over the permissions of a file
    it replaces. Raises `OSError` with one clear message (full disk, read-only folder, a link that leads to another
    folder…); the old file is then unchanged.
    """
    path = _unlinked(path)
    temporary = path.with_name(f"{TEMPORARY}{secrets.token_hex(4)}-{path.name[-200:]}")
    writing = False
    try:
        if path.exists():
            open(path, "rb+").close()  # a write-protected file is not replaced
        open(temporary, "xb").close()
        share(temporary)
        writing = True
        yield temporary
        writing = False
        _sync(temporary)
        if path.exists():
            shutil.copymode(path, temporary)
            share(temporary)
        os.replace(temporary, path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        foreign = writing and getattr(error, "errno", None) not in _FULL
        if foreign or not isinstance(error, OSError):
            raise
        raise disk_error(error, path) from error
    _sync_folder(path.parent)


def atomic_write(path: StrPath, data: bytes | str) -> None:
    """Write ``data`` (bytes, or str as UTF-8) to ``path`` entirely or not at all; errors as `atomic_path`."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.encode() if isinstance(data, str) else data)


def check_writable(path: StrPath) -> None:
    """Raise, before the work of making it, what `atomic_path` would if a file can't be made in the folder of ``path``.

    Nothing is left there; a folder that does not exist is an error, too.
    """
    try:
        tempfile.TemporaryFile(dir=Path(path).parent).close()
    except OSError as error:
        raise disk_error(error, path) from error


def make_folder(path: StrPath, *, exist_ok: bool = True) -> None:
    """Make a folder and those above it; in a group's folder the group may write in them.

    Errors as `Path.mkdir`; of a full or read-only disk as `atomic_path`.
    """
    path = Path(path)
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        path.mkdir(parents=True, exist_ok=exist_ok)
    except OSError as error:
        if error.errno in _FULL:
            raise disk_error(error, path) from error
        if exist_ok and any(one.exists() and not one.is_dir() for one in (path, *path.parents)):
            told = f"cannot make the folder {path}: there is a file of that name. Choose another place."
            raise DiskError(error.errno, told) from error
        raise
    for folder in reversed(missing):
        share(folder)


def is_shared(folder: StrPath) -> bool:
    """Whether a folder is a group's: its files get its group (set-group-ID, as by `chmod g+ws`), which may write."""
    try:
        mode = os.stat(folder).st_mode
    except OSError:
        return False
    return bool(mode & stat.S_ISGID and mode & stat.S_IWGRP)


def share(path: StrPath) -> None:
    """Let the group write what this user just made in a group's folder: the usual umask (022) would forbid it."""
    if is_shared(os.path.dirname(os.path.abspath(path))):
        with suppress(OSError):
            mode = os.stat(path).st_mode
            more = stat.S_IRGRP | stat.S_IWGRP | (stat.S_IXGRP | stat.S_ISGID if stat.S_ISDIR(mode) else 0)
            if mode & more != more:
                os.chmod(path, stat.S_IMODE(mode | more))


@contextmanager
def alone(folder: StrPath) -> Iterator[None]:
    """While the block runs no other is in such a block for this folder, where the system can lock folders.

    For what is read, changed and written again, which takes an instant: who comes second waits.
    """
    handle = None
    with suppress(OSError, ImportError):  # Windows, and file systems without locks
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)  # gives the lock back


def _unlinked(path: StrPath) -> Path:
    """The file that is meant by a path; one may be a link to another in its folder, but to none elsewhere."""
    real = os.path.realpath(path)
    if os.path.islink(path) and os.path.dirname(real) != os.path.realpath(os.path.dirname(path)):
        message = f"cannot write {path}: it is a link to {real}, and dlcnb writes through no link that leads elsewhere"
        raise DiskError(errno.ELOOP, f"{message}. Remove the link and try again.")
    return Path(real)


def composed(name: str) -> str:
    """A name with its accented letters in one piece (NFC), as keyboards give them and archives of Macs do not."""
    return unicodedata.normalize("NFC", name)


def alike(name: str, names: Iterable[str], *, case: bool = True) -> str | None:
    """The one of some names that is meant by another: itself, or one whose accents are written otherwise, or the only
    one that differs in upper and lower case (which Windows and macOS do not tell apart). None = none.

    >>> alike("Cam1.mp4", ["cam1.MP4", "cam2.mp4"])
    'cam1.MP4'
    """
    names = list(names)
    if name in names:
        return name
    for told in (composed, lambda text: composed(text.casefold())) if case else (composed,):
        found = [other for other in names if told(other) == told(name)]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def as_spelled(path: StrPath, *, case: bool = True) -> Path:
    """The file that a path means, if its name is spelled otherwise on the disk (see `alike`), else the path."""
    path = Path(path)
    if os.path.lexists(path):
        return path
    try:
        found = alike(path.name, os.listdir(path.parent), case=case)
    except OSError:
        return path
    return path if found is None else path.with_name(found)


def require_file(path: StrPath) -> None:
    """Raise `OSError` unless ``path`` is a file that can be read to its end, `FileNotFoundError` if nothing is there.

    To open a pipe may wait for ever, and a device may have no end.
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode):
        what = "folder" if stat.S_ISDIR(mode) else "pipe" if stat.S_ISFIFO(mode) else "device or socket"
        raise OSError(errno.EINVAL, f"expected a file, found a {what}", os.fspath(path))


def read_text(path: StrPath, errors: str = "strict") -> str:
    """The text of a file in UTF-8; errors as `require_file`, so that a pipe in its place holds nobody up.

    With ``errors`` "replace", what is no text is replaced. The mark that Windows puts before a text is left out.
    """
    require_file(path)
    return Path(path).read_text(encoding="utf-8-sig", errors=errors)


def read_json(path: StrPath) -> Any:
    """What a JSON file holds; errors as `read_text`, and a `ValueError` that names a file that is none."""
    try:
        return json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: expected JSON, found a damaged file ({error})") from error


def read_arrays(path: StrPath) -> dict[str, NDArray[Any]]:
    """The arrays of an npz file by name, none of them of Python objects.

    Errors as `require_file`, and `ValueError` for a damaged file or one that would unpack to a multiple of itself.
    """
    require_file(path)
    with open(path, "rb") as raw:
        try:
            with zipfile.ZipFile(raw) as archive:
                _check_unpacked(archive, path)
            raw.seek(0)
            with np.load(raw, allow_pickle=False) as file:
                arrays = dict(file)
        except Exception as error:  # whatever numpy and zipfile make of bytes that are none of theirs
            if isinstance(error, OSError) and error.errno != errno.EINVAL:
                raise
            raise ValueError(f"{path}: expected arrays, found a damaged file ({error})") from error
    if strays := [name for name, value in arrays.items() if not isinstance(value, np.ndarray)]:
        raise ValueError(f"{path}: expected arrays, found a file called {strays[0]!r} among them")
    return arrays


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """One file of an archive; raises `KeyError` where it lacks, `ValueError` for a damaged or far too large one."""
    _check_unpacked(archive, archive.filename or name)
    try:
        return archive.read(name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{archive.filename}: {name} in it is damaged ({error})") from error


def _check_unpacked(archive: zipfile.ZipFile, path: StrPath) -> None:
    files = archive.infolist()
    held, packed = sum(one.file_size for one in files), sum(one.compress_size for one in files)
    if held > max(_UNPACKED, _TIMES * packed):
        found = f"{held / 1e6:.0f} MB packed into {packed / 1e6:.1f} MB"
        raise ValueError(f"{path} holds {found}: dlcnb did not write it; remove it")


def unhidden(folder: StrPath, ending: str = "") -> list[Path]:
    """Paths in a folder that are not hidden, with an ``ending`` such as ``.json`` or ``/config.yaml``, sorted."""
    return sorted(Path(folder).glob(f"[!.]*{ending}"))


def quoted(word: StrPath) -> str:
    """A path or name as a shell takes it, for commands that people copy: in quotes where it has blanks or the like.

    >>> print("dlcnb train", quoted("my data/reach"))
    dlcnb train 'my data/reach'
    """
    text = os.fspath(word)
    if os.name == "nt":
        return f'"{text}"' if " " in text else text
    return shlex.quote(text)


def disk_error(error: OSError, path: StrPath) -> OSError:
    """An `OSError` met in writing ``path`` as one that says plainly what happened and what to do.

    One that says so already, of a file on the way, stays as it is.
    """
    if isinstance(error, DiskError):
        return error
    reason, cure = _DISK_ERRORS.get(error.errno or 0, (error.strerror or str(error), "Choose another place"))
    kept = "The old one is unchanged" if os.path.exists(path) else "Nothing was written"
    return DiskError(error.errno, f"cannot write {path}: {reason}. {kept}. {cure}.")


def _sync(path: Path) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a rename durable, where the system lets a folder be synced (Windows does not)."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sha256_of(path: StrPath) -> str:
    """Checksum of a file's contents, as hexadecimal digits; raises `OSError` as `require_file` does."""
    from pooch import file_hash  # here: it takes a while to load

    require_file(path)
    return str(file_hash(str(path), alg="sha256"))
