import math
import xml.etree.ElementTree as ET

import pytest

from sandbox.media.svg_plot import Line, Mark, number, plot, ticks

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


def test_a_mark_is_a_diamond_with_its_interval_and_belongs_to_its_line():
    """The marks are within the plot: 0 to 10 across, 0 to 2 upward."""
    line = Line("a", [0, 5], [0, 1], marks=[Mark(10, 1.5, 1, 2, "b")])
    tree = ET.fromstring(plot([line, Line("c", [0, 5], [1, 1])], "x", "y", marked="evaluation"))
    first, second = (group for group in tree.iter(f"{SVG}g") if group.get("class") == "line")
    (bar,) = [path.get("d") for path in first if path.get("class") == "mark"]
    assert bar.startswith("M440.0 124.0V10.0")
    assert [path.get("d").split("l")[0] for path in first if path.get("class") == "diamond"] == ["M440.0 62.0"]
    assert not [path for path in second if path.get("class")]
    assert "evaluation" in [node.text for node in tree.iter(f"{SVG}text")]


def test_few_points_have_dots():
    def dots(count):
        tree = ET.fromstring(plot([Line("a", range(count), [1.0] * count)], "x", "y"))
        return len(list(tree.iter(f"{SVG}circle")))

    assert (dots(1), dots(25), dots(26)) == (1, 25, 0)


@pytest.mark.parametrize(
    "name",
    ["a_run_with_a_rather_long_name_of_many_words_{:02}", "run_{:02}_has_a_rather_long_name", "{:02}" + "x" * 300],
)
def test_many_lines_have_a_legend_of_two_columns_with_short_names(name):
    names = [name.format(n) for n in range(40)]
    tree = ET.fromstring(plot([Line(name, [0, 1], [0, 1]) for name in names], "x", "y"))
    keys = [group for group in tree.iter(f"{SVG}g") if group.get("class") == "key"]
    assert [key.find(f"{SVG}title").text for key in keys] == names
    shown = [key.find(f"{SVG}text").text for key in keys]
    assert len(set(shown)) == 40
    assert max(map(len, shown)) < 30
    assert int(tree.get("height")) == 280 + 20 * 17
    looks = {(path.get("stroke"), path.get("stroke-dasharray")) for key in keys for path in key.iter(f"{SVG}path")}
    assert len(looks) == 40
