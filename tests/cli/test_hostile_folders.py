"""Run folders whose small files were changed by somebody else: every command answers, and nothing is let through."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from tiny_runs import TINY

COMMANDS = (
    ["runs"],
    ["runs", "--json"],
    ["show", "r"],
    ["show", "r", "--json"],
    ["report", "r", "--out", "page.html"],
    ["report", "r", "--out", "page.md"],
    ["export", "r"],
    ["evaluate", "r", "--episodes", "1"],
    ["resume", "r"],
)
FILES = ("config.yaml", "run.json", "metrics.jsonl", "summary.json", "evaluation.json")
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")
ESC = "\x1b[31mred\x1b]0;title\x07"
TAG = "```\n<script>alert(1)</script><img src=x onerror=alert(1)>\n```"
OWN = '<script id="interaction">'  # the page's own script; its policy allows no other
WORDS = [ESC, TAG, "\udcff", "‮evil", "a\u2028b", "x" * 5_000, "../../etc", "$(touch x)", "nan", ""]
VALUES: list[Any] = [None, True, -1, 0, 2**70, 1e308, [], {}, [1, 2], {"a": {"b": []}}, *WORDS]
RAW = [b"", b"[1,2]", b'{"step": 1e400}', b"[" * 100_000, b"\xff\xfe\x00", b"{", b"null", b'{"step": "Infinity"}\n' * 3]
RAW += [b"a: " * 1_000, b"&a [*a, *a]", b"!!python/object/apply:os.system [ls]", b"{}" * 100_000, b"\x00" * 1_000]


def change_json(text: str, rng: random.Random) -> str:
    """Replace, add or drop an entry of a random object in JSON."""
    tree = json.loads(text)
    objects, todo = [], [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            objects.append(node)
            todo += node.values()
    chosen = rng.choice(objects)
    key = rng.choice([*chosen, *WORDS])
    if rng.random() < 0.2:
        chosen.pop(key, None)
    else:
        chosen[key] = rng.choice(VALUES)
    return json.dumps(tree)


def change_lines(text: str, rng: random.Random) -> str:
    """Replace, double or cut a line, or change the word after a colon."""
    lines = text.splitlines()
    index = rng.randrange(len(lines))
    kind = rng.choice(["value", "double", "cut", "insert"])
    if kind == "value":
        head, colon, _ = lines[index].partition(":")
        lines[index] = f"{head}{colon} {json.dumps(rng.choice(VALUES))}"
    elif kind == "double":
        lines.insert(index, lines[index])
    elif kind == "cut":
        lines[index] = lines[index][: rng.randrange(len(lines[index]) + 1)]
    else:
        lines.insert(index, rng.choice(["x: 1", "- 1", "  y: 2", '{"step": 5, "time": 1, "\x1b[2J": 1}']))
    return "\n".join(lines) + "\n"


def mutate(run: Path, rng: random.Random) -> str:
    """Change one small file of a run folder; return a description."""
    name = rng.choice(FILES)
    file = run / name
    if rng.random() < 0.25:
        raw = rng.choice(RAW)
        file.write_bytes(raw)
        return f"{name}: {raw[:40]!r}"
    change = change_lines if name == "config.yaml" else change_json
    if name == "metrics.jsonl":
        lines = file.read_text().splitlines()
        index = rng.randrange(len(lines))
        lines[index] = change_json(lines[index], rng)
        text = "\n".join(lines) + "\n"
    else:
        text = change(file.read_text(), rng)
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    return f"{name}: {text[:3_000]!r}"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with an evaluation."""
    from sandbox.cli import main

    folder = tmp_path_factory.mktemp("original")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for words in (["train", *TINY, "name=r", "--quiet"], ["evaluate", "r", "--episodes", "2", "--json"]):
            patch.setattr("sys.argv", ["sandbox", *words])
            with pytest.raises(SystemExit):
                main.main()
    return folder / "runs" / "r"


def attack(sandbox: Callable[..., Any], original: Path, folder: Path, count: int, seed: int) -> None:
    rng = random.Random(seed)
    run = folder / "runs" / "r"
    for _ in range(count):
        shutil.rmtree(folder / "runs", ignore_errors=True)
        shutil.rmtree(folder / "exports", ignore_errors=True)
        shutil.copytree(original, run)
        told = mutate(run, rng)
        for words in rng.sample(COMMANDS, 4):
            said = sandbox(*words)
            assert said.code in (0, 2), (told, words, said)
            assert not any(code in said.out + said.err for code in ("\x1b", "\x07", "‮", "Traceback")), (told, words)
        for page in (*folder.glob("page.*"), *folder.rglob("README.md")):
            text = page.read_text("utf-8", "replace")
            html = text.replace(OWN, "", 1) if page.suffix == ".html" else MARKDOWN.render(text)
            assert "<script" not in html, (told, page)
            assert "<img src=x" not in html, (told, page)
            page.unlink()


def test_every_command_answers(sandbox, original: Path, tmp_path: Path) -> None:
    attack(sandbox, original, tmp_path, 12, seed=0)


@pytest.mark.attack
@pytest.mark.parametrize("seed", range(1, 8))
def test_every_command_answers_many_times(sandbox, original: Path, tmp_path: Path, seed: int) -> None:
    attack(sandbox, original, tmp_path, 100, seed)
