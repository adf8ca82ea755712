"""The sentences for a paper's Methods section, filled in with the numbers of a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from dlcnb.evaluate.summary import px_text

__all__ = ["methods", "references"]

_DEEPLABCUT = (
    "Mathis A, Mamidanna P, Cury KM, Abe T, Murthy VN, Mathis MW, Bethge M. DeepLabCut: markerless pose estimation of "
    "user-defined body parts with deep learning. Nature Neuroscience 21, 1281–1289 (2018). "
    "doi:10.1038/s41593-018-0209-y"
)
_ENSEMBLES = (
    "Biderman D, Whiteway MR, Hurwitz C, et al. Lightning Pose: improved animal pose estimation via semi-supervised "
    "learning, Bayesian ensembling and cloud-native open-source tools. Nature Methods 21, 1316–1328 (2024). "
    "doi:10.1038/s41592-024-02319-1"
)
_KNOWN = "; the network that it began with may have been trained on some of the test frames"
_NETWORKS = {
    "efficientnet-lite0": "EfficientNet-Lite0",
    "resnet-50": "ResNet-50",
    "resnet-101": "ResNet-101",
}


def methods(data: Mapping[str, Any]) -> str:
    """The Methods text for the facts of a project (``data`` of `dlcnb.report.Facts`); what is not known is not said."""
    parts = [_software(data), _labels(data), _training(data), _errors(data), _videos(data), _zones(data)]
    return " ".join(part for part in parts if part)


def references(data: Mapping[str, Any]) -> list[str]:
    """What to cite for what was done."""
    several = any(video["poses"] and video["poses"]["networks"] > 1 for video in data["videos"])
    return [_DEEPLABCUT, *([_ENSEMBLES] if several else [])]


def _software(data: Mapping[str, Any]) -> str:
    versions, count = data["versions"], len(data["project"]["bodyparts"])
    engine = f" on Apache MXNet {versions['mxnet']}" if "mxnet" in versions else ""
    return (
        f"Poses were estimated with dlcnb (version {versions['dlcnb']}), an implementation of DeepLabCut (Mathis et "
        f"al., 2018){engine}; it finds {_count(count, 'bodypart')} ({', '.join(data['project']['bodyparts'])})."
    )


def _labels(data: Mapping[str, Any]) -> str:
    found = data["labels"]
    if not found:
        return ""
    frames, videos = found["frames"], _count(len(found["videos"]), "video")
    text = f"{_count(frames, 'frame')} of {videos} {_were(frames)} labeled by hand"
    twice = found["variability"]
    if twice and twice["mean_px"] is not None:
        text += (
            f"; {_count(twice['frames'], 'frame')} {_were(twice['frames'])} labeled twice, and the two labels of a "
            f"bodypart lay {px_text(twice['mean_px'])} px apart on average (human variability)"
        )
    return f"{text}."


def _training(data: Mapping[str, Any]) -> str:
    found = data["network"]
    if not found:
        return ""
    frames = found["frames"]
    name = _NETWORKS.get(found["backbone"], found["backbone"])
    known = {"imagenet": " initialized with ImageNet weights", "random": " initialized with random weights"}
    earlier = " initialized with the weights of an earlier network" if _began_earlier(found) else ""
    began = known.get(str(found["began_from"]), earlier)
    kept = frames["validation"]
    held = f", with {kept} other{'s' * (kept != 1)} held out to choose the snapshot" if kept else ""
    trained = _count(frames["train"], "frame")
    return (
        f"A network based on {name}{began} was trained for {found['steps']} steps on {trained}{held}; "
        f"the weights of step {found['step']} were used."
    )


def _errors(data: Mapping[str, Any]) -> str:
    found = (data["network"] or {}).get("evaluation")
    if not found or found["train"]["mean_px"] is found["test"]["mean_px"] is None:
        return ""
    said = []
    if found["test"]["mean_px"] is not None:
        low, high = found["test"]["ci95"]
        interval = "" if low is None else f", 95 % confidence interval {px_text(low)}–{px_text(high)} px"
        said.append(
            f"{px_text(found['test']['mean_px'])} px on test frames ({_count(found['test']['n'], 'point')}{interval})"
        )
    if found["train"]["mean_px"] is not None:
        said.append(f"{px_text(found['train']['mean_px'])} px on training frames")
    other = "" if found["step"] == data["network"]["step"] else f" (weights of step {found['step']})"
    size = "" if found["animal_px"] is None else f"; the animal's labels span {px_text(found['animal_px'], 0)} px"
    known = "" if not _began_earlier(data["network"]) else _KNOWN
    return f"The mean distance of its predictions{other} from the labels was {' and '.join(said)}{size}{known}."


def _began_earlier(network: Mapping[str, Any]) -> bool:
    """Whether it began with the weights of another training on this animal."""
    return str(network["began_from"] or "random") not in ("imagenet", "random")


def _videos(data: Mapping[str, Any]) -> str:
    """Who analyzed which videos, a sentence for each network; the one that was told comes first."""
    done = sorted((v for v in data["videos"] if v["poses"]), key=_whose)
    if not done:
        return ""
    groups = [list(group) for _, group in groupby(done, key=_whose)]
    said = [_analyzed(data, group, whole=len(groups) == 1) for group in groups]
    frames = sum(v["frames"] for v in done)
    share = sum(v["poses"]["sure_share"] * v["frames"] for v in done if v["poses"]["sure_share"] is not None)
    return (
        f"{' '.join(said)} Points of a likelihood below {data['project']['pcutoff']:g} were left out; "
        f"{100 * share / max(frames, 1):.1f} % were above it."
    )


def _whose(video: Mapping[str, Any]) -> tuple[bool, bool, int, list[str]]:
    """What is the same for videos of one network, or ensemble; first the one that was told."""
    poses = video["poses"]
    return not poses["told"], not poses["ours"], poses["networks"], poses["made_by"]


def _analyzed(data: Mapping[str, Any], videos: Sequence[Mapping[str, Any]], whole: bool) -> str:
    """The sentence for the videos of one network; ``whole``: there is no other."""
    poses, count = videos[0]["poses"], _count(len(videos), "video")
    names = "" if whole else f" ({', '.join(v['video'] for v in videos)})"
    made_by = " and ".join(poses["made_by"])
    if poses["networks"] > 1:
        who = _several(videos)
        which = "" if poses["told"] or not data["network"] else f", not the network described above but {made_by},"
        return f"{who}{which} analyzed {count}{names} ({_lengths(videos)})."
    if not poses["ours"]:
        whose = f"not of a network of this project (scorer {poses['scorer']})"
        return f"The poses of {count}{names} ({_lengths(videos)}) are {whose}."
    if poses["told"] or not data["network"]:
        who = "The network" if poses["told"] else made_by[:1].upper() + made_by[1:]
        return f"{who} analyzed {count}{names} ({_lengths(videos)})."
    return (
        f"Not the network described above but another one, {made_by}, analyzed {count}{names} ({_lengths(videos)}); "
        "the training and the errors above are not those of that network."
    )


def _lengths(videos: Sequence[Mapping[str, Any]]) -> str:
    """How long videos are, in frames and time, and how large their frames."""
    seconds, frames = sum(v["seconds"] for v in videos), sum(v["frames"] for v in videos)
    length = f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"
    sizes = sorted({(v["size"][1], v["size"][0]) for v in videos})
    rates = sorted({round(v["fps"], 2) for v in videos})
    shape = ", ".join(f"{width}×{height} px" for width, height in sizes)
    return f"{frames} frames, {length}, {' and '.join(f'{rate:g}' for rate in rates)} frames/s, {shape}"


def _several(videos: Sequence[Mapping[str, Any]]) -> str:
    """The beginning of a sentence about what an ensemble did."""
    found = [video["poses"] for video in videos]
    apart = [poses["spread_px"] for poses in found if poses["spread_px"] is not None]
    how_far = f" (they lay {px_text(sum(apart) / len(apart))} px apart, s.d. along each axis)" if apart else ""
    return (
        f"The median of the points of {found[0]['networks']} networks was taken{how_far}, as in ensembles (Biderman et "
        "al., 2024). They"
    )


def _zones(data: Mapping[str, Any]) -> str:
    scales = sorted({v["scale"] for v in data["videos"] if v["scale"]})
    text = f"Lengths in centimetres follow from the scale {' and '.join(scales)}. " if scales else ""
    found = data["zones"]
    if not found:
        return text.strip()
    names = list(dict.fromkeys(row["zone"] for one in found for row in one["zones"]))
    parts = ", ".join(dict.fromkeys(one["bodypart"] for one in found))
    stay = found[0]["zones"][0]["min_stay_s"]
    return (
        f"{text}Stays of the {parts} in {_count(len(names), 'zone')} ({', '.join(names)}) were counted from {stay:g} s "
        "on, so that a point that jitters over an edge is one entry; distances are of points that were not filtered."
    )


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
