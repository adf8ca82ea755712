"""The widgets of ipywidgets 7.7 and 8 look the same from here; these tests run under both (see scripts/test-colab)."""

import ipywidgets
import pytest
from IPython.core.interactiveshell import InteractiveShell

from dlcnb.widgets.base.compat import SEVEN, VIEW, Accordion, Shown, Tab

pytestmark = pytest.mark.filterwarnings(
    "ignore:Attempting to work in a virtualenv"
)  # another one than that of the tests


class Named(Shown):
    """Shows a word of its own."""

    def mime(self, data):
        return {**data, "text/plain": "a word"}


@pytest.mark.parametrize("container", [Tab, Accordion])
def test_titles_are_where_pages_of_7_and_of_8_look_for_them(container):
    made = container([ipywidgets.VBox(), ipywidgets.VBox()])
    made.set_title(0, "Label")
    made.set_title(1, "Train")
    made.set_title(0, "Label ✓")
    state = made.get_state()
    assert list(state["titles"]) == ["Label ✓", "Train"]
    assert made.get_title(0) == "Label ✓"
    if SEVEN:
        assert state["_titles"] == {"0": "Label ✓", "1": "Train"}


@pytest.mark.parametrize(
    "make",
    [
        ipywidgets.Button,
        ipywidgets.Checkbox,
        ipywidgets.Dropdown,
        ipywidgets.IntSlider,
        ipywidgets.Text,
        ipywidgets.ToggleButton,
    ],
)
def test_a_tooltip_reaches_the_page(make):
    made = make()
    made.tooltip = "what it does"
    assert made.tooltip == "what it does"
    assert "what it does" in (value for key, value in made.get_state().items() if "tooltip" in key)


def displayed(monkeypatch, widget):
    """What a cell that ends in this widget gives to its page, by MIME type."""
    shell, sent = InteractiveShell(), []
    monkeypatch.setattr(InteractiveShell, "instance", lambda *_: shell)
    monkeypatch.setattr(InteractiveShell, "initialized", lambda *_: True)
    monkeypatch.setattr(shell.display_pub, "publish", lambda data, *_, **__: sent.append(data))
    returned, _ = shell.display_formatter.format(widget)
    return returned, sent


def test_a_widget_is_shown_once_with_what_it_makes_of_itself(monkeypatch):
    made = Named()
    returned, sent = displayed(monkeypatch, made)
    assert bool(returned) != bool(sent)
    data = returned or sent[0]
    assert data["text/plain"] == "a word"
    assert data[VIEW]["model_id"] == made.model_id


@pytest.mark.skipif(not SEVEN, reason="of ipywidgets 7 alone")
def test_with_7_it_is_displayed_as_colab_needs_it(monkeypatch):
    _, sent = displayed(monkeypatch, Named())
    assert len(sent) == 1


def test_a_closed_widget_shows_no_view(monkeypatch):
    made = Named()
    made.close()
    returned, sent = displayed(monkeypatch, made)
    assert not sent
    assert VIEW not in (returned or {}) or not SEVEN
