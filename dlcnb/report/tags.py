"""HTML of a report: whatever is put into it is escaped, but what is `Markup` already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

__all__ = ["Section", "listed", "section", "table", "tag", "tags"]


def tag(name: str, inside: object, **attributes: str | None) -> Markup:
    """An element; ``class_`` stands for class, and attributes that are None are left out.

    >>> print(tag("b", "<img>", class_="x"))
    <b class="x">&lt;img&gt;</b>
    """
    given = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_"), value) for key, value in attributes.items() if value is not None
    )
    return Markup("<{0}{1}>{2}</{0}>").format(name, given, inside)


def tags(*parts: object) -> Markup:
    """Elements one below the other."""
    return Markup("\n").join(escape(part) for part in parts if part)


def listed(lines: Sequence[str]) -> Markup:
    """A list of lines; nothing where there are none."""
    return tag("ul", tags(*(tag("li", line) for line in lines))) if lines else Markup()


def table(heads: Sequence[object], rows: Iterable[Sequence[object]], *, text: bool = False) -> Markup:
    """A table whose rows begin with a head; ``text`` = all columns to the left."""
    lines = [
        tag("tr", tags(tag("th", row[0], scope="row"), *(Markup("<td>{}</td>").format(cell) for cell in row[1:])))
        for row in rows
    ]
    if not lines:
        return Markup()
    first = tag("thead", tag("tr", tags(*(Markup('<th scope="col">{}</th>').format(head) for head in heads))))
    whole = tags(first if any(heads) else "", tag("tbody", tags(*lines)))
    return tag("div", tag("table", whole, class_="text" if text else None), class_="scroll")


@dataclass(frozen=True)
class Section:
    """A part of the page, with a heading and an anchor."""

    name: str
    title: str
    body: Markup

    @property
    def html(self) -> Markup:
        """The whole element."""
        return tag("section", tags(tag("h2", self.title), self.body), id=self.name)


def section(name: str, title: str, *parts: Markup) -> Section:
    """A `Section`; it is empty where all parts are."""
    return Section(name, title, escape(tags(*parts)))
