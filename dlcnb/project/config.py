"""config.yaml: a new one, reading and checking one, writing it back with its comments and unknown keys."""

from __future__ import annotations

import re
from contextlib import suppress
from io import StringIO

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from dlcnb.project.names import ProjectError, checked_bodyparts, name_problem, nearest

__all__ = ["check_config", "dump_config", "new_config", "parse_crop", "read_config"]

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


def _number(low, high, kind=(int, float)):
    return lambda value: isinstance(value, kind) and not isinstance(value, bool) and low <= value <= high


def _either(kind):
    return lambda value: isinstance(value, kind)


_RULES = {  # key: (what is expected, test); keys without a value are as good as absent
    "pcutoff": ("a number from 0 to 1", _number(0, 1)),
    "start": ("a number from 0 to 1", _number(0, 1)),
    "stop": ("a number from 0 to 1", _number(0, 1)),
    "alphavalue": ("a number from 0 to 1", _number(0, 1)),
    "dotsize": ("a number above 0", _number(1e-9, 1e9)),
    "numframes2pick": ("a whole number from 1", _number(1, 10**9, int)),
    "iteration": ("a whole number from 0", _number(0, 10**9, int)),
    "batch_size": ("a whole number from 1", _number(1, 10**9, int)),
    "TrainingFraction": (
        "a list of numbers above 0, at most 1",
        lambda v: isinstance(v, list) and len(v) > 0 and all(_number(1e-9, 1)(f) for f in v),
    ),
    "video_sets": ("a mapping from videos to their crop", _either(dict)),
    "skeleton": (
        "a list of pairs of bodyparts",
        lambda v: isinstance(v, list) and all(_is_pair(e) for e in v),
    ),
    "colormap": ("the name of a colormap", _either(str)),
    "skeleton_color": ("the name of a color", _either(str)),
    "cropping": ("true or false", _either(bool)),
    "multianimalproject": ("true or false", _either(bool)),
} | {key: ("a whole number of pixels", _number(0, 10**6, int)) for key in ("x1", "x2", "y1", "y2")}
_REQUIRED = ("Task", "scorer", "date", "bodyparts", "video_sets")
_MULTI_ANIMAL = {"individuals", "uniquebodyparts", "multianimalbodyparts", "default_track_method"}
_KNOWN = {*_RULES, *_REQUIRED, *_MULTI_ANIMAL} | set(re.findall(r"^(\w+):", _TEMPLATE, re.MULTILINE))


def _is_pair(edge):
    return isinstance(edge, list) and len(edge) == 2 and all(isinstance(part, (str, int)) for part in edge)


def parse_crop(text, where):
    """(x1, x2, y1, y2) from DeepLabCut's "x1, x2, y1, y2"."""
    parts = text.split(",") if isinstance(text, str) else text
    with suppress(TypeError, ValueError):
        x1, x2, y1, y2 = (int(part) for part in parts)
        if 0 <= x1 < x2 and 0 <= y1 < y2:
            return x1, x2, y1, y2
    raise ProjectError(f"{where}: expected crop: x1, x2, y1, y2 in pixels with x1 < x2 and y1 < y2, found {text!r}")


def _check_keys(config):
    for key in _REQUIRED:
        if key not in config:
            raise ProjectError(f"the key '{key}' is missing{nearest(key, set(config) - _KNOWN)}")
    for key in config:
        if key not in _KNOWN and (hint := nearest(key, _KNOWN - set(config))):
            raise ProjectError(f"unknown key '{key}'{hint}")


def check_config(config):
    """Raise `ProjectError` for the first value that can't be right."""
    if not isinstance(config, dict):
        raise ProjectError("expected keys and values such as 'Task: reaching'")
    _check_keys(config)
    for key in ("Task", "scorer", "date"):
        if problem := name_problem(None if config[key] is None else str(config[key]), for_file=True):
            raise ProjectError(f"{key}: the name {config[key]!r} {problem}")
    for key, (expected, test) in _RULES.items():
        value = config.get(key)
        if value is not None and not test(value):
            raise ProjectError(f"{key}: expected {expected}, found {value!r}")
    if config.get("multianimalproject"):
        raise ProjectError("multianimalproject is true; only projects with one animal can be opened")
    checked_bodyparts(config["bodyparts"])
    for video, entry in (config["video_sets"] or {}).items():
        if isinstance(entry, dict) and entry.get("crop") is not None:
            parse_crop(entry["crop"], f"video_sets: {video}")


def new_config():
    """A config with DeepLabCut's keys and defaults, to be filled in."""
    return _yaml().load(_TEMPLATE)


def _yaml():
    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, 10_000
    return yaml


def read_config(path):
    """The checked config and the bytes it came from."""
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise ProjectError(
            f"no project in {path.parent}: expected a config.yaml there; give the folder of a project"
        ) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:  # written by DeepLabCut on Windows in the local code page
        text = raw.decode("cp1252", "replace")
    try:
        config = _yaml().load(text.replace("\r\n", "\n"))
        check_config(config)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        raise ProjectError(f"{path} is not valid YAML: {line}{getattr(error, 'problem', error)}") from error
    except ProjectError as error:
        raise ProjectError(f"{path}: {error}") from None
    return config, raw


def dump_config(config):
    """Config as the bytes of a config.yaml."""
    out = StringIO()
    _yaml().dump(config, out)
    return out.getvalue().encode()
