"""What every widget has: errors that are seen, and that go when they are no longer true."""

from dlcnb.widgets.base.view import NotYet, View, gesture, shown


class Kettle(View):
    water = False

    @gesture
    def boil(self):
        if not self.water:
            raise NotYet("There is no water yet: fill it in.", lambda: not self.water)

    @shown
    def look(self):
        pass


def told(kettle):
    """All that the status line shows from now on."""
    found = []
    kettle.status_line.observe(lambda change: found.append(change.new), "value")
    return found


def test_an_error_goes_when_it_is_no_longer_true():
    kettle = Kettle()
    kettle.boil()
    assert kettle.failed
    kettle.recheck()
    assert "no water" in kettle.status_line.value
    kettle.water = True
    kettle.recheck()
    assert not kettle.failed


def test_a_closed_widget_tells_no_errors():
    kettle = Kettle()
    found = told(kettle)
    kettle.close()
    kettle.boil()
    assert not found


def test_an_error_goes_when_its_action_is_tried_again():
    kettle = Kettle()
    kettle.boil()
    kettle.water = True
    kettle.boil()
    assert kettle.status_line.value == ""


def test_the_same_error_is_told_again():
    kettle = Kettle()
    kettle.boil()
    found = told(kettle)
    kettle.boil()
    assert found[0] == ""
    assert "no water" in found[-1]


def test_an_error_is_left_by_what_is_no_gesture_and_a_hint_by_what_is_one():
    kettle = Kettle()
    kettle.fail(OSError("the disk is full"))
    kettle.look()
    kettle.recheck()
    assert kettle.failed
    kettle.tell("boiling")
    kettle.water = True
    kettle.boil()
    assert "boiling" in kettle.status_line.value
