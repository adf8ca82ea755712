"""A project at a glance, without pixels: what is labeled, trained, evaluated and analyzed, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dlcnb.evaluate.verdict import SHORT, trained_shortly
from dlcnb.trainset import PRESETS
from dlcnb.trainset.cautions import FEW
from dlcnb.widgets.studio import networks

if TYPE_CHECKING:
    pass

__all__ = ["GO_ON", "LONGER", "LONGEST", "STEPS", "TABS", "Overview"]

# what a Studio can show, in the order of the work: name -> what it is for
TABS = {
    "Frames": "choose frames of the videos to label",
    "Label": "place the bodyparts",
    "Check": "look at all labels, the oddest first",
    "Train": "train a network and watch it",
    "Evaluate": "see how good the network is",
    "Trajectories": "analyze videos and look at what was found",
    "Zones": "draw zones on a frame, set how many pixels are a centimetre",
    "Map": "see frames around a bodypart, alike ones side by side",
    "Report": "write all of it on one page, with a text for Methods",
    "Refine": "correct frames that the network got wrong",
    "Bodyparts": "rename, add and remove bodyparts, edit the skeleton",
}
STEPS = {  # step of the work -> which of it are inside; the bodyparts are behind the gear
    "Videos and frames": ("Frames",),
    "Label": ("Label", "Check"),
    "Train": ("Train",),
    "Evaluate": ("Evaluate",),
    "Look": ("Trajectories", "Zones", "Map", "Report"),
    "Refine": ("Refine",),
}
CAUTIOUS = ("Trajectories", "Refine")  # say of poses that their network is not good, and what it is worth
LONGER = PRESETS["quick"]["minutes"]  # of training, offered beside more labels
GO_ON = ("Train", "go on with the training")
ANEW = "train with the corrected frames\N{NO-BREAK SPACE}…"  # in *Train*, which offers to go on from the one before
_LONGER = ("Train", f"train {LONGER:g} minutes")
_EVALUATE = ("Evaluate", "evaluate the network")
WAIT = {  # one of `TABS` -> the next step, where what is to be done there is under way
    "Frames": "wait for the frames",
    "Train": "wait for the training",
    "Evaluate": "wait for the evaluation",
    "Trajectories": "wait for the analysis",
    "Refine": "wait for the frames",
}
MANY, MANY_OF = 5, 0.2  # frames labeled since a training, and their share, from which on another one is advised
SEE_POSES = "or see its poses: Look\N{NO-BREAK SPACE}→\N{NO-BREAK SPACE}Analyze"  # said of a bad network
LONGEST = 24  # letters of a name that is shown whole
NEAR_IN_BRIEF = "are within 5 % of the animal's size", "within 5 %"  # of a verdict, where there is little room


@dataclass(frozen=True)
class Overview:
    """The state of a project in numbers.

    Attributes
    ----------
    videos, analyzed : int
        Videos of the project, and those of them with a table of poses.
    missing : tuple of str
        Names of the project's videos that are not where they should be.
    extracted, labeled, in_work : int
        Frames extracted for labeling, those that are done, those that are begun.
    trained : int
        Runs of this iteration that have a snapshot.
    since : int
        Frames labeled that the newest of these runs knows nothing of.
    training : bool
        Whether a run of this iteration is under way.
    evaluating, analyzing : bool
        Whether a network is being evaluated, a video analyzed.
    evaluated : bool
        Whether the last run of this iteration is.
    error_px : float or None
        Of the newest network's last evaluation: mean test error, px (train error where there were no test frames).
    level, verdict : str
        What that evaluation says the network is worth, in one word and in one line; empty if it is not known.
    outliers, refined : int
        Outlier frames extracted in this iteration, and those of them that are labeled.
    iteration : int
    steps : int
        Of training, that the newest network has behind it, those of a network that it goes on from, too.
    halted : str
        How its training ended, if it is the newest one and better gone on with (see `networks.halted`).
    picked : int
        Frames picked in the list of frames and not extracted yet.
    minutes : float
        How long a training would be that is started now; 0 where its steps end it.
    older : int
        Videos whose poses are of an older network than the newest one.
    renew : bool
        Whether these are better analyzed again: the newest network is usable, no worse, and not trained now.
    at_work : str
        The one of `TABS` whose widget chooses or extracts frames now; empty if none does.
    """

    videos: int = 0
    analyzed: int = 0
    extracted: int = 0
    labeled: int = 0
    in_work: int = 0
    trained: int = 0
    since: int = 0
    training: bool = False
    evaluating: bool = False
    analyzing: bool = False
    evaluated: bool = False
    error_px: float | None = None
    level: str = ""
    verdict: str = ""
    outliers: int = 0
    refined: int = 0
    iteration: int = 0
    steps: int = 0
    halted: str = ""
    picked: int = 0
    minutes: float = LONGER
    older: int = 0
    renew: bool = False
    at_work: str = ""
    missing: tuple[str, ...] = ()

    @property
    def next_step(self) -> tuple[str, str]:
        """``(tab, what to do there)``: a name of `TABS`, and words; what is under way already is waited for."""
        tab, words = self._wanted
        return (tab, WAIT[tab]) if tab in self._under_way else (tab, words)

    @property
    def awaited(self) -> str:
        """The one of `TABS` whose work is waited for; empty if there is something to do."""
        tab, words = self.next_step
        return tab if words == WAIT.get(tab) else ""

    @property
    def _under_way(self) -> set[str]:
        running = {"Train": self.training, "Evaluate": self.evaluating, "Trajectories": self.analyzing}
        return {tab for tab in WAIT if running.get(tab) or tab == self.at_work}

    @property
    def _wanted(self) -> tuple[str, str]:
        """What is to be done next, if nobody does it yet."""
        first = self.iteration == 0
        open_frames = self.extracted - self.labeled
        extract = f"extract {_count(self.picked, 'frame')}"
        steps = (
            (not self.videos and self.missing, "Frames", f"put {_few(self.missing)} back"),
            (not self.videos, "Frames", "add a video to the project"),
            (not self.extracted and self.picked, "Frames", extract),
            (not self.extracted, "Frames", "choose frames to label, and extract them"),
            (self.training, "Train", WAIT["Train"]),
            (self.outliers > self.refined, "Label", f"correct {_count(self.outliers - self.refined, 'outlier frame')}"),
            (self.outliers > 0, "Refine", f"merge {_count(self.refined, 'corrected frame')} for the next training"),
            (not self.labeled, "Label", f"label {_count(open_frames, 'frame')}"),
            (open_frames and not self.trained and first, "Label", f"label {_count(open_frames, 'more frame')}"),
            (not self.trained, "Train", f"train {self._minutes or 'a network'}" if first else ANEW),
            (self.evaluating and not self.evaluated, *_EVALUATE),
            (self.halted and not self.evaluated, *GO_ON),
            (self.many_since, "Train", f"train anew with {_count(self.since, 'more frame')}"),
            (not self.evaluated, *_EVALUATE),
            (self.level in networks.BAD and trained_shortly(self.steps, self.labeled), *_LONGER),
            (self.level in networks.BAD, *self._more_labels),
            (self.analyzed < self.videos, "Trajectories", f"analyze {_count(self.videos - self.analyzed, 'video')}"),
            (self.renew, "Trajectories", f"analyze {_count(self.older, 'video')} again with the new network"),
        )
        default = ("Refine", "look for frames that the network got wrong")
        return next(((tab, text) for found, tab, text in steps if found), default)

    @property
    def other_step(self) -> tuple[str, str]:
        """What may be done instead, as `next_step` has it, where a network is bad or halted, or frames enough for a
        first one are labeled; else two empty words.

        More labels are the advice, and a longer training what else may help; the other way round where the training was
        short and the labels are enough.
        """
        step = self.next_step
        if step == GO_ON or (self.many_since and not self.awaited and not self.evaluated):
            return _EVALUATE
        if step[0] == "Label" and FEW <= self.labeled < self.extracted and not (self.trained or self.iteration):
            return "Train", f"train {self._minutes or 'now'} with the {self.labeled} labeled"
        if self.judged_bad and step == _LONGER:
            return self._more_labels
        return _LONGER if self.judged_bad and not self.awaited and step[0] in ("Label", "Frames") else ("", "")

    @property
    def judged_bad(self) -> bool:
        """Whether the newest network is evaluated and of no use yet."""
        return bool(self.trained and self.evaluated and not self.training and self.level in networks.BAD)

    @property
    def many_since(self) -> bool:
        """Whether so many frames were labeled since that the newest network is better trained anew."""
        return bool(self.trained) and self.since >= max(MANY, MANY_OF * self.labeled)

    @property
    def doubt(self) -> str:
        """Why the newest network is no step that is done, in words; empty if it is one, or there is none yet."""
        if not self.trained or self.training:
            return ""
        if self.judged_bad:
            return self.verdict.split(";")[0] or self.level
        if self.halted and not self.evaluated:
            return f"training {self.halted} after {_count(self.steps, 'step')}"
        shortly = not self.evaluated and self.steps < SHORT
        return f"trained for {_count(self.steps, 'step')} only" if shortly else ""

    @property
    def _minutes(self) -> str:
        return f"{self.minutes:g} minute{'s' * (self.minutes != 1)}" if self.minutes else ""

    @property
    def _more_labels(self) -> tuple[str, str]:
        if open_frames := self.extracted - self.labeled:
            return "Label", f"label {_count(open_frames, 'more frame')}"
        if self.picked:
            return "Frames", f"extract {_count(self.picked, 'frame')}"
        return "Frames", "choose more frames to label, different ones"

    @property
    def titles(self) -> dict[str, str]:
        """Each of `STEPS` with its state: "Label 12/20", "Train ✓"; "Train !" where its network is of no use yet."""
        look, refine = f"{self.analyzed}/{self.videos}", f"{self.refined}/{self.outliers}"
        states = {
            "Videos and frames": "!" if self.missing else "✓" if self.extracted else "",
            "Label": f"{self.labeled}/{self.extracted}" if self.extracted else "",
            "Train": "…" if self.training else "!" if self.doubt else "✓" if self.trained else "",
            "Evaluate": "…" if self.evaluating else "✓" if self.evaluated else "",
            "Look": "…" if self.analyzing else "!" if self.renew else look if self.analyzed else "",
            "Refine": refine if self.outliers else "",
        }
        return {step: f"{step} {state}".rstrip() for step, state in states.items()}

    @property
    def captions(self) -> dict[str, str]:
        """What each of `STEPS` is for, and what its state means, in words."""
        look = f"{self.analyzed} of {self.videos} videos analyzed{self._of_older}"
        states = {
            "Videos and frames": f"missing: {', '.join(self.missing)}" if self.missing else "",
            "Label": f"{self.labeled} of {_count(self.extracted, 'frame')} labeled" if self.extracted else "",
            "Train": "a network is trained now" if self.training else self.doubt,
            "Evaluate": "the network is evaluated now" if self.evaluating else "",
            "Look": "an analysis is under way" if self.analyzing else look,
            "Refine": f"{self.refined} of {_count(self.outliers, 'outlier frame')} corrected" if self.outliers else "",
        }
        told = {step: [TABS[names[0]], states.get(step, "")] for step, names in STEPS.items()}
        return {step: f"{step}: {'; '.join(filter(None, words))}" for step, words in told.items()}

    def beside(self, tab: str) -> Overview:
        """The same as the line on top says it: with the beginning of a verdict that the open ``tab`` tells whole."""
        whole = tab == "Evaluate" or (tab in CAUTIOUS and self.level != "good")
        return replace(self, verdict=f"network {self.verdict.partition(':')[0]}") if self.level and whole else self

    @property
    def summary(self) -> str:
        """The state in one line: "12 of 40 frames labeled; usable: 72 % of the points are ...; 2 videos analyzed".

        Of the verdict it has the beginning; all of it stands under Evaluate.
        """
        return "; ".join(words for words, _ in self._parts())

    @property
    def brief(self) -> str:
        """Of the `summary` what the titles of the steps do not say, or its beginning."""
        parts = self._parts(brief=True)
        return "; ".join([words for words, titled in parts if not titled] or [words for words, _ in parts[:1]])

    def _parts(self, brief: bool = False) -> list[tuple[str, bool]]:
        """What the `summary` is made of, and whether the `titles` say it, too; ``brief``: in fewer words."""
        parts: list[tuple[str, bool]] = []
        if not self.analyzed and (self.videos or not self.missing):
            parts.append((_count(self.videos, "video"), True))
        if self.missing:
            parts.append((f"missing: {_few(self.missing)}", False))
        few = ", few to learn from" if 0 < self.labeled < FEW and not self.trained else ""
        labeled = f"{self.labeled} of {_count(self.extracted, 'frame')} labeled{few}"
        parts.append((labeled, not few) if self.extracted else ("no frames extracted", False))
        if worth := self._worth:
            parts.append((worth.replace(*NEAR_IN_BRIEF) if brief else worth, False))
        if self.judged_bad and not (self.analyzed or self.analyzing):
            parts.append((SEE_POSES, False))
        if self.analyzed:
            rest = f" of {self.videos}" if self.analyzed < self.videos else ""
            many = "s" * (max(self.analyzed, self.videos) > 1)
            parts.append((f"{self.analyzed}{rest} video{many} analyzed{self._of_older}", True))
        if self.outliers:
            parts.append((f"{self.refined} of {_count(self.outliers, 'outlier frame')} corrected", True))
        if self.iteration:
            parts.append((self._round(brief), False))
        return parts

    def _round(self, brief: bool) -> str:
        """What is said of an iteration that a merge has begun."""
        name = f"iteration {self.iteration}"
        if brief and self.trained:
            return name
        begun = "" if self.trained else " has begun"
        told = "" if self.trained or brief else ": its network will be trained with the corrected frames, too"
        return f"{name} (round of corrections){begun}{told}"

    @property
    def _of_older(self) -> str:
        """What is to be said of videos that an older network analyzed; empty if there are none."""
        if not self.older:
            return ""
        return f", {self.older} of them by an older network" if self.analyzed > 1 else ", by an older network"

    @property
    def _worth(self) -> str:
        """What is known of the newest network; empty if there is none."""
        if self.verdict:
            return self.verdict.split(";")[0]
        if self.error_px is not None:
            return f"last error {self.error_px:.1f} px"
        return ", ".join(filter(None, [self.doubt, "not evaluated"])) if self.trained else ""


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _few(names: tuple[str, ...]) -> str:
    """The name of one video, without its middle if it is long, or how many there are."""
    if len(names) != 1:
        return _count(len(names), "video")
    (name,) = names
    return name if len(name) <= LONGEST else f"{name[:11]}…{name[-12:]}"
