"""Files from the user's computer to the one where the kernel runs, of any size, with progress."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import anywidget
import traitlets

from dlcnb.files import TEMPORARY, disk_error
from dlcnb.project.names import file_problem
from dlcnb.widgets.base.page import page_code

__all__ = ["Upload"]

_HERE = Path(__file__).parent


class Upload(anywidget.AnyWidget):
    """A button to choose files, and how far they are.

    They come in pieces of 1 MiB, each one after the receipt of the one before, since a kernel's connection drops
    messages of more than about 10 MB. A file takes its name when it is whole; what is not is removed.

    Parameters
    ----------
    folder : callable
        ``folder()`` gives the folder that files are written to; it is made if need be.
    arrived : callable
        Called with the path of each file that has arrived.
    failed : callable
        Called with what goes wrong.
    accept : list of str
        Suffixes to offer.
    label : str
        On the button.
    """

    _esm = page_code(_HERE / "pieces.js", _HERE / "upload.js")

    label = traitlets.Unicode("Upload").tag(sync=True)
    accept = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        folder: Callable[[], Path],
        arrived: Callable[[Path], object],
        failed: Callable[[Exception], object],
        *,
        accept: Sequence[str] = (),
        label: str = "Upload",
    ) -> None:
        super().__init__(label=label, accept=",".join(accept))
        self._folder, self._arrived, self._failed = folder, arrived, failed
        self._id, self._size = "", 0
        self._target: Path | None = None
        self._partial = Path()  # of the file under way
        self._file: BinaryIO | None = None
        self.on_msg(self._on_message)

    def _on_message(self, _: Any, message: dict[str, Any], buffers: Sequence[Any]) -> None:
        kind = message.get("type")
        try:
            if kind == "begin":
                self._begin(str(message["id"]), str(message["name"]), int(message["size"]))
            elif message.get("id") != self._id:
                return
            elif kind == "piece":
                self._piece(int(message["at"]), buffers)
            elif kind == "end":
                self._end()
            else:
                self._drop()
                self._say("stop")
                if kind == "failed":
                    raise OSError(f"The browser could not read the file: {message.get('why')}. Choose it again.")
        except Exception as error:
            self._drop()
            self._say("next")
            told = isinstance(error, OSError) and error.errno and self._target
            self._failed(disk_error(error, self._target) if told else error)  # type: ignore[arg-type]  # an OSError then

    def _begin(self, id: str, name: str, size: int) -> None:
        self._drop()
        self._id, self._size, self._target = id, size, None
        name = name.replace("\\", "/").rsplit("/", 1)[-1]
        if problem := file_problem(name):
            raise ValueError(f"The file's name {name[:40]!r} {problem}. Give it a plain name, then upload it again.")
        folder = self._folder()
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / name
        if target.exists():
            raise _there(target)
        if size > (free := shutil.disk_usage(folder).free):
            raise OSError(f"{name} needs {size / 1e9:.1f} GB, and only {free / 1e9:.1f} GB are free at {folder}")
        self._target = target
        self._partial = folder / f"{TEMPORARY}{secrets.token_hex(8)}"  # of its own: a killed kernel leaves one
        self._file = open(self._partial, "xb")  # noqa: SIM115  (closed when the last piece is there)
        self._say("go", at=0)

    def _piece(self, at: int, buffers: Sequence[Any]) -> None:
        if self._file is not None and at == self._file.tell():
            piece = bytes(buffers[0])
            if at + len(piece) > self._size:
                raise ValueError(f"expected {self._size} bytes, more arrived. Upload the file again.")
            self._file.write(piece)
            self._say("go", at=self._file.tell())

    def _end(self) -> None:
        if self._file is None or self._target is None:
            return
        arrived, target, partial = self._file.tell(), self._target, self._partial
        self._file.close()
        self._file = None
        if arrived != self._size:
            partial.unlink(missing_ok=True)
            raise OSError(f"{target.name}: expected {self._size} bytes, {arrived} arrived. Upload it again.")
        if target.exists():  # from elsewhere, meanwhile
            partial.unlink(missing_ok=True)
            raise _there(target)
        partial.replace(target)
        self._say("next")
        self._id = ""
        self._arrived(target)

    def _drop(self) -> None:
        """Forget what has not arrived whole."""
        if self._file is not None:
            self._file.close()
            self._file = None
            self._partial.unlink(missing_ok=True)

    def _say(self, kind: str, **more: Any) -> None:
        self.send({"type": kind, "id": self._id, **more})

    def close(self) -> None:
        """Take it off the page; a file that has not arrived whole is removed."""
        self._drop()
        super().close()


def _there(target: Path) -> FileExistsError:
    return FileExistsError(f"{target.name} was uploaded already; rename the other one first if it is another video")
