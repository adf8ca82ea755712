"""Whatever a name holds, it is shown as it is written."""

import ast
from pathlib import Path

import pytest

import dlcnb.widgets
from dlcnb.widgets.base.html import (
    Html,
    Markup,
    heading,
    joined,
    legend,
    markup,
    muted,
    notice,
    shortened,
    swatch,
    table,
)

EVIL = "<img src=x onerror=alert(1)>\"'&"
SHOWN = "&lt;img src=x onerror=alert(1)&gt;&#34;&#39;&amp;"


@pytest.mark.parametrize(
    "made",
    [
        markup("<b>{}</b>", EVIL),
        markup('<b title="{name}"></b>', name=EVIL),
        joined(["a", EVIL], "<br>"),
        muted(EVIL),
        muted("a", EVIL),
        heading(EVIL, EVIL),
        notice(EVIL),
        swatch(EVIL),
        legend([((1, 2, 3), EVIL)]),
        table([EVIL], [[EVIL, EVIL, 3]]),
    ],
)
def test_values_are_escaped(made):
    assert isinstance(made, Markup)
    assert "<img" not in made
    assert "onerror" not in made or SHOWN in made


def test_a_widget_shows_text_as_it_is_and_markup_as_html():
    shown = Html(EVIL)
    assert shown.value == SHOWN
    shown.value = markup("<b>{}</b>", EVIL)
    assert shown.value == f"<b>{SHOWN}</b>"
    with shown.hold_trait_notifications():
        shown.value = EVIL
    assert shown.value == SHOWN
    shown.set_state({"value": EVIL})
    assert shown.value == SHOWN


def test_markup_within_markup_is_escaped_once():
    assert markup("<p>{}</p>", markup("<b>{}</b>", "<")) == "<p><b>&lt;</b></p>"
    assert joined([muted("<"), "<"]) == '<span class="dlcnb-muted">&lt;</span>&lt;'


def test_pieces():
    assert swatch((1, 2, 3)) == '<i class="dlcnb-swatch" style="background:rgb(1,2,3)"></i>'
    assert "hidden" in swatch(None)
    assert notice("") == ""
    assert 'role="alert" class="dlcnb-error"' in notice("no", "error")
    assert table(["", "a"], [["x", markup("<td>{}</td>", 1)]]).count("<td>") == 1


def test_long_heads_lack_their_middle_and_are_whole_in_the_tooltip():
    path = "/data/" + "folder/" * 10 + "mouse.mp4"
    assert shortened("mouse.mp4") == "mouse.mp4"
    cut = shortened(path, 20)
    assert f'title="{path}"' in cut
    assert cut.endswith(">/data/fold…mouse.mp4</span>")
    assert EVIL not in shortened(EVIL * 9)
    assert table([path], [[path, 1]]).count("title=") == 2


def _html_by_hand(path):
    """Places of a module that make HTML in another way than by `dlcnb.widgets.base.html`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in ("HTML", "HTMLMath"):
            yield node.lineno, "a widget that escapes nothing"
        elif isinstance(node, ast.Import) and any(name.name == "html" for name in node.names):
            yield node.lineno, "escaping by hand"
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("markup", "Markup"):
            template = node.args[0] if node.args else None
            if template is not None and not (isinstance(template, ast.Constant) or _is_constant_name(template)):
                yield node.lineno, "a template that does not stand in the code"


def _is_constant_name(node):
    return isinstance(node, ast.Name) and node.id.isupper()


def test_no_module_makes_html_by_hand():
    root = Path(dlcnb.widgets.__file__).parent
    found = [
        f"{path.relative_to(root)}:{line}: {what}"
        for path in sorted(root.rglob("*.py"))
        if path != root / "base/html.py"
        for line, what in _html_by_hand(path)
    ]
    assert not found, "\n".join(found)
