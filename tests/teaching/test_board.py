"""What students hand in, and the board that it comes together on."""

import hashlib
import json
import os
from dataclasses import replace

import numpy as np
import pytest

from dlcnb.teaching import SUFFIX, Board, ClassError, HandIn, gather

PARTS = ("snout", "leftear", "rightear", "tailbase")
IMAGES = tuple(f"labeled-data/arena/img{n:03d}.png" for n in range(10))
TRUTH = np.random.default_rng(3).uniform(50, 400, (10, 4, 2))


def hand_in(student, key="", off=1.0, **changes):
    points = TRUTH + np.random.default_rng(list(student.encode())).normal(0, off, TRUTH.shape)
    made = HandIn("monday", student, key or hashlib.md5(student.encode()).hexdigest(), PARTS, IMAGES, points)
    return replace(made, **changes)


def board(*hand_ins, hidden=None):
    return Board("monday", PARTS, IMAGES, hand_ins, hidden)


def test_what_is_written_is_read_back(tmp_path):
    points = TRUTH.copy()
    points[2, 1] = np.nan
    made = hand_in("Zoë 北", points=points, card={"label five frames": 2.0}, predicted=TRUTH[:3])
    path = made.write(tmp_path)
    found, problems = gather(tmp_path)
    assert not problems
    (one,) = found
    np.testing.assert_allclose(one.points, np.round(points, 2))
    np.testing.assert_allclose(one.predicted, np.round(TRUTH[:3], 2))
    assert (one.student, one.card, one.images) == (made.student, made.card, IMAGES)
    assert path.stat().st_size < 10_000


def test_a_copy_that_hands_in_again_replaces_its_file_and_no_one_elses(tmp_path):
    hand_in("Kim", "a" * 32).write(tmp_path)
    hand_in("Kim", "b" * 32).write(tmp_path)
    hand_in("Kim", "a" * 32, card={"more": 1.0}).write(tmp_path)
    found, _ = gather(tmp_path)
    assert sorted((one.key[0], len(one.card)) for one in found) == [("a", 1), ("b", 0)]


def test_of_two_downloads_of_one_student_the_newer_counts_once(tmp_path):
    old = hand_in("Kim").write(tmp_path)
    new = old.with_name(f"A{SUFFIX}")
    old.rename(new)
    os.utime(new, ns=(1, 1))
    hand_in("Kim", card={"more": 1.0}).write(tmp_path)
    (one,), problems = gather(tmp_path)
    assert (one.card, problems) == ({"more": 1.0}, [])


def test_points_that_a_stage_placed_are_no_opinion_but_are_kept(tmp_path):
    prepared = np.zeros((10, 4), bool)
    prepared[3:, 1:] = True
    late = hand_in("late", points=TRUTH + 50, prepared=prepared)
    found = HandIn.read(late.write(tmp_path))
    np.testing.assert_allclose(found.points, np.round(late.points, 2))
    np.testing.assert_array_equal(found.given, prepared)
    made = board(*(hand_in(name) for name in "abc"), found)
    without = replace(late, points=np.where(prepared[..., None], np.nan, late.points))
    expected = board(*(hand_in(name) for name in "abc"), without).spread
    assert made.spread == pytest.approx(expected, abs=0.01)
    (one,) = [s for s in made.standings() if s.student == "late"]
    assert (one.labeled, one.given) == (10, 21)


def test_a_file_of_before_stages_were_marked_is_read(tmp_path):
    from dlcnb.teaching.hand_in import _digest

    content = json.loads(hand_in("Kim").to_text())
    del content["sha256"], content["prepared"]
    data = json.dumps({**content, "sha256": _digest(content)}).encode()
    assert not HandIn.parse(data, "Kim.json").given.any()


def test_two_of_one_name_are_told_apart_and_said():
    made = board(hand_in("Kim", "a" * 32), hand_in("Kim", "b" * 32), hand_in("Lea"))
    assert made.names == ["Kim (1)", "Kim (2)", "Lea"]
    assert made.problems == ["2 students call themselves Kim; both are shown. One may type another name."]


def test_names_are_in_the_order_in_which_people_count():
    names = ("Student 10", "student 3", "3 of us", "Ada")
    assert board(*map(hand_in, names)).names == ["3 of us", "Ada", "student 3", "Student 10"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"lesson": "tuesday"}, "lesson 'tuesday'"),
        ({"bodyparts": ("a", "b", "c", "d")}, "bodyparts a, b, c, d"),
        ({"images": IMAGES[::-1]}, "other frames"),
        ({"predicted": TRUTH[:2]}, "2 hidden frames, there are 3"),
    ],
)
def test_a_file_of_another_class_is_left_out_with_one_line(changes, why):
    made = board(hand_in("Kim", **changes), hand_in("Lea"), hidden=TRUTH[:3])
    assert made.names == ["Lea"]
    (problem,) = made.problems
    assert why in problem
    assert problem.startswith("Kim")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "<html>Not found</html>",
        lambda text: "[" * 100_000,
        *(lambda text, n=n: '{"format": "dlcnb class 1", "x": ' + "[" * n + "]" * n + "}" for n in range(960, 1010, 3)),
        lambda text: text.replace("monday", "funday"),
        lambda text: json.dumps({"format": "dlcnb class 1"}),
        lambda text: text + " " * 3_000_000,
    ],
)
def test_a_spoilt_file_is_one_clear_line_and_the_others_count(tmp_path, spoil):
    hand_in("Lea").write(tmp_path)
    path = tmp_path / f"Kim{SUFFIX}"
    path.write_text(spoil(hand_in("Kim").to_text()))
    before = path.read_bytes()
    found, problems = gather(tmp_path)
    assert [one.student for one in found] == ["Lea"]
    (problem,) = problems
    assert path.name in problem
    assert "\n" not in problem
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("points", [[[1e9, 0]] * 4] * 10),
        ("points", [[[1, 2]] * 3] * 10),
        ("points", [[[10**400, 2]] * 4] * 10),
        ("points", [[[]] * 4] * 10),
        ("student", "two\nlines"),
        ("key", "../../../../x" * 3),
        ("card", {"x": 1e9}),
        ("card", {"x": 10**400}),
        ("prepared", [[10, 0]]),
        ("prepared", [[True, 0]]),
    ],
)
def test_values_that_no_lesson_writes_are_refused_though_their_hash_is_right(key, value):
    from dlcnb.teaching.hand_in import _digest

    content = json.loads(hand_in("Kim").to_text())
    del content["sha256"]
    content[key] = value
    data = json.dumps({**content, "sha256": _digest(content)}).encode()
    with pytest.raises(ClassError, match=r"^Kim\.json: "):
        HandIn.parse(data, "Kim.json")


def test_a_board_of_a_lesson_that_nobody_has_says_which_lessons_there_are():
    made = Board("mondya", PARTS, IMAGES, [hand_in("Kim"), hand_in("Lea")])
    assert made.problems[0] == (
        "no file belongs to the lesson 'mondya', found files of monday; did you mean 'monday'?"
    )
    assert len(made.problems) == 3
    assert board().problems == []


def test_spread_is_the_scatter_about_the_class():
    offsets = np.array([[-3.0, 0], [0, 0], [3.0, 0]])
    made = board(*(hand_in(name, points=TRUTH + off) for name, off in zip("abc", offsets, strict=True)))
    for value in made.spread.values():
        assert value == pytest.approx(np.sqrt(6))
    assert [s.apart_px for s in made.standings()] == pytest.approx([4.5, 0.0, 4.5])  # from the middle of the others


def test_with_fewer_than_three_there_is_no_opinion():
    made = board(hand_in("a"), hand_in("b"))
    assert all(np.isnan(v) for v in made.spread.values())
    assert all(np.isnan(s.apart_px) and s.advice == () for s in made.standings())
    assert board().standings() == []


def test_swapped_and_far_labels_are_named_and_nothing_else():
    swapped, far = TRUTH.copy(), TRUTH.copy()
    swapped[4, [1, 2]] = swapped[4, [2, 1]]
    far[7, 3] += 60
    made = board(*(hand_in(name) for name in "abcd"), hand_in("swap", points=swapped), hand_in("far", points=far))
    advice = {s.student: s.advice for s in made.standings()}
    assert advice.pop("swap") == ("leftear and rightear may be exchanged in frame 5",)
    assert advice.pop("far") == ("tailbase lies elsewhere than in the rest of the class in frame 8",)
    assert set(advice.values()) == {()}


def test_the_leaderboard_has_the_best_network_first():
    hidden = TRUTH[:3]
    partly = hidden.copy()
    partly[0, 0] = np.nan  # the others are right: it leads nobody
    hand_ins = [hand_in("a", predicted=hidden + [3, 4]), hand_in("b", predicted=hidden + [0.6, 0.8]), hand_in("c"),
                hand_in("d", predicted=partly)]  # fmt: skip
    assert [(s.student, s.network_px) for s in board(*hand_ins, hidden=hidden).leaders()] == [
        ("b", pytest.approx(1)),
        ("a", pytest.approx(5)),
    ]
