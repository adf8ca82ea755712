"""The settings of a new training run: as plain traitlets, and as fields, few for a beginner, the rest folded away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import ipywidgets
from traitlets import Dict, Enum, Float, HasTraits, Int, Unicode, link, observe

from dlcnb.trainset import BACKBONES, PRESETS, TrainConfig, merged
from dlcnb.widgets.base.html import Html, markup, muted
from dlcnb.widgets.base.view import row
from dlcnb.widgets.training.devices import device_field, devices_here

__all__ = ["SettingsForm", "TrainingSettings"]

DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(TrainConfig)}
ABOUT = {  # preset -> what it is for
    "quick": "quick: usable in minutes on a CPU",
    "workshop": "workshop: three minutes",
    "paper": "paper: as published, needs a GPU",
}
TIPS = {
    "preset": "A set of settings to begin with; each can be changed",
    "minutes": "Training time; 0 = as long as the steps take",
    "backbone": "The network below the heads: efficientnet-lite0 is the fastest on a CPU; resnet-50 is the paper's",
    "train_fraction": "Share of the labeled frames that is trained on; the rest tells the test error",
    "split_seed": "Another number gives another random split into training and test frames",
    "steps": "Steps of training; 0 = as many as the minutes allow. Whichever ends first ends the run",
    "learning_rate": "How far a step goes: lower it if the loss jumps up or becomes infinite",
    "mirror": "Whether examples are mirrored, left and right bodyparts exchanged; no where colours tell the sides",
    "batch_size": "Examples per step: more is steadier, and takes more time and memory; 0 = automatic",
    "device": "What computes: automatic takes a GPU if there is a usable one; several are written as gpu(0),gpu(1)",
    "start_from": "Go on from what an earlier run of this project has learned",
}
BEGINNER = ("preset", "minutes")  # settings that are always seen; the others are folded away
MIRROR = {"auto": None, "yes": True, "no": False}  # what is chosen -> as `TrainConfig` has it
FRESH = "ImageNet weights"
NAMES = {  # where a setting's own name says too little
    "backbone": "network (backbone)",
    "train_fraction": "training fraction: share trained on",
    "split_seed": "split seed: which are held out",
    "steps": "steps: 0 = all that fit",
    "learning_rate": "learning rate: how far a step goes",
    "mirror": "mirrored frames",
    "batch_size": "batch size: 0 = automatic",
    "device": "device: what computes",
    "start_from": "start from: what is learned already",
}


class TrainingSettings(HasTraits):
    """What a new run is started with; choosing a preset sets the rest to what it says."""

    preset = Enum(tuple(PRESETS), "quick")
    minutes = Float(0.0, min=0, help="0: no limit.")
    steps = Int(0, min=0, help="0: no limit.")
    backbone = Enum(BACKBONES, BACKBONES[0])
    train_fraction = Float(DEFAULTS["train_fraction"])
    split_seed = Int(0, min=0)
    learning_rate = Float(DEFAULTS["learning_rate"])
    batch_size = Int(0, min=0, help="0: automatic.")
    mirror = Enum(tuple(MIRROR), "auto", help="auto: as the labels say.")
    device = Unicode("auto")
    start_from = Unicode("", help="Run or snapshot to go on from; empty: ImageNet weights.")
    starts = Dict({FRESH: ""}, help="What ``start_from`` may be: {words: path}.")

    def __init__(self, **values: Any) -> None:
        super().__init__()
        self._preset_chosen(None)
        for name, value in values.items():
            setattr(self, name, value)

    @observe("preset")
    def _preset_chosen(self, _: Any) -> None:
        wanted = {**DEFAULTS, **PRESETS[self.preset]}
        with self.hold_trait_notifications():
            self.minutes, self.steps = wanted["minutes"] or 0.0, wanted["steps"] or 0
            for name in ("backbone", "learning_rate", "batch_size", "device"):
                setattr(self, name, wanted[name] or 0)
            self.mirror = next(word for word, mirror in MIRROR.items() if mirror == wanted["mirror"])

    def options(self) -> dict[str, Any]:
        """Settings as `dlcnb.jobs.start` takes them: those of the preset, and what was changed."""
        base = {**DEFAULTS, **PRESETS[self.preset]}
        changes: dict[str, Any] = {name: getattr(self, name) for name in ("backbone", "train_fraction", "split_seed")}
        changes |= {name: value for name in ("minutes", "steps", "start_from") if (value := getattr(self, name))}
        for name in ("learning_rate", "batch_size", "device"):
            if getattr(self, name) != (base[name] or 0):
                changes[name] = getattr(self, name)
        if MIRROR[self.mirror] != base["mirror"]:
            changes["mirror"] = MIRROR[self.mirror]
        if not (self.minutes or self.steps):
            changes |= {"minutes": None, "steps": None}  # which is an error that says so
        return merged(PRESETS[self.preset], changes)

    def set_starts(self, runs: Mapping[str, str]) -> None:
        """Offer {words: path} to start from; the choice stays if it is among them."""
        chosen = self.start_from
        with self.hold_trait_notifications():
            self.starts = {FRESH: "", **runs}
            self.start_from = chosen if chosen in runs.values() else ""


class SettingsForm(ipywidgets.HBox):
    """The two fields that a beginner needs; ``advanced`` holds the others.

    Parameters
    ----------
    settings : TrainingSettings

    Attributes
    ----------
    fields : {name of the setting: its widget}
    advanced : the box with the fields for the experienced.
    """

    def __init__(self, settings: TrainingSettings) -> None:
        self.settings = settings
        self.fields = self._made()
        settings.observe(lambda change: self._show_device(change.new), "device")  # before the field gets it
        self._show_device(settings.device)
        for name, field in self.fields.items():
            field.tooltip, field.layout.margin = TIPS[name], "0"
            link((settings, name), (field, "value"))
        settings.observe(lambda change: self._show_starts(change.new), "starts")
        self._titles: dict[str, Html] = {}
        self._used = {name: _line() for name in self.fields if name not in BEGINNER}
        self.advanced = row([self._box(name) for name in self._used])
        self.show_used({})
        super().__init__([self._box(name) for name in BEGINNER])
        self.add_class("dlcnb-row")

    def _made(self) -> dict[str, ipywidgets.Widget]:
        number, whole = ipywidgets.BoundedFloatText, ipywidgets.BoundedIntText
        many = 2**31 - 1
        return {
            "preset": ipywidgets.Dropdown(options=[(text, name) for name, text in ABOUT.items()], layout=_wide(265)),
            "minutes": number(min=0, max=100000, step=1, layout=_wide(124)),
            "backbone": ipywidgets.Dropdown(options=BACKBONES, layout=_wide(170)),
            "train_fraction": number(min=0.05, max=1, step=0.05, layout=_wide(90)),
            "split_seed": whole(min=0, max=many, layout=_wide(90)),
            "steps": whole(min=0, max=many, layout=_wide(110)),
            "learning_rate": number(min=1e-7, max=1, step=1e-4, layout=_wide(100)),
            "mirror": ipywidgets.Dropdown(
                options=[("as the labels say", "auto"), ("yes", "yes"), ("no", "no")], layout=_wide(150)
            ),
            "batch_size": whole(min=0, max=4096, layout=_wide(80)),
            "device": device_field(devices_here(), "210px"),
            "start_from": ipywidgets.Dropdown(options=list(self.settings.starts.items()), layout=_wide(250)),
        }

    def _box(self, name: str) -> ipywidgets.VBox:
        """A field under its name, and above what the run on display was trained with."""
        title, used = _line(), self._used.get(name)
        self._titles[name] = title
        self._title(name, NAMES.get(name, name), TIPS[name])
        layout = ipywidgets.Layout(margin="0 8px 0 0", overflow="visible")
        return ipywidgets.VBox([title, self.fields[name], *([used] if used is not None else [])], layout=layout)

    def _title(self, name: str, words: str, tip: str) -> None:
        self._titles[name].value = markup('<span class="dlcnb-muted" title="{}">{}</span>', tip, words)

    def show_for_next(self, under_way: bool) -> None:
        """Say above the fields that are always seen that they are for the next run, while one is under way."""
        for name in BEGINNER:
            tip = f"For the next training; the one under way keeps its own. {TIPS[name]}" if under_way else TIPS[name]
            self._title(name, f"{name} (next run)" if under_way else name, tip)
            self.fields[name].tooltip = tip

    def show_used(self, used: Mapping[str, Any]) -> None:
        """Show below each field what the run on display was trained with; ``used`` is {name of the setting: value}."""
        for name, line in self._used.items():
            value = used.get(name)
            line.value = "" if value is None else muted(f"this run: {_short(value)}")
            line.layout.display = None if used else "none"

    def _show_device(self, device: str) -> None:
        """Offer a device that was set from Python, too."""
        field = self.fields["device"]
        if isinstance(field, ipywidgets.Dropdown) and device not in [value for _, value in field.options]:
            field.options = [*field.options, (device, device)]
            field.value = device

    def _show_starts(self, starts: Mapping[str, str]) -> None:
        field = self.fields["start_from"]
        chosen, options = self.settings.start_from, list(starts.items())
        if list(field.options) == options:
            return
        field.options = options
        field.value = chosen if chosen in starts.values() else ""


def _wide(width: int) -> ipywidgets.Layout:
    return ipywidgets.Layout(width=f"{width}px")


def _line() -> Html:
    """A line as high whether it says something or not."""
    return Html(layout=ipywidgets.Layout(margin="0", height="20px"))


def _short(value: object) -> str:
    """A setting in few letters: ``0.001``, ``auto``, the name of a file."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, (int, float)) else Path(str(value)).name
