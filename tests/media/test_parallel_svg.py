"""Parallel coordinates: places on the axes, and SVG that is XML."""

from xml.etree import ElementTree

import pytest

from sandbox.media.parallel_svg import Column, parallel


def test_places_on_an_axis():
    assert Column("a", [1, 2, 5]).places() == [0, 0.25, 1]
    assert Column("a", [1e-4, 1e-3, 1e-2]).places() == pytest.approx([0, 0.5, 1])  # logarithmic
    assert Column("a", ["u", "v", "u", "w"]).places() == [0, 0.5, 0, 1]
    assert Column("a", [3, 3]).places() == [0.5, 0.5]
    assert Column("a", [5, 1, 2]).labels() == [(0, "1"), (1, "5")]
    assert Column("a", ["u", "v"]).labels() == [(0, "u"), (1, "v")]


def test_one_line_for_each_setting():
    svg = parallel(
        [Column("agent.optimizer.learning_rate", [1e-4, 1e-2]), Column("<b>", ["x&y", "z"]), Column("r", [2, 1])]
    )
    root = ElementTree.fromstring(svg)
    space = "{http://www.w3.org/2000/svg}"
    lines = [path.get("d") or "" for path in root.iter(f"{space}path")]
    assert [line.count("L") for line in lines] == [2, 2, 0, 0, 0]
    assert lines[0].startswith("M60.0 30.0L")  # the worse one first; it has the largest rate
    assert [text.text for text in root.iter(f"{space}text")][:1] == ["learning_rate"]
    assert "x&amp;y" in svg
    assert "<b>" not in svg
