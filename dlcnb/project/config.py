"""config.yaml: a new one, reading and checking one, writing it back with its comments and unknown keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, ScalarEvent

from dlcnb.files import require_file
from dlcnb.project.names import ProjectError, checked_bodyparts, name_problem, nearest

__all__ = [
    "check_config",
    "cut_crop",
    "drawing_problems",
    "dump_config",
    "is_edge",
    "new_config",
    "parse_crop",
    "read_config",
]

_LARGEST = 10 << 20  # bytes of a config.yaml; a thousand times what one has
_MOST_VALUES = 200_000  # that it may hold once its aliases are written out

_TEMPLATE = """\
# Project definitions (do not edit)
Task:
scorer:
date:
multianimalproject: false
identity:


# Project path (change when moving around)
project_path:


# Default DeepLabCut engine to use for shuffle creation (either pytorch or tensorflow)
engine: pytorch


# Annotation data set configuration (and individual video cropping parameters)
video_sets: {}
bodyparts: []


# Fraction of video to start/stop when extracting frames for labeling/refinement
start: 0
stop: 1
numframes2pick: 20


# Plotting configuration
skeleton: []
skeleton_color: black
pcutoff: 0.6
dotsize: 12
alphavalue: 0.7
colormap: rainbow


# Training,Evaluation and Analysis configuration
TrainingFraction:
- 0.95
iteration: 0
default_net_type: resnet_50
default_augmenter: default
snapshotindex: -1
detector_snapshotindex: -1
batch_size: 8
detector_batch_size: 1


# Cropping Parameters (for analysis and outlier frame detection)
cropping: false
#if cropping is true for analysis, then set the values here:
x1: 0
x2: 640
y1: 277
y2: 624


# Refinement configuration (parameters from annotation dataset configuration also relevant in this stage)
corner2move2:
- 50
- 50
move2corner: true


# Conversion tables to fine-tune SuperAnimal weights
SuperAnimalConversionTables:
"""


_Test = Callable[[Any], bool]


def _number(low: float, high: float, kind: Any = (int, float)) -> _Test:
    return lambda value: not isinstance(value, bool) and isinstance(value, kind) and bool(low <= value <= high)


def _either(kind: type) -> _Test:
    return lambda value: isinstance(value, kind)


def is_edge(edge: object) -> bool:
    """Whether this is an edge of a skeleton as config.yaml has it: a list of two bodyparts."""
    return isinstance(edge, list) and len(edge) == 2 and all(isinstance(part, (str, int)) for part in edge)


_RULES: dict[str, tuple[str, _Test]] = {  # key: (what is expected, test); keys without a value are as good as absent
    "pcutoff": ("a number from 0 to 1", _number(0, 1)),
    "start": ("a number from 0 to 1", _number(0, 1)),
    "stop": ("a number from 0 to 1", _number(0, 1)),
    "numframes2pick": ("a whole number from 1", _number(1, 10**9, int)),
    "iteration": ("a whole number from 0", _number(0, 10**9, int)),
    "batch_size": ("a whole number from 1", _number(1, 10**9, int)),
    "TrainingFraction": (
        "a list of numbers above 0, at most 1",
        lambda v: isinstance(v, list) and len(v) > 0 and all(_number(1e-9, 1)(f) for f in v),
    ),
    "video_sets": ("a mapping from videos to their crop", _either(dict)),
    "cropping": ("true or false", _either(bool)),
    "multianimalproject": ("true or false", _either(bool)),
} | {key: ("a whole number of pixels", _number(0, 10**6, int)) for key in ("x1", "x2", "y1", "y2")}
_DRAWING: dict[str, tuple[str, _Test]] = {  # a wrong one is left out of the drawing, and doctor tells
    "alphavalue": ("a number from 0 to 1", _number(0, 1)),
    "dotsize": ("a number above 0", _number(1e-9, 1e9)),
    "skeleton": ("a list of pairs of bodyparts", lambda v: isinstance(v, list) and all(map(is_edge, v))),
    "colormap": ("the name of a colormap", _either(str)),
    "skeleton_color": ("the name of a color", _either(str)),
}
_REQUIRED = ("Task", "scorer", "date", "bodyparts", "video_sets")
_MULTI_ANIMAL = {"individuals", "uniquebodyparts", "multianimalbodyparts", "default_track_method"}
_KNOWN = {*_RULES, *_DRAWING, *_REQUIRED, *_MULTI_ANIMAL} | set(re.findall(r"^(\w+):", _TEMPLATE, re.MULTILINE))


def parse_crop(text: object, where: str) -> tuple[int, int, int, int]:
    """(x1, x2, y1, y2) from DeepLabCut's "x1, x2, y1, y2"."""
    parts: Any = text.split(",") if isinstance(text, str) else text
    with suppress(TypeError, ValueError):
        x1, x2, y1, y2 = (int(part) for part in parts)
        if 0 <= x1 < x2 and 0 <= y1 < y2:
            return x1, x2, y1, y2
    raise ProjectError(
        f"{where}: expected crop: x1, x2, y1, y2 in pixels with x1 < x2 and y1 < y2, found {_shown(text)}"
    )


def cut_crop(crop: tuple[int, int, int, int], size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """A crop as far as it lies in a frame of ``(height, width)``; None if that is all of it, or nothing."""
    (height, width), (x1, x2, y1, y2) = size, crop
    cut = min(x1, width), min(x2, width), min(y1, height), min(y2, height)
    return None if cut == (0, width, 0, height) or cut[0] == cut[1] or cut[2] == cut[3] else cut


def _check_keys(config: dict[str, Any]) -> None:
    for key in _REQUIRED:
        if key not in config:
            raise ProjectError(f"the key '{key}' is missing{nearest(key, set(config) - _KNOWN)}")
    for key in config:
        if key not in _KNOWN and (hint := nearest(key, _KNOWN - set(config))):
            raise ProjectError(f"unknown key '{key}'{hint}")


def check_config(config: Any) -> None:
    """Raise `ProjectError` for the first value that can't be right; values for drawing only are passed over."""
    if not isinstance(config, dict):
        raise ProjectError("expected keys and values such as 'Task: reaching'")
    _check_keys(config)
    for key in ("Task", "scorer", "date"):
        value = config[key]
        if value is None or isinstance(value, (list, dict, bool)):
            raise ProjectError(f"{key}: expected a name, found {_shown(value)}")
        if problem := name_problem(str(value), for_file=True):
            raise ProjectError(f"{key}: the name {_shown(value)} {problem}")
    for key, (expected, test) in _RULES.items():
        value = config.get(key)
        if value is not None and not test(value):
            raise ProjectError(f"{key}: expected {expected}, found {_shown(value)}")
    if config.get("multianimalproject"):
        raise ProjectError(
            "multianimalproject is true; only projects of one animal can be opened. Make one with the same bodyparts "
            "(dlcnb new), label frames that show one animal, train; then dlcnb analyze --animals N finds several"
        )
    checked_bodyparts(config["bodyparts"])
    for video, entry in (config["video_sets"] or {}).items():
        if isinstance(entry, dict) and entry.get("crop") is not None:
            parse_crop(entry["crop"], f"video_sets: {video}")


def drawing_problems(config: dict[str, Any]) -> Iterator[str]:
    """What is wrong with values that matter for drawing only."""
    for key, (expected, test) in _DRAWING.items():
        value = config.get(key)
        if value is not None and not test(value):
            yield f"{key}: expected {expected}, found {_shown(value)}"


def _shown(value: object) -> str:
    """A value for a message, whatever its length."""
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def new_config() -> Any:
    """A config with DeepLabCut's keys and defaults, to be filled in."""
    return _yaml().load(_TEMPLATE)


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, 10_000
    return yaml


def read_config(path: Path) -> tuple[Any, bytes]:
    """The checked config and the bytes it came from; raises `ProjectError`."""
    raw = _read_raw(path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ProjectError(
            f"{path}: expected UTF-8 text, found another encoding in line {line}. The file does not say which "
            "one (GBK, Windows-1252…), so nothing was read: open it in an editor that shows it correctly, and save it "
            "as UTF-8"
        ) from None
    try:
        _check_aliases(text)
        config = _yaml().load(text.replace("\r\n", "\n"))
        check_config(config)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where, problem = f"line {mark.line + 1}: " if mark else "", str(getattr(error, "problem", error))
        if "'\\t'" in problem:
            problem = "expected spaces, found a tab; put spaces in its place"
        elif "escape" in problem:
            problem = f"{problem}; a path with \\ stands in single quotes, or in none"
        raise ProjectError(f"{path} is not valid YAML: {where}{problem}") from error
    except ProjectError as error:
        raise ProjectError(f"{path}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise ProjectError(f"{path}: a value can't be read ({error}); correct it in a text editor") from error
    return config, raw


def _read_raw(path: Path) -> bytes:
    try:
        require_file(path)
        if path.stat().st_size > _LARGEST:
            raise ProjectError(
                f"{path} is larger than {_LARGEST >> 20} MB, too large for a config.yaml. Restore it from a copy"
            )
        raw = path.read_bytes()
        if raw and not raw.strip(b"\0"):
            raise ProjectError(f"{path} holds only zeros, as after a power failure. Restore it from a copy")
        return raw
    except (FileNotFoundError, NotADirectoryError):
        raise ProjectError(
            f"no project in {path.parent}: expected a config.yaml there; give the folder of a project"
        ) from None
    except OSError as error:
        raise ProjectError(f"{path} can't be read: {error.strerror}") from error


def _check_aliases(text: str) -> None:
    """Raise `ProjectError` if aliases that refer to each other write out to an absurd number of values."""
    if "*" not in text:
        return
    sizes: dict[str | None, int] = {}  # of what each anchor names
    open_ones: list[tuple[str | None, int]] = []  # (anchor, values before it) of lists and mappings not closed yet
    count = 0
    for event in _yaml().parse(text):
        if isinstance(event, ScalarEvent):
            count += 1
            sizes[event.anchor] = 1
        elif isinstance(event, CollectionStartEvent):
            open_ones.append((event.anchor, count))
            count += 1
        elif isinstance(event, CollectionEndEvent):
            anchor, before = open_ones.pop()
            sizes[anchor] = count - before
        elif isinstance(event, AliasEvent):
            inside_itself = any(event.anchor == anchor for anchor, _ in open_ones)
            count += _MOST_VALUES if inside_itself else sizes.get(event.anchor, 1)
        if count >= _MOST_VALUES:
            raise ProjectError("its aliases (*) refer to each other without end; write the values out")


def dump_config(config: Any) -> bytes:
    """Config as the bytes of a config.yaml."""
    out = StringIO()
    _yaml().dump(config, out)
    return out.getvalue().encode()
