import math
import xml.etree.ElementTree as ET

import pytest

from sandbox.media.svg_plot import Line, number, plot, ticks

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 100_000, [0, 20_000, 40_000, 60_000, 80_000, 100_000]),
        (-87.3, -86.1, [-87, -86.5]),
        (-150, 260, [-100, 0, 100, 200]),
        (3, 3, [3]),
    ],
)
def test_round_ticks(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0, 20_000, 100_000], ["0", "20k", "100k"]),
        ([0, 500_000, 1_000_000], ["0", "0.5M", "1M"]),
        ([-86.5, 0.30000000000000004], ["-86.5", "0.3"]),
        ([0, 2_000], ["0", "2000"]),
        ([5e-9], ["5e-09"]),
    ],
)
def test_numbers_are_short(values, words):
    assert [number(value, values) for value in values] == words


def test_values_are_mapped_to_pixels():
    """Width 460: from 62 to 440 across; height 280: from 238 up to 10."""
    tree = ET.fromstring(plot([Line("a", [0, 10], [0, 1], [0, 0.5], [0, 1])], "steps", "return"))
    drawn = next(path for path in tree.iter(f"{SVG}path") if path.get("stroke-width") == "2")
    assert drawn.get("d") == "M62.0 238.0L440.0 10.0"
    (band,) = tree.iter(f"{SVG}polygon")
    assert band.get("points") == "62.0,238.0 440.0,124.0 440.0,10.0 62.0,238.0"


def test_values_that_are_not_finite_leave_a_gap_and_a_single_one_is_a_dot():
    tree = ET.fromstring(plot([Line("a", [0, 1, 2], [0, math.nan, 1])], "x", "y"))
    drawn = next(path for path in tree.iter(f"{SVG}path") if path.get("stroke-width") == "2")
    assert drawn.get("d").count("M") == 2
    alone = ET.fromstring(plot([Line("a", [5], [1.0])], "x", "y"))
    assert any(path.get("d").endswith("h0.1") for path in alone.iter(f"{SVG}path"))


def test_labels_are_escaped_and_far_levels_left_out():
    text = plot([Line("<b> & co", [0, 1], [0, 1])], "x", "y", [("random", -0.2), ("human", 40_000)])
    words = [node.text for node in ET.fromstring(text).iter(f"{SVG}text")]
    assert "<b> & co" in words
    assert "random" in words
    assert "human" not in words


def test_nine_lines_look_different():
    tree = ET.fromstring(plot([Line(str(n), [0, 1], [0, n]) for n in range(9)], "x", "y"))
    looks = {(path.get("stroke"), path.get("stroke-dasharray")) for path in tree.iter(f"{SVG}path")}
    assert len([look for look in looks if look[0] != "currentColor"]) == 9


def test_a_plot_without_points_is_an_error():
    with pytest.raises(ValueError, match="at least one point"):
        plot([Line("a", [0], [math.nan])], "x", "y")
