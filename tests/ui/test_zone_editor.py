"""ZoneEditor in JupyterLab: drawn, named, a corner moved, undone, reloaded; by the pointer, and by keys alone."""

import pytest
from support.cells import SPIKE
from support.page import faultless, settle

CELL = SPIKE + "from dlcnb import ZoneEditor\nv = ZoneEditor(project)"
CANVAS = ".dlcnb-zones canvas"


@pytest.fixture
def editor(lab, request):
    lab.open(request.node.name, CELL, "v")
    lab.page.locator(CANVAS).first.wait_for()
    lab.until("v.input.guard.attached and v.wait(0.5)")
    return lab


def place(lab, x, y):
    """Page coordinates of a place of the frame."""
    return lab.on(CANVAS, *lab.ask(f"v.state.fit.to_canvas(({x}, {y})).tolist()"))


def drag(lab, a, b):
    lab.page.mouse.move(*place(lab, *a))
    lab.page.mouse.down()
    lab.page.mouse.move(*place(lab, *b), steps=4)
    lab.page.mouse.up()


NAMING = """() => {
    const active = document.activeElement;
    return active.matches('.dlcnb-zones .dlcnb-typed-over input') && active.selectionEnd - active.selectionStart ===
        active.value.length;
}"""  # the name of the zone has the keys, all of it selected
BOX = "[[round(n) for n in z.box] for z in v.state.zones]"
KEPT = "[(z.name, [round(n) for n in z.box]) for z in v.file.read()]"


def test_a_zone_is_drawn_named_pulled_undone_and_there_after_a_reload(editor):
    page = editor.page
    page.get_by_role("button", name="Rectangle").click()
    drag(editor, (30, 30), (90, 80))
    editor.until(f"{BOX} == [[30, 30, 90, 80]]")
    name = page.locator(".dlcnb-zones input[type=text]").first
    name.fill("nest")
    name.press("Enter")
    editor.until("v.state.zone and v.state.zone.name == 'nest'")
    drag(editor, (90, 80), (120, 100))
    editor.until(f"{BOX} == [[30, 30, 120, 100]]")
    page.keyboard.press("Control+z")
    editor.until(f"{BOX} == [[30, 30, 90, 80]]")
    page.keyboard.press("p")
    for corner in ((100, 20), (140, 20), (120, 60), (100, 20)):
        page.mouse.click(*place(editor, *corner))
    editor.until("len(v.state.zones) == 2 and v.state.zones[1].kind == 'polygon'")
    editor.reload()
    page.locator(CANVAS).first.wait_for()
    page.wait_for_function(f"""() => {{
        const canvas = document.querySelector('{CANVAS}'), {{width, height}} = canvas;
        return new Set(new Uint32Array(canvas.getContext('2d').getImageData(0, 0, width, height).data.buffer)).size > 9;
    }}""")  # a picture, and not the empty ground
    assert editor.ask(KEPT) == [["nest", [30, 30, 90, 80]], ["zone 1", [100, 20, 140, 60]]]


def test_keys_alone_draw_move_and_undo_and_reach_no_cell(editor):
    page = editor.page
    page.locator(CANVAS).first.focus()
    cells = "() => window.jupyterapp.shell.currentWidget.content.widgets.length"
    count = page.evaluate(cells)
    page.keyboard.press("e")
    page.keyboard.press("Enter")
    (box,) = editor.until(f"len(v.state.zones) == 1 and {BOX}")
    page.wait_for_function(NAMING)
    page.keyboard.press("Enter")  # its name is left as it is
    for key in ("Shift+ArrowRight", "ArrowDown", "h", "ArrowLeft"):
        page.keyboard.press(key)
    editor.until(f"{BOX} == [[{box[0] + 9}, {box[1] + 1}, {box[2] + 10}, {box[3] + 1}]]")
    for _ in range(3):
        page.keyboard.press("Control+z")
    editor.until(f"{BOX} == [{box}]")
    page.keyboard.press("Escape")
    page.keyboard.press("Delete")
    editor.until("len(v.state.zones) == 1")
    page.keyboard.press("n")
    page.keyboard.press("Delete")
    editor.until("not v.state.zones")
    assert page.evaluate(cells) == count


LISTED = "count => document.querySelector('.dlcnb-zones select[multiple]').options.length === count"


def test_zones_that_are_deleted_leave_no_error_in_the_console(editor):
    page = editor.page
    with faultless(page):
        for number, (a, b) in enumerate([((30, 30), (90, 80)), ((100, 20), (140, 60))], 1):
            page.get_by_role("button", name="Rectangle").click()
            drag(editor, a, b)
            page.wait_for_function(LISTED, arg=number)
            page.wait_for_function(NAMING)
            page.keyboard.press("Escape")
        page.keyboard.press("Delete")
        page.wait_for_function(LISTED, arg=1)
        page.mouse.click(*place(editor, 60, 55))
        editor.until("v.state.chosen == (0,)")
        page.locator(".dlcnb-zones button[title^='Delete the selected']").click()
        page.wait_for_function(LISTED, arg=0)
        editor.idle()


SET = ".dlcnb-zones button:has-text('Keep')"
TOPS = """names => [...document.querySelectorAll('.dlcnb-zones button')]
    .filter(one => names.includes(one.innerText.trim())).map(one => Math.round(one.getBoundingClientRect().top))"""


def test_a_length_is_kept_with_another_tool_and_set_never_moves(editor):
    page = editor.page
    before = page.locator(SET).bounding_box()
    page.get_by_role("button", name="Length").click()
    page.locator(".dlcnb-zones", has_text="(0 of 2)").wait_for()
    assert page.locator(SET).bounding_box() == before
    for end in ((30, 60), (110, 60)):
        page.mouse.click(*place(editor, *end))
    page.get_by_role("button", name="Rectangle").click()
    drag(editor, (30, 30), (90, 80))
    editor.until(f"{BOX} == [[30, 30, 90, 80]]")
    page.locator(".dlcnb-zones", has_text="not kept yet").wait_for()
    assert page.locator(SET).bounding_box() == before
    page.locator(SET).click()
    editor.until("v.scale and round(v.scale.px_per_cm, 3) == 2")


def test_smaller_and_larger_stay_together_at_every_width(editor):
    size = editor.page.viewport_size
    editor.page.get_by_text("More: around a zone").click()
    editor.page.get_by_role("button", name="Smaller").wait_for()
    try:
        for width in (1280, 1000, 853, 800, 700, 600, 500):
            editor.page.set_viewport_size({"width": width, "height": 800})
            assert not settle(editor.page, ".dlcnb-zones")
            tops = editor.page.evaluate(TOPS, ["Smaller", "Larger"])
            assert len(tops) == 2
            assert tops[0] == tops[1], width
    finally:
        editor.page.set_viewport_size(size)


def test_the_wheel_scrolls_the_page_until_the_picture_that_was_clicked_is_zoomed(editor):
    page, before = editor.page, editor.page.viewport_size
    page.set_viewport_size({"width": 853, "height": 533})
    page.mouse.click(*place(editor, 80, 60))
    page.evaluate(
        """() => {
            window.wheels = [];
            window.addEventListener('wheel', (e) => setTimeout(() => window.wheels.push(e.defaultPrevented)), true);
        }"""
    )
    page.mouse.wheel(0, 1)
    page.wait_for_function("() => window.wheels.length === 1")
    assert not editor.ask("v.state.zoomed")
    page.mouse.move(*place(editor, 80, 60))
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    editor.until("v.state.zoomed and v.input.guard.plain_wheel")
    page.mouse.wheel(0, -100)
    page.wait_for_function("() => window.wheels.length === 3")
    assert page.evaluate("() => window.wheels") == [False, True, True]
    page.set_viewport_size(before)


def test_a_name_that_is_clicked_is_typed_over(editor):
    page = editor.page
    page.get_by_role("button", name="Rectangle").click()
    drag(editor, (30, 30), (90, 80))
    editor.until("v.state.zone and v.state.zone.name == 'zone 1'")
    page.locator(".dlcnb-zones input[type=text]").first.click()
    page.keyboard.type("shelter")
    page.keyboard.press("Enter")
    editor.until("v.state.zone.name == 'shelter'")


def test_what_is_typed_after_a_zone_is_drawn_is_its_name_and_enter_gives_the_keys_back(editor):
    page = editor.page
    page.get_by_role("button", name="Rectangle").click()
    drag(editor, (30, 30), (90, 80))
    page.wait_for_function(NAMING)
    page.keyboard.type("wet nest")  # r, e and n are keys of the picture
    page.keyboard.press("Enter")
    editor.until("v.state.zone.name == 'wet nest'")
    page.keyboard.press("p")
    editor.until("v.state.tool == 'polygon'")
    for corner in ((100, 20), (140, 20), (120, 60), (100, 20)):
        page.mouse.click(*place(editor, *corner))
    page.wait_for_function(NAMING)
    page.keyboard.type("no name")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    editor.until("v.state.chosen == (0,)")
    assert editor.ask("[z.name for z in v.state.zones]") == ["wet nest", "zone 1"]


def test_who_types_in_another_field_by_then_goes_on_there(editor):
    page = editor.page
    page.get_by_role("button", name="Rectangle").click()
    drag(editor, (30, 30), (90, 80))
    page.wait_for_function(NAMING)
    other = page.locator(".dlcnb-zones input[type=number]").first
    other.click()
    editor.ask("v.input.guard.send({'type': 'name', 'value': v.state.zone.name})")  # as from a busy kernel
    editor.ask("v.input.guard.send({'type': 'frame', 'id': 10**6, 'wait': 0})")
    editor.until("v.input._acknowledged == 10**6")  # the page has had both
    assert other.evaluate("one => one === document.activeElement")


def test_undo_right_after_a_zone_is_drawn_takes_it_back(editor):
    page = editor.page
    page.get_by_role("button", name="Rectangle").click()
    drag(editor, (30, 30), (90, 80))
    page.wait_for_function(NAMING)
    page.keyboard.press("Control+z")
    editor.until("not v.state.zones")
    page.keyboard.press("e")
    editor.until("v.state.tool == 'ellipse'")


def test_space_on_the_picture_does_not_scroll(editor):
    page = editor.page
    page.mouse.click(*place(editor, 80, 60))
    page.evaluate(
        """() => {
            window.spaces = [];
            window.addEventListener('keydown', (e) => setTimeout(() => window.spaces.push(e.defaultPrevented)), true);
        }"""
    )
    page.keyboard.press("Space")
    page.wait_for_function("() => window.spaces.length === 1")
    assert page.evaluate("() => window.spaces") == [True]
