"""The report as one HTML file: what a project brings along is escaped, and nothing is fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from dlcnb.files import StrPath, atomic_write, check_writable
from dlcnb.report.facts import Facts
from dlcnb.report.figures import Picture, network_pictures, video_pictures, zone_pictures
from dlcnb.report.methods import references
from dlcnb.report.networks import others
from dlcnb.report.parts import cards, labels, network, project, videos, zones
from dlcnb.report.tags import listed, section, tag, tags

__all__ = ["Where", "checked_path", "page", "write_report"]

MOST = 6  # videos whose figures are in the report
_PAGE = Markup("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
{body}
</body>
</html>
""")


@dataclass(frozen=True)
class Where:
    """Where a reader finds what is not in the report: by commands, or where it was made by something else, by that.

    Attributes
    ----------
    bodyparts : the zones of all bodyparts.
    figures : figures of more videos.
    words : turns a line that names commands into one that does not.
    """

    bodyparts: str = "All bodyparts, as one csv of the experiment: dlcnb zones"
    figures: str = "dlcnb plot"
    words: Callable[[str], str] = str


def write_report(
    facts: Facts, path: StrPath, progress: Callable[[float, str], None] | None = None, where: Where | None = None
) -> Path:
    """Write a report, whole or not at all; returns its path.

    Parameters
    ----------
    facts : of `gather`.
    path : of the .html file, in a folder that exists.
    progress : function (share 0..1, text), optional.
    where : what the report refers to; commands by default.

    Raises
    ------
    ValueError
        The path does not end in .html.
    OSError
        It can't be written; as far as that is known before the work, it is told then.
    """
    path = checked_path(path)
    check_writable(path)
    atomic_write(path, page(facts, progress, where))
    return path


def checked_path(path: StrPath) -> Path:
    """The absolute path that a report may have; raises ValueError if it does not end in .html."""
    path = Path(path).absolute()
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"A report is an .html file; {path.name} is not. Give it that ending.")
    return path


def page(facts: Facts, progress: Callable[[float, str], None] | None = None, where: Where | None = None) -> str:
    """The HTML of a report."""
    tell, where = progress or (lambda share, text: None), where or Where()
    data = facts.data
    in_zones = _figures(picture for one in facts.zones[:MOST] for picture in zone_pictures(one))
    more_zones = tag("p", where.bodyparts, class_="soft") if data["zones"] else Markup()
    sections = [
        section("methods", "For the Methods section", _methods(data, where)),
        section("labels", "Labels", labels(data)),
        section("network", "Network", network(data), _figures(network_pictures(facts))),
        section("videos", "Videos", videos(data), _of_videos(facts, tell, where)),
        section("zones", "Zones", zones(data), more_zones, in_zones),
        section("project", "Project and versions", project(data)),
        section("left-out", "Not in this report", listed([where.words(line) for line in facts.left_out])),
    ]
    there = [one for one in sections if one.body]
    links = (tag("a", one.title, href=f"#{one.name}") for one in there)
    head = tags(
        tag("h1", data["project"]["name"]),
        tag("div", f"Report of {data['made']}, made with dlcnb {data['versions']['dlcnb']}", class_="soft"),
        tag("nav", tags(*links)),
        cards(data),
    )
    body = tags(tag("header", head), tag("main", tags(*(one.html for one in there))))
    style = Markup(files("dlcnb.report").joinpath("style.css").read_text(encoding="utf-8"))
    return str(_PAGE.format(title=f"{data['project']['name']}: report", style=style, body=body))


def _methods(data: dict[str, Any], where: Where) -> Markup:
    return tags(
        tag("blockquote", data["methods"]),
        *(tag("p", where.words(line), class_="verdict") for line in [others(data)] if line),
        tag("div", "Check it against what you did, and cite:", class_="soft"),
        listed(references(data)),
    )


def _of_videos(facts: Facts, tell: Callable[[float, str], None], where: Where) -> Markup:
    """The figures of the first videos; of more a line says how to have them."""
    done = [one for one in facts.recorded if one.poses is not None]
    pictures: list[Picture] = []
    for n, one in enumerate(done[:MOST]):
        tell(0.6 + 0.4 * n / min(len(done), MOST), f"drawing {one.name}")
        pictures += video_pictures(one, facts.data["project"]["pcutoff"])
    more = Markup()
    if len(done) > MOST:
        first = f"Figures of the first {MOST} of {len(done)} videos; of the others: {where.figures}"
        more = tag("p", first, class_="soft")
    return tags(_figures(pictures), more)


def _figures(pictures: Iterable[Picture]) -> Markup:
    made = [
        tag(
            "figure",
            tags(
                Markup('<img src="{}" alt="{}">').format(one.source, one.caption),
                tag("figcaption", one.caption),
            ),
            class_="wide" if one.wide else None,
        )
        for one in pictures
    ]
    return tag("div", tags(*made), class_="figures") if made else escape("")
