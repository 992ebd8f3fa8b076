import numpy as np
import pytest
from PIL import Image

from sandbox.media.curve import Curve, compare, save


def lines(figure):
    """Return the axes, the curves by label as (x, mean, half interval), and the dotted lines as (x, color)."""
    (axes,) = figure.axes
    bars = {}
    for container in axes.containers:
        line, _, (sticks,) = container.lines
        halves = [float(stick[1, 1] - stick[0, 1]) / 2 for stick in sticks.get_segments()]
        bars[container.get_label()] = list(zip(*map(np.ndarray.tolist, line.get_data()), halves, strict=True))
    dotted = [(line.get_xdata()[0], line.get_color()) for line in axes.lines if line.get_linestyle() == ":"]
    return axes, bars, dotted


def test_numbers_are_sorted_and_have_their_intervals():
    one = Curve("one", [0.5, 0.1, 1], [2.0, 1.0, 3.0], [0.5, 0.25, 0.0], marked=0.5)
    two = Curve("two", [0.5, 0.1, 1], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0], marked=0.5)
    axes, bars, dotted = lines(compare([one, two], "p", "return", "in training"))
    assert bars == {
        "one": [(0.1, 1.0, 0.25), (0.5, 2.0, 0.5), (1, 3.0, 0.0)],
        "two": [(0.1, 0.0, 1.0), (0.5, 0.0, 1.0), (1, 0.0, 1.0)],
    }
    assert dotted == [(0.5, "gray")]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("p", "return")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["in training", "one", "two"]


def test_different_marks_have_their_curves_colors():
    curves = [Curve(name, [0, 1], [0, 0], [0, 0], marked) for name, marked in (("a", 0.0), ("b", None), ("c", 1))]
    assert lines(compare(curves, "p", "return", "in training"))[2] == [(0.0, "C0"), (1, "C2")]


@pytest.mark.parametrize("values", [["true", "false"], [True, False], ["null", 3]])
def test_words_are_placed_side_by_side_without_marks(values):
    axes, bars, dotted = lines(compare([Curve("a", values, [5, 6], [1, 2], 1)], "p", "return", "in training"))
    assert bars == {"a": [(0, 5, 1), (1, 6, 2)]}
    assert [label.get_text() for label in axes.get_xticklabels()] == [str(value) for value in values]
    assert dotted == []


def test_a_png_is_written_and_no_partial_file_left(tmp_path):
    place = tmp_path / "samples" / "curve.png"
    save(place, compare([Curve("a", [0, 1], [0, 1], [0, 0])], "p", "return", "in training"))
    with Image.open(place) as image:
        assert (image.format, image.size) == ("PNG", (600, 400))
        assert np.asarray(image.convert("L")).std() > 5
    assert [file.name for file in place.parent.iterdir()] == ["curve.png"]
