"""The only way to HTML in the widgets: what is put into a template is escaped, and so is a value that is none.

A name that a project brings along (of a video, an image, a bodypart, a scorer, a run) can hold anything. `Html` shows
it as it is written, whatever it is: only what `markup` made is taken for HTML.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import ipywidgets
import traitlets
from markupsafe import Markup, escape

from dlcnb.widgets.base.advice import in_studio

__all__ = ["Html", "Markup", "heading", "joined", "legend", "markup", "muted", "notice", "shortened", "swatch", "table"]


class Html(ipywidgets.HTML):
    """An `ipywidgets.HTML` that shows text as it is, and as HTML only what `markup` made."""

    @traitlets.validate("value")
    def _escaped(self, proposal: Any) -> Markup:
        return escape(proposal.value)


def markup(template: str, *values: object, **named: object) -> Markup:
    """HTML from a template that stands in the code, with values from anywhere.

    Parameters
    ----------
    template
        As for `str.format`; never itself made of values.
    values, named
        What stands for the fields; escaped, unless it is `Markup` already.

    Examples
    --------
    >>> print(markup("<b>{}</b> of {n:.1f}", "<img onerror=x>", n=2))
    <b>&lt;img onerror=x&gt;</b> of 2.0
    """
    return Markup(template).format(*values, **named)


def joined(parts: Iterable[Any], between: str = "") -> Markup:
    """Parts one after the other; those that are not `Markup` are escaped."""
    return escape(between).join(parts)


def muted(text: object, css: str = "") -> Markup:
    """Text that stands back, with more CSS classes."""
    return markup('<span class="{}">{}</span>', f"dlcnb-muted {css}".strip(), text)


def shortened(text: object, most: int = 40) -> Markup:
    """A text of at most so many letters: a longer one lacks its middle, and is whole in its tooltip."""
    if isinstance(text, Markup) or len(whole := str(text)) <= most:
        return escape(text)
    tail = (most - 1) // 2
    return markup('<span title="{}">{}…{}</span>', whole, whole[: most - 1 - tail], whole[-tail:])


def heading(title: object, note: object = "") -> Markup:
    """A bold title, with a note that stands back beside it."""
    return markup("<b>{}</b>{}{}", title, " " if note else "", muted(note) if note else "")


def notice(text: str, kind: str = "hint", *, scrolls: bool = False) -> Markup:
    """A line that is read out: ``kind`` is 'hint' or 'error'; nothing where there is no text; `Markup` stays as it is.

    Of commands it says where Studio does the same. One that ``scrolls`` where it has no room can be reached by keys,
    and has a tooltip with the whole of it.
    """
    if not text:
        return Markup()
    role, text = "alert" if kind == "error" else "status", text if isinstance(text, Markup) else in_studio(text)
    whole = text.striptags() if isinstance(text, Markup) else text
    reach = markup(' tabindex="0" title="{}"', whole) if scrolls else ""
    return markup('<div role="{}" class="dlcnb-{}"{}>{}</div>', role, kind, reach, text)


def swatch(color: Iterable[int] | str | None, css: str = "") -> Markup:
    """A dot of a colour (RGB, or as CSS says it; None = room for one), with more CSS classes."""
    if color is None:
        style = "visibility:hidden"
    else:
        style = "background:" + (color if isinstance(color, str) else "rgb({},{},{})".format(*color))
    return markup('<i class="{}" style="{}"></i>', f"dlcnb-swatch {css}".strip(), style)


def legend(items: Iterable[tuple[Iterable[int] | str, object]], css: str = "") -> Markup:
    """(colour, text) side by side; ``css`` are more classes of the dots."""
    return joined(markup('<span class="dlcnb-item">{}{}</span>', swatch(color, css), text) for color, text in items)


def table(heads: Iterable[object], rows: Iterable[Iterable[object]]) -> Markup:
    """A table: its heads, and rows that begin with a head; cells that are a ``<td>`` already stay as they are.

    Long heads are `shortened`. Where it has no room it scrolls sideways in a box of its own, by keys, too.
    """
    lines = []
    for head, *cells in rows:
        tds = joined(c if isinstance(c, Markup) and c.startswith("<td") else markup("<td>{}</td>", c) for c in cells)
        lines.append(markup("<tr><th>{}</th>{}</tr>", shortened(head), tds))
    return markup(
        '<div class="dlcnb-sideways" tabindex="0" role="group" aria-label="table">'
        '<table class="dlcnb-table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>',
        joined(markup("<th>{}</th>", shortened(head, 32)) for head in heads),
        joined(lines),
    )
