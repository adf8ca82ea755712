"""The parts of a report in words and tables, from the facts of `dlcnb.report.facts`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from dlcnb.evaluate.summary import px_text
from dlcnb.evaluate.verdict import near_words
from dlcnb.report.networks import others
from dlcnb.report.tags import listed, table, tag, tags

__all__ = ["cards", "labels", "network", "project", "videos", "zones"]

Data = Mapping[str, Any]
_FIRST = "the first bodypart of the project that is sure enough, or else the surest"  # see `dlcnb.report.zones`
_JITTER = "Distances and speeds are of poses as they were found, not filtered: their jitter makes them too large."


def cards(data: Data) -> Markup:
    """The few numbers that are looked for first."""
    found: list[tuple[str, str]] = []
    if data["labels"]:
        found.append((str(data["labels"]["frames"]), "labeled frames"))
    evaluation = (data["network"] or {}).get("evaluation")
    if evaluation and evaluation["test"]["mean_px"] is not None:
        found.append((f"{px_text(evaluation['test']['mean_px'])} px", "mean error on test frames"))
    if evaluation and evaluation["pck5"] is not None:
        near = near_words(evaluation["animal_px"])
        found.append((f"{100 * evaluation['pck5']:.0f} %", f"of these points within {near}"))
    done = [v for v in data["videos"] if v["poses"] and v["poses"]["sure_share"] is not None]
    if done:
        frames = sum(v["frames"] for v in done)
        share = sum(v["poses"]["sure_share"] * v["frames"] for v in done) / frames
        whose = " (not all by this network)" if others(data) else ""
        many = "s" * (len(done) > 1)
        found.append((f"{100 * share:.1f} %", f"sure points in {len(done)} analyzed video{many}{whose}"))
    return tag("div", tags(*(tag("div", tags(tag("b", n), what), class_="card") for n, what in found)), class_="cards")


def project(data: Data) -> Markup:
    """What the project is, and what it was made with."""
    found = data["project"]
    rows = [
        ("folder", found["folder"]),
        ("scorer", found["scorer"]),
        ("begun", found["date"]),
        ("iteration", found["iteration"]),
        ("bodyparts", ", ".join(found["bodyparts"])),
        ("bones of the skeleton", found["bones"]),
        ("pcutoff", f"{found['pcutoff']:g}"),
        *data["versions"].items(),
    ]
    return table(("", ""), rows, text=True)


def labels(data: Data) -> Markup:
    """Who labeled what, and how far two labelings of the same frames differ."""
    found = data["labels"]
    if not found:
        return Markup()
    twice = found["variability"]
    spread = {} if twice is None else twice["bodyparts"]
    heads = ("bodypart", "labeled points", *(("two people differ by, px",) if spread else ()))
    rows = [
        (part, count, *((_px((spread.get(part) or {}).get("mean_px")),) if spread else ()))
        for part, count in found["points"].items()
    ]
    told = Markup()
    if twice is not None:
        told = tag(
            "p",
            f"{twice['scorers'][0]} and {twice['scorers'][1]} labeled the same {twice['frames']} "
            f"frame{'s' * (twice['frames'] != 1)}: "
            f"{_px(twice['mean_px'])} px apart on average, {_px(twice['rms_px'])} px r.m.s.",
        )
    return tags(
        _side_by_side(
            table(("labeled by", "frames"), found["scorers"].items()),
            table(heads, rows),
            table(("video", f"frames by {found['scorer']}"), found["videos"].items()),
        ),
        told,
    )


def network(data: Data) -> Markup:
    """How it was trained, what was decided and why, its errors, and what they are worth."""
    found = data["network"]
    if not found:
        return Markup()
    frames, seconds = found["frames"], found["seconds"]
    rows = [
        ("run", f"shuffle {found['shuffle']} of iteration {found['iteration']}"),
        ("backbone", found["backbone"]),
        ("began from", found["began_from"] or "unknown"),
        ("trained", f"{found['steps']} steps" + ("" if seconds is None else f" in {seconds / 60:.1f} min")),
        ("snapshot taken", found["taken"] or f"step {found['step']}"),
        ("frames", f"{frames['train']} trained on, {frames['validation']} validation, {frames['test']} test"),
        ("batch, input scale", f"{_number(found['batch_size'])}, {_number(found['input_scale'])}"),
        ("optimizer", found["optimizer"] + _rate(found["learning_rate"])),
    ]
    parts = [_errors(found["evaluation"]), _side_by_side(_by_bodypart(found), table(("", ""), rows, text=True))]
    if found["decisions"]:
        parts += [tag("h3", "What was decided from the labels, and why"), listed(found["decisions"])]
    return tags(*parts)


def _errors(found: Data | None) -> Markup:
    if not found:
        return Markup()
    sets = [("train", found["train"]), ("test", found["test"])]
    sets.append((f"test, likelihood ≥ {found['pcutoff']:g}", found["test_pcutoff"]))
    rows = [
        (name, one["n"], _px(one["mean_px"]), _interval(one.get("ci95")), _px(one["rms_px"]), _px(one["median_px"]))
        for name, one in sets
    ]
    return tags(
        tag("p", found["verdict"]["text"], class_="verdict"),
        *(tag("p", line, class_="soft") for line in [found["left_out"]] if line),
        table(("frames", "points", "mean px", "95 % interval", "r.m.s. px", "median px"), rows),
    )


def _by_bodypart(found: Data) -> Markup:
    parts = (found["evaluation"] or {"bodyparts": {}})["bodyparts"]
    rows = [(name, _px(one["train_mean_px"]), _px(one["test_mean_px"])) for name, one in parts.items()]
    return table(("bodypart", "train, mean px", "test, mean px"), rows)


def videos(data: Data) -> Markup:
    """Each video, and what its poses are worth."""
    if not data["videos"]:
        return Markup()
    rows = [
        (v["video"], v["frames"], _clock(v["seconds"]), f"{v['fps']:.4g}{' (varies)' * v['is_vfr']}",
         f"{v['size'][1]}×{v['size'][0]}", v["scale"] or "–")
        for v in data["videos"]
    ]  # fmt: skip
    parts = [table(("video", "frames", "length", "frames/s", "size px", "scale"), rows)]
    done = [v for v in data["videos"] if v["poses"]]
    if done:
        cutoff = f"{data['project']['pcutoff']:g}"
        heads = ("poses", "network", "sure points", "all sure", "empty frames", "least sure bodypart", "longest gap")
        parts += [
            *(tag("p", line, class_="verdict") for line in [others(data)] if line),
            tag("h3", f"How sure the poses are (likelihood of at least {cutoff})"),
            table(heads, map(_quality, done)),
            *(tag("p", line) for line in map(_of_several, done) if line),
            tag("p", "All sure: frames in which every bodypart is sure. Gap: a time in which one of them is not.",
                class_="soft"),
        ]  # fmt: skip
    return tags(*parts)


def _of_several(video: Data) -> str:
    """A line about the poses of an ensemble; nothing for those of one network."""
    found = video["poses"]
    if found["networks"] < 2:
        return ""
    apart = "" if found["spread_px"] is None else f", {px_text(found['spread_px'])} px apart (s.d. along each axis)"
    return f"{video['video']}: the median of {found['networks']} networks{apart}."


def _quality(video: Data) -> tuple[str, ...]:
    found = video["poses"]
    shares = {name: one["sure_share"] for name, one in found["bodyparts"].items() if one["sure_share"] is not None}
    least = min(shares, key=lambda name: shares[name], default=None)
    part, gap = max(found["bodyparts"].items(), key=lambda item: item[1]["longest_gap_s"])
    longest = (
        f"{part}: {gap['longest_gap_s']:.2f} s from {_clock(gap['gap_from_s'])} on" if gap["longest_gap_s"] else "–"
    )
    return (
        video["video"],
        "that of this report" if found["told"] else " and ".join(found["made_by"]).replace("the network of ", ""),
        _percent(found["sure_share"]),
        _percent(found["all_sure_share"]),
        str(found["empty_frames"]),
        "–" if least is None else f"{least}: {_percent(shares[least])}",
        longest,
    )


def zones(data: Data) -> Markup:
    """What one bodypart of each video did in the zones."""
    parts = []
    for one in data["zones"]:
        unit = one["unit"]
        heads = ("zone", "time s", "share", "entries", "first after s", f"distance {unit}", f"mean {unit}/s")
        rows = [
            (row["zone"], f"{row['time_s']:.2f}", _percent(row["time_share"]), row["entries"],
             *(_px(row[key]) for key in ("latency_s", f"distance_{unit}", f"mean_speed_{unit}_s")))
            for row in one["zones"]
        ]  # fmt: skip
        parts += [tag("h3", f"{one['video']}: {one['bodypart']}"), table(heads, rows)]
    return tags(tag("p", _whose(data["zones"])), *parts, tag("p", _JITTER, class_="soft")) if parts else tags()


def _whose(found: Sequence[Data]) -> str:
    """Which bodyparts the times in zones are of, and why."""
    videos: dict[str, list[str]] = {}
    for one in found:
        videos.setdefault(one["bodypart"], []).append(one["video"])
    if len(videos) == 1:
        return f"All numbers are of the {found[0]['bodypart']}: {_FIRST}."
    parts = "; ".join(f"{part} in {', '.join(names)}" for part, names in videos.items())
    return (
        f"The numbers are of different bodyparts, in each video {_FIRST}: {parts}. Compare only videos of one bodypart."
    )


def _side_by_side(*tables: Markup) -> Markup:
    return tag("div", tags(*tables), class_="tables")


def _px(value: float | None) -> str:
    return "–" if value is None or value != value else px_text(value)


def _percent(value: float | None) -> str:
    return "–" if value is None or value != value else f"{100 * value:.1f} %"


def _interval(found: Any) -> str:
    return "–" if not found or found[0] is None else f"{px_text(found[0])}–{px_text(found[1])}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _rate(value: float | None) -> str:
    return ", rate by schedule" if value is None else f", rate {value:g}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{int(minutes)}:{rest:04.1f}"
