"""The options of ``dlcnb train``: one for each setting of `TrainConfig`, made from its fields and its docstring.

A new setting appears by itself. The options are made when they are needed: `dlcnb.trainset` takes a while to load.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import click

from dlcnb.cli.console import EXAMPLES, LocalPath, not_a
from dlcnb.files import read_text
from dlcnb.machine.gpus import is_device

__all__ = ["SettingsCommand", "checked_device", "given", "read_settings"]

GROUPS = {  # heading -> settings; those that are not named here come under "Other settings"
    "How long": ("minutes", "steps"),
    "What to train and to test on": (
        *("train_fraction", "split_seed", "folds", "fold", "leave_out", "bodyparts", "validation_fraction"),
    ),
    "The network and what it starts from": (
        *("backbone", "head_width", "intermediate", "pretrained", "weights", "start_from", "freeze"),
    ),
    "What it is shown": (
        *("batch_size", "crop_size", "input_scale", "scale_jitter", "rotation", "mirror", "anywhere", "balanced"),
        *("brightness", "noise"),
    ),
    "How it learns": (
        *("radius", "locref_weight", "spatial_weight", "score_weight", "optimizer", "learning_rate", "head_rate"),
        *("schedule", "average", "seed"),
    ),
    "Checks and snapshots": ("validate_every", "keep"),
    "Machine": ("device", "precision", "kvstore", "workers"),
}
HELP = {  # where the command line says it otherwise than the docstring
    "minutes": "Minutes to train; when resuming, in all.  [default: the preset's, 10]",
    "steps": "Steps to train; when resuming, in all (reproducible).",
    "train_fraction": "Share of the labeled frames to train on.  "
    "[default: the first TrainingFraction of config.yaml, or 0.95]",
    "folds": "Split the frames into this many parts and test on one (dlcnb experiment folds: on each).",
    "fold": "Which of the --folds, from 0.  [default: 0]",
    "leave_out": "Test on the frames of this video, train on all others.",
    "backbone": "Network below the heads.  [default: efficientnet-lite0]",
    "score_weight": "Weight of the cells' cross-entropy at the end; until 40 % of the training it is 1 (paper: 1).",
    "batch_size": "Examples per step.",
    "head_width": "Channels of the network's head (efficientnet-lite0).",
    "crop_size": "Side of the examples, px at the input scale; none: whole frames, one a step, as in the paper.",
    "scale_jitter": "Random factors on top of the input scale (paper: 0.5,1.5).",
    "mirror": "Mirror examples, with left and right bodyparts swapped.",
    "optimizer": "adam, or sgd with momentum 0.9.",
    "intermediate": "Train a second set of score-maps from conv4, as the paper's ResNet-101ws does.",
    "device": "auto, cpu, gpu(0), or several GPUs that share each batch: gpu(0),gpu(1).",
    "rotation": "Turn examples by up to this many degrees.",
    "precision": "fp16: half precision where that is safe, on GPUs only.  [default: fp32]",
    "bodyparts": "Train on these bodyparts only, separated by commas.",
    "weights": "ImageNet weights: a file, or torchvision or gluon (fetched once).",
    "start_from": "Snapshot (or run) to go on from; last: the network trained last, even before a merge.",
    "kvstore": "dist_sync: several processes share each batch, see docs/cluster.md.  [default: device]",
    "workers": "How many processes, with --kvstore dist_sync.",
    "schedule": "Rates instead of one: [[step, rate], ...]; each holds until its step, the last for good.",
    "keep": 'Steps whose snapshots are never deleted (100,1000,...), or "curve": 10, 20, 50, 100 ...',
}
METAVARS = {"leave_out": "VIDEO", "bodyparts": "A,B,...", "scale_jitter": "LEAST,MOST", "crop_size": "PX|none"}
_NONE = object()  # "none" on the command line, which click could not tell from an option that was not given


class SettingsCommand(click.Command):
    """A command that takes all settings of a training, in groups."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own parameters, and an option for each setting."""
        return [*super().get_params(ctx), *_options()]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options first, then the settings by groups."""
        names = {option.name for option in _options()}
        headings = {name: heading for heading, members in GROUPS.items() for name in members}
        sections: dict[str, list[tuple[str, str]]] = {heading: [] for heading in ("Options", *GROUPS)}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record and isinstance(parameter, click.Option):
                other = "Other settings" if parameter.name in names else "Options"
                sections.setdefault(headings.get(str(parameter.name), other), []).append(record)
        for heading, records in sections.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that were given, of all options."""
    return {name: None if value is _NONE else value for name, value in values.items() if value is not None}


def read_settings(path: str | Path | None) -> dict[str, Any]:
    """The settings in a YAML file, such as the pose_cfg.yaml of a run; {} for None. Raises click's usage errors."""
    from ruamel.yaml import YAML, YAMLError

    from dlcnb.run import NO_SETTINGS

    if path is None:
        return {}
    try:
        values = YAML(typ="safe").load(read_text(path))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise click.BadParameter(
            f"{path} can't be read: {' '.join(str(error).split())}", param_hint="--config"
        ) from None
    if not isinstance(values, Mapping):
        raise click.BadParameter(f"{path}: expected lines such as batch_size: 8.", param_hint="--config")
    return {str(name): value for name, value in values.items() if name not in NO_SETTINGS}


def checked_device(_context: click.Context, _parameter: click.Parameter, name: str | None) -> str | None:
    """A device as it is; a wrong one is wrong usage."""
    if name is not None and not is_device(name):
        raise click.BadParameter(f"Unknown device {name!r}. Expected auto, cpu, gpu(0), or several: gpu(0),gpu(1).")
    return name


class _Value(click.ParamType):
    """A number, several, a word or "none", as the type of the setting allows."""

    def __init__(self, kinds: frozenset[type]) -> None:
        self.kinds = kinds
        self.name = "text" if str in kinds else "integer" if float not in kinds and int in kinds else "number"
        if tuple in kinds:
            self.name = "list"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value that the text stands for; wrong usage if the setting can't have it."""
        if not isinstance(value, str):
            return value
        if value.lower() in ("none", "null") and type(None) in self.kinds:
            return _NONE
        found = _parsed(value, tuple in self.kinds)
        if self.kinds <= {str, tuple, type(None)} and not isinstance(found, list):
            found = [value] if str not in self.kinds else value
        if isinstance(found, int) and not isinstance(found, bool) and float in self.kinds and int not in self.kinds:
            return float(found)
        wanted = {list if kind is tuple else kind for kind in self.kinds}
        if type(found) not in wanted:
            a = "an" if self.name == "integer" else "a"
            expected = f"{a} {self.name}{' or none' if type(None) in self.kinds else ''}"
            self.fail(not_a(expected, repr(value), EXAMPLES.get(self.name, "none")), param, ctx)
        return found


def _parsed(text: str, several: bool) -> Any:
    """A text as YAML reads it; "a,b" is a list where there may be ``several``."""
    from ruamel.yaml import YAML, YAMLError

    if several and "," in text and not text.lstrip().startswith("["):
        text = f"[{text}]"
    try:
        return YAML(typ="safe").load(text)
    except YAMLError:
        return text


@cache
def _options() -> tuple[click.Option, ...]:
    """An option for each setting of a training."""
    from dlcnb.trainset import TrainConfig

    hints, about = get_type_hints(TrainConfig), _documented()
    return tuple(
        _option(field, hints[field.name], about.get(field.name, "")) for field in dataclasses.fields(TrainConfig)
    )


def _option(field: dataclasses.Field[Any], hint: Any, about: str) -> click.Option:
    from dlcnb.trainset.config import CHOICES
    from dlcnb.trainset.plan import OPEN

    name = field.name
    flag, kinds = "--" + name.replace("_", "-"), frozenset(_kinds(hint))
    text = HELP.get(name, about) + ("  [default: from the data]" if name in OPEN else "")
    if field.default is not None and "[default:" not in text and name != "workers":
        text += f"  [default: {_words(field.default)}]"
    more: dict[str, Any] = {"help": text, "metavar": METAVARS.get(name)}
    if kinds <= {bool, type(None)}:
        return click.Option([f"{flag}/--no-{name.replace('_', '-')}", name], default=None, **{**more, "metavar": None})
    if name in CHOICES:
        more["type"] = click.Choice(list(CHOICES[name]))
    elif name == "device":
        more |= {"callback": checked_device, "type": str}
    elif name == "start_from":
        more["type"] = _Start(exists=True)
    else:
        more["type"] = str if kinds <= {str, type(None)} else _Value(kinds)
    return click.Option([flag, name], default=None, **more)


class _Start(LocalPath):
    """A path, or the word for the network that was trained last."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if value == "last" else super().convert(value, param, ctx)


def _kinds(hint: Any) -> Iterator[type]:
    """The plain types that a hint allows: of ``tuple[float, float] | None`` they are tuple and NoneType."""
    origin = getattr(hint, "__origin__", None)
    if origin is not None:
        yield origin
    elif get_args(hint):
        for part in get_args(hint):
            yield from _kinds(part)
    else:
        yield hint


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _documented() -> dict[str, str]:
    """What the docstrings say of each setting; where they refer to `Augmentation`, what its docstring says."""
    from dlcnb.augment import Augmentation
    from dlcnb.trainset import TrainConfig

    found, drawn = _attributes(TrainConfig), _attributes(Augmentation)
    drawn["scale_jitter"] = drawn.pop("scale", "")
    for name, text in found.items():
        if text.startswith("See dlcnb.augment.Augmentation"):
            rest = text.partition("; ")[2]
            found[name] = rest[:1].upper() + rest[1:] if rest.startswith(f"{name} ") else drawn.get(name, text)
    return found


def _attributes(described: type) -> dict[str, str]:
    """{name: text} of the Attributes in a class's docstring, on one line and without marks."""
    section = (described.__doc__ or "").partition("Attributes\n")[2]
    entries = re.split(r"^    (?=\w[\w, ]* : )", section, flags=re.MULTILINE)[1:]
    found: dict[str, str] = {}
    for names, text in (entry.split(" : ", 1) for entry in entries):
        plain = " ".join(re.sub(r"[`*]", "", text).split())
        found |= dict.fromkeys(names.split(", "), plain[:1].upper() + plain[1:])
    return found
