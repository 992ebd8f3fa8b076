"""Reports as W&B Reports."""

import json
import warnings
from types import SimpleNamespace

import pytest

from sandbox.core.errors import UserError
from sandbox.report import workspace
from sandbox.report.build import build_report
from sandbox.report.document import Gallery
from sandbox.report.run_record import RunRecord

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("wandb_workspaces.reports.v2")
    from wandb_workspaces.reports.v2 import interface, internal


@pytest.fixture
def document(make, video, png):
    runs = [make(f"a_s{n}", [0.0, n], seed=n) for n in (0, 1)]
    runs += [make("b_s0", [1.0, 2.0], lr=0.5), make("g", [3.0, 2.0], generator=True, learner="vae")]
    video(runs[0].videos / "step_000000000100.mp4")
    png(runs[3].samples / "step_000000000100.png")
    png(runs[2].samples / "vary_env.size.png")
    return build_report([RunRecord.read(run) for run in runs], title="All")


@pytest.fixture
def kept(document, tmp_path):
    place = tmp_path / "report.wandb.json"
    workspace.save(workspace.build(document, "mine"), place)
    return place


def test_the_json_is_that_of_a_report(kept):
    """W&B's own model accepts the JSON and writes the same again; it names no owner."""
    written = json.loads(kept.read_text())
    view = internal.ReportViewspec.model_validate(written)
    again = json.loads(view.model_dump_json(by_alias=True, exclude_none=True))
    for block in again["spec"]["blocks"]:
        for child in block["children"]:
            assert child.pop("inlineComments", []) == []  # which reading adds
    assert again == written
    assert (written["displayName"], written["project"]) == ("All", {"name": "mine", "entityName": ""})
    assert all("project" not in runs for grid in grids(written) for runs in grid["runSets"])


def grids(written):
    return [block["metadata"] for block in written["spec"]["blocks"] if block["type"] == "panel-grid"]


def test_curves_videos_and_samples_come_from_the_runs(kept):
    returns, losses, videos, samples = grids(json.loads(kept.read_text()))
    names = [(runs["name"], runs["filters"]["filters"][0]["value"]) for runs in returns["runSets"]]
    assert names == [("a", ["a_s0", "a_s1"]), ("b_s0", ["b_s0"])]
    assert returns["runSets"][0]["grouping"] == [{"section": "config", "name": "steps.value"}]
    assert returns["runSets"][0]["filters"]["filters"][0]["key"] == {"section": "run", "name": "displayName"}
    panels = [panel["config"] for panel in returns["panelBankSectionConfig"]["panels"]]
    assert [(panel["xAxis"], panel["metrics"]) for panel in panels] == [
        ("step", ["env/return"]),
        ("_runtime", ["env/return"]),
    ]
    assert [runs["name"] for runs in losses["runSets"]] == ["g"]
    for grid, key, run in ((videos, "videos", "a_s0"), (samples, "samples", "g")):
        (panel,) = grid["panelBankSectionConfig"]["panels"]
        assert panel["config"]["mediaKeys"] == [key]
        assert [runs["filters"]["filters"][0]["value"] for runs in grid["runSets"]] == [[run]]


def test_text_and_tables_are_the_same_as_in_markdown(kept):
    blocks = json.loads(kept.read_text())["spec"]["blocks"]
    texts = [block["content"] for block in blocks if block["type"] == "markdown-block"]
    assert any("| a | catch | 0.5 (0 to 1) | 0, 1 | end of training |" in text for text in texts)
    assert any("```shell\nsandbox train a_s0\n" in text for text in texts)
    assert any(text.startswith("b_s0: return over env.size: `") for text in texts)  # only the run folder has it


def test_intervals_are_those_of_the_local_page(kept, document):
    returns, _, _, _ = grids(json.loads(kept.read_text()))
    for panel in returns["panelBankSectionConfig"]["panels"]:
        assert panel["config"]["groupArea"] == "none"  # W&B's own bands are others
    (line,) = [line for line in plots_of(document)[0].lines if line.low]
    blocks = json.loads(kept.read_text())["spec"]["blocks"]
    texts = [block["content"] for block in blocks if block["type"] == "markdown-block"]
    (table,) = [text for text in texts if "environment steps | env/return (IQM) | 95 % interval" in text]
    low, high = line.low[-1], line.high[-1]
    assert table.splitlines()[-1] == f"| a | {line.x[-1]:.4g} | {line.y[-1]:.4g} | {low:.4g} to {high:.4g} |"
    assert low < line.y[-1] < high


def plots_of(document):
    return [item for block in document.blocks if isinstance(block, Gallery) for item in block.items]


def test_a_video_that_training_did_not_log_is_no_panel(make, video, tmp_path):
    run = make("a_s0", [0.0, 1.0])
    video(run.videos / "step_100_seed_3.mp4")  # of `sandbox watch --video`
    report = build_report([RunRecord.read(run)], title="One")
    workspace.save(workspace.build(report, "mine"), tmp_path / "r.json")
    assert "mediaKeys" not in (tmp_path / "r.json").read_text()


@pytest.fixture
def server(monkeypatch):
    """Return the reports that would be sent to W&B."""
    sent = []

    def answer(api, query, variables):
        sent.append(variables)
        view = {"id": "Vmlldzo1", "name": "n", "displayName": variables["displayName"], "spec": variables["spec"]}
        view["project"] = {"name": variables["projectName"], "entityName": variables["entityName"], "id": 1}
        return {"upsertView": {"view": view}}

    api = SimpleNamespace(default_entity="me", projects=lambda entity: [SimpleNamespace(name="mine")])
    monkeypatch.setattr(interface, "_get_api", lambda: api)
    monkeypatch.setattr(interface, "execute_graphql", answer)
    monkeypatch.setattr(interface, "get_app_url", lambda api: "https://wandb.example")
    monkeypatch.setattr("wandb.Api", lambda: api)
    return sent


def test_what_was_kept_is_published_later(kept, server):
    assert workspace.publish(workspace.load(kept)) == "https://wandb.example/me/mine/reports/All--Vmlldzo1"
    (sent,) = server
    assert (sent["entityName"], sent["projectName"], sent["displayName"]) == ("me", "mine", "All")
    assert json.loads(sent["spec"]) == json.loads(kept.read_text())["spec"]


def test_wandb_does_not_take_it(document, server, monkeypatch):
    def refuse(*_):
        raise Exception("permission denied\nand more")

    monkeypatch.setattr(interface, "execute_graphql", refuse)
    with pytest.raises(UserError) as refused:
        workspace.publish(workspace.build(document, "mine"))
    assert str(refused.value) == "Weights & Biases refused the report: permission denied."


@pytest.mark.parametrize("text", ["{", '{"spec": {"blocks": 5}}', "[]"])
def test_another_file(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(UserError, match=r"x\.json is not a W&B Report as `sandbox report --wandb` writes it: "):
        workspace.load(tmp_path / "x.json")
    with pytest.raises(UserError, match=r"cannot read .*/y.json: No such file or directory\."):
        workspace.load(tmp_path / "y.json")
