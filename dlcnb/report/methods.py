"""The sentences for a paper's Methods section, filled in with the numbers of a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    began = {"imagenet": " initialized with ImageNet weights", "random": " initialized with random weights"}.get(
        str(found["began_from"]), " initialized with the weights of an earlier network" if found["began_from"] else ""
    )
    kept = frames["validation"]
    held = f", of which {kept} {_were(kept)} held out to choose the snapshot" if kept else ""
    trained = frames["train"] + frames["validation"]
    return (
        f"A network based on {name}{began} was trained for {found['steps']} steps on {_count(trained, 'frame')}{held}; "
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
    return f"The mean distance of its predictions{other} from the labels was {' and '.join(said)}{size}."


def _videos(data: Mapping[str, Any]) -> str:
    done = [video for video in data["videos"] if video["poses"]]
    if not done:
        return ""
    seconds, frames = sum(v["seconds"] for v in done), sum(v["frames"] for v in done)
    length = f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"
    sizes = sorted({(v["size"][1], v["size"][0]) for v in done})
    rates = sorted({round(v["fps"], 2) for v in done})
    shape = ", ".join(f"{width}×{height} px" for width, height in sizes)
    share = sum(v["poses"]["sure_share"] * v["frames"] for v in done if v["poses"]["sure_share"] is not None)
    return (
        f"{_networks(done)} analyzed {_count(len(done), 'video')} ({frames} frames, {length}, "
        f"{' and '.join(f'{rate:g}' for rate in rates)} frames/s, {shape}). Points of a likelihood below "
        f"{data['project']['pcutoff']:g} were left out; {100 * share / max(frames, 1):.1f} % were above it."
    )


def _networks(done: Sequence[Mapping[str, Any]]) -> str:
    """Who analyzed the videos: the network, or an ensemble."""
    several = [video["poses"] for video in done if video["poses"]["networks"] > 1]
    if not several:
        return "The network"
    counts = " or ".join(map(str, sorted({poses["networks"] for poses in several})))
    apart = [poses["spread_px"] for poses in several if poses["spread_px"] is not None]
    how_far = f" (they lay {px_text(sum(apart) / len(apart))} px apart, s.d. along each axis)" if apart else ""
    some = "" if len(several) == len(done) else f" for {_count(len(several), 'video')}"
    return (
        f"The median of the points of {counts} networks was taken{some}{how_far}, as in ensembles (Biderman et al., "
        f"2024). {'They' if not some else 'Together with those of one network they'}"
    )


def _zones(data: Mapping[str, Any]) -> str:
    scales = sorted({v["scale"] for v in data["videos"] if v["scale"]})
    text = f"Lengths in centimetres follow from the scale {' and '.join(scales)}. " if scales else ""
    found = data["zones"]
    if not found:
        return text.strip()
    names = list(dict.fromkeys(row["zone"] for one in found for row in one["zones"]))
    stay = found[0]["zones"][0]["min_stay_s"]
    return (
        f"{text}Stays in {_count(len(names), 'zone')} ({', '.join(names)}) were counted from {stay:g} s on, so that a "
        "point that jitters over an edge is one entry."
    )


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
