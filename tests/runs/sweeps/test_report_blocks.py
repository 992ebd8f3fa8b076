"""The part of a report about a sweep."""

import json

import pytest

from sandbox.core.errors import UserError
from sandbox.report.document import Gallery, Table
from sandbox.runs.sweeps.report_blocks import importance, sweep_blocks
from sandbox.runs.sweeps.settings import grid
from sandbox.runs.sweeps.start import of_python
from sandbox.runs.sweeps.sweep_folder import SweepFolder


def rows(*pairs):
    return [{"options": {"a": value}, "iqm": score} for value, score in pairs]


def test_importance_by_hand():
    assert importance(rows(("u", 1), ("u", 3), ("v", 5)), "a") == 0.75
    many = [(value, value**2) for value in range(8)]
    assert importance(rows(*many), "a") == pytest.approx(1)
    assert importance(rows(*((f"t{value}", score) for value, score in many)), "a") == 1  # texts are groups


def test_a_table_and_a_plot(tmp_path):
    definition = of_python(["catch_dqn"], {"agent.discount": [0.5, 0.9], "seed": [0, 1], "steps": [5, 6]}, [], "x")
    folder = SweepFolder.begin(tmp_path, definition, [], None)
    folder.record(grid(definition))
    assert [type(block).__name__ for block in sweep_blocks(folder)] == ["Heading", "Table"]
    for setting in folder.settings():
        for seed, run in enumerate(setting.runs):
            path = tmp_path / run.name
            path.mkdir()
            (path / "config.yaml").write_text("steps: 5\nenv: {name: catch}\nagent: {name: dqn}\n")
            (path / "run.json").write_text('{"id": "123456"}')
            score = 10 * setting.options["agent.discount"] + seed
            (path / "metrics.jsonl").write_text(json.dumps({"step": 5, "time": 1, "eval/return": score}) + "\n")
            (path / "summary.json").write_text('{"finished": true, "step": 5}')
    blocks = sweep_blocks(folder)
    first, second = (block for block in blocks if isinstance(block, Table))
    assert first.headers == ["", "agent.discount", "steps", "runs", "eval/return (IQM)", "95 % interval", "each seed"]
    assert first.rows[0][:5] == ["1", "0.9", "5", "2", "9.5"]
    assert second.rows == [["`agent.discount`", "100 %"], ["`steps`", "0 %"]]
    (gallery,) = (block for block in blocks if isinstance(block, Gallery))
    assert gallery.items[0].svg.count("hsl(") == 4


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "{",
        '{"settings": [{"number": 0, "options": {}, "runs": ["../../elsewhere"]}]}',
        '{"settings": [{"number": 0, "options": 3, "runs": ["a"]}]}',
        '{"settings": [{"options": {}, "runs": []}]}',
    ],
)
def test_a_record_of_somebody_else_is_refused(tmp_path, text):
    (tmp_path / "sweep.json").write_text(text)
    with pytest.raises(UserError, match=r"sweep\.json is not"):
        SweepFolder(tmp_path).settings()
