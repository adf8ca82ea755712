"""Which network said what, until it stands in the journal."""

import numpy as np

from dlcnb.labels import Suggestions


def test_each_image_keeps_its_network():
    first = Suggestions([("net-100", {"a": np.ones((2, 3)), "b": np.ones((2, 3))})])
    both = Suggestions([("", first), ("net-200", {"b": np.zeros((2, 3)), "c": np.zeros((2, 3))})])
    assert {image: both.origin(image) for image in both} == {
        "a": "suggestion net-100",
        "b": "suggestion net-200",
        "c": "suggestion net-200",
    }
    assert both["b"].max() == 0
    assert both.networks == "net-100, net-200"


def test_some_of_them():
    some = Suggestions([("net", {"a": [[1, 2, 3]], "b": [[4, 5, 6]]})]).only(["b", "z"])
    assert list(some) == ["b"]
    assert some["b"].tolist() == [[4, 5, 6]]
    assert some.networks == "net"


def test_none():
    assert not Suggestions()
    assert Suggestions().networks == ""
