"""The report as a document, as a page and as Markdown."""

import base64
import hashlib
import re

import pytest

from sandbox.config.files import to_yaml
from sandbox.config.yaml_text import Origin
from sandbox.core.errors import UserError
from sandbox.report import markdown
from sandbox.report.build import build_report
from sandbox.report.document import Code, Document, Gallery, Heading, Plot, Table, Text
from sandbox.report.media_files import MediaBudget
from sandbox.report.page import page
from sandbox.report.run_record import RunRecord
from sandbox.runs.resolve import checked


def read(*folders):
    return [RunRecord.read(folder) for folder in folders]


@pytest.fixture
def several(make, video, png):
    """Two groups of agents, and a generator."""
    runs = [make(f"a_s{n}", [0.0, n], seed=n) for n in (0, 1)]
    runs += [make("b_s0", [1.0, 2.0], lr=0.5), make("g", [3.0, 2.0], generator=True, learner="vae")]
    video(runs[0].videos / "step_000000000100.mp4")
    png(runs[3].samples / "step_000000000100.png")
    png(runs[2].samples / "vary_env.size.png")
    return read(*runs)


def test_the_sections_and_their_contents(several):
    document = build_report(several, title="All")
    headings = [block.text for block in document.blocks if isinstance(block, Heading)]
    assert headings == [
        "Scores",
        "Generators",
        "Learning curves",
        "env/return on catch",
        "loss on digits",
        "Videos",
        "Samples",
        "Evaluations under changed options, and other images",
        "Runs",
        "Differences between the configs of the agents",
        "Time and machine",
        "Reproduction",
    ]
    plots = [item for block in document.blocks if isinstance(block, Gallery) for item in block.items]
    shown = [(item.metric, item.axis, item.groups) for item in plots if isinstance(item, Plot)]
    agents = [("a", ["a_s0", "a_s1"]), ("b_s0", ["b_s0"])]
    assert shown[:2] == [("env/return", "step", agents), ("env/return", "time", agents)]
    assert [item.file.suffix for item in plots if not isinstance(item, Plot)] == [".mp4", ".png", ".png"]
    tables = [block for block in document.blocks if isinstance(block, Table)]
    assert tables[2] == Table(["option", "a", "b_s0"], [["agent.optimizer.lr", "0.001", "0.5"]])
    (commands,) = [block.text for block in document.blocks if isinstance(block, Code) and block.title == "Commands"]
    assert commands.splitlines()[0] == "sandbox train a_s0"


def test_generators_are_plotted_by_the_most_important_metric_of_each(make):
    """Losses of different kinds are not comparable, and share a plot only on request."""
    rbm, vae = (make(name, [1.0], generator=True, learner=name) for name in ("rbm", "vae"))
    with vae.metrics.open("a") as file:
        file.write('{"step": 100, "time": 2.0, "elbo": -9.0}\n')

    def plotted(metrics):
        blocks = build_report(read(rbm, vae), title="", metrics=metrics).blocks
        plots = [block.items[0] for block in blocks if isinstance(block, Gallery)]
        return {plot.metric: [label for label, _ in plot.groups] for plot in plots}

    assert plotted([]) == {"loss": ["rbm"], "elbo": ["vae"]}
    assert plotted(["loss"]) == {"loss": ["rbm", "vae"], "elbo": ["vae"]}


def test_environments_of_one_name_are_distinguished(make):
    document = build_report(read(make("a", [1.0]), make("b", [1.0], blind="true")), title="")
    names = [block.text for block in document.blocks if isinstance(block, Heading) and block.level == 3][:2]
    assert names == ["env/return on catch with blind=false", "env/return on catch with blind=true"]


def test_a_likelihood_is_on_a_page_with_its_binarization(make):
    """In the table of runs, above the learning curve, in the config, and, if it was overridden, in the same table."""
    runs = []
    for how in ("threshold", "sample"):
        given = {"data": {"name": "digits", "binarize": how}, "generator": {"name": "rbm"}, "steps": 100, "name": how}
        found = {"log_likelihood": -20.5, "overrides": ["data.binarize=sample"] if how == "threshold" else []}
        runs.append(make(how, [1.0], generator=True, evaluation=found))
        runs[-1].config.write_text(to_yaml(checked(given, {(): Origin("the test")})))
    for records in (read(*runs), *([record] for record in read(*runs))):
        document = build_report(records, title="")
        headings = [block.text for block in document.blocks if isinstance(block, Heading)]
        tables = [block for block in document.blocks if isinstance(block, Table)]
        (measured,) = [table for table in tables if table.headers[0] == "figure"]
        (sources,) = [table for table in tables if "source" in table.headers]
        configs = {block.title: block.text for block in document.blocks if isinstance(block, Code)}
        for record in records:
            how = record.name
            assert measured.rows[0][1 + records.index(record)] == "-20.5"
            assert ("data.binarize=sample" in measured.rows[-1][1 + records.index(record)]) == (how == "threshold")
            assert sources.rows[records.index(record)][2] == f"digits (binarize={how})"
            assert f"loss on digits (binarize={how})" in headings
            assert f"binarize: {how}" in configs[f"Config of {how}"]
            assert f"<td>digits (binarize={how})</td>" in page(document)


def test_a_metric_that_nobody_has_logged(several):
    with pytest.raises(UserError) as refused:
        build_report(several, title="", metrics=["env/retrn"])
    assert str(refused.value) == (
        "no run here has logged 'env/retrn'. Did you mean 'env/return'? Logged: env/return, loss."
    )


def test_runs_that_have_just_begun(make):
    document = build_report(read(make("a"), make("g", generator=True, learner="vae")), title="")
    texts = [block.text for block in document.blocks if isinstance(block, Text)]
    assert "Nothing logged yet: a, g." in texts
    page(document)


def test_a_run_that_has_diverged(make):
    page(build_report(read(make("a", [float("nan"), float("nan")])), title=""))


def test_what_is_left_out_is_listed(make, video):
    run = make("a", [1.0])
    (run.videos).mkdir()
    (run.videos / "step_000000000100.mp4").write_bytes(b"")
    document = build_report(read(run), title="", notes=["No b."], media=MediaBudget())
    assert document.left_out[0] == "No b."
    assert "is left out: it cannot be shown (" in document.left_out[1]
    assert "<h2>Left out</h2>\n<p>No b.</p>" in page(document)


def test_a_page_needs_nothing_from_anywhere(several):
    text = page(build_report(several, title="A & <B>"))
    assert "<title>A &amp; &lt;B&gt;</title>" in text
    assert "data:video/mp4;base64," in text
    assert "data:image/png;base64," in text
    assert not re.findall(r'(?:src|href)="(?!data:)', text)
    (script,) = re.findall(r"<script[^>]*>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert f"default-src 'none'; script-src 'sha256-{digest}';" in policy
    assert set(re.findall(r"https?://[^\"' ]+", text)) == {"http://www.w3.org/2000/svg"}  # a name, not a place


def test_text_is_escaped_on_a_page():
    text = page(Document("t", [Heading("<h>"), Text("say `<u>`"), Table(["<b>"], [["<i> & co"]]), Code("<c>", "<d>")]))
    assert not re.findall("<[hubicd]>", text)
    assert "<p>say <code>&lt;u&gt;</code></p>" in text
    assert "&lt;i&gt; &amp; co" in text


def test_markdown_has_its_media_in_a_folder(several, tmp_path):
    place = tmp_path / "docs" / "all.md"
    markdown.write(build_report(several, title="All"), place)
    text = place.read_text()
    linked = re.findall(r"\]\((all_files/[^)]+)\)", text)
    assert sorted(linked) == sorted(f"all_files/{file.name}" for file in (place.parent / "all_files").iterdir())
    assert "all_files/01_env_return_step.svg" in linked
    assert "[a_s0: at step 100](all_files/05_step_000000000100.mp4) (video)" in text
    assert "| a | catch | 0.5 (0 to 1) | 0, 1 | end of training |" in text


def test_markdown_leaves_names_as_they_are(tmp_path):
    table = Table(["a|b", "_x_"], [["my_run", "<i>"]])
    assert markdown.text_of(table).splitlines() == ["| a\\|b | \\_x\\_ |", "| --- | --- |", "| my_run | \\<i\\> |"]
    assert markdown.text_of(Text("say `a_<b>` *now*")) == "say `a_<b>` \\*now\\*"
    markdown.write(Document("t", []), tmp_path / "t.md")
    assert (tmp_path / "t.md").read_text() == "# t\n"
