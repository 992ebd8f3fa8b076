"""`sandbox evaluate --vary`, on runs of a second."""

import json
import sys
from pathlib import Path

import pytest
from PIL import Image

from sandbox.cli.main import main
from sandbox.core.errors import UserError
from sandbox.runs.option_sweep import Variation, VariedRun
from sandbox.storage.run_folder import RunFolder

TINY = [
    "catch_dqn",
    "agent.backbone={name: mlp, hidden: [8]}",
    "agent.stream.replay={num_envs: 4, capacity: 400, warmup: 100, update_period: 8}",
    "env.observe=features",
    "steps=200",
    "evaluate_period=0",
    "logger.wandb=off",
    "threads=1",
]
FLICKER = "env.wrappers=[{noise: {std: 0.1}}, {flicker: {p: 0.5}}, {time_limit: {steps: 50}}]"
TWICE = "env.wrappers=[{flicker: {p: 0.5}}, {flicker: {p: 0.1}}]"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Three runs: with flicker between other wrappers, without wrappers, and with flicker twice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("vary"))
        for words in (["name=flicker", FLICKER, "agent.evaluation_epsilon=0.3"], ["name=plain"], ["name=twice", TWICE]):
            patch.setattr(sys, "argv", ["sandbox", "train", *TINY, *words, "--quiet"])
            with pytest.raises(SystemExit) as stop:
                main()
            assert not stop.value.code
        yield


@pytest.fixture
def evaluate(runs, monkeypatch, capsys):
    """Run `sandbox evaluate` with 20 episodes per value; returns exit code, standard output and standard error."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["sandbox", "evaluate", "--episodes", "20", *words])
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code or 0, *capsys.readouterr()

    return run


def objects(said):
    assert said[0] == 0, said
    return json.loads(said[1])


def test_the_trained_value_scores_what_plain_evaluate_says(evaluate):
    """The result of a value does not depend on the values before it: no state or random numbers carry over."""
    plain = objects(evaluate("flicker", "--json"))
    for values in ("0.5,0.1,0.9", "0.1,0.5,0.9", "0.1,0.9,0.5"):
        varied = objects(evaluate("flicker", "--vary", f"env.wrappers.flicker.p={values}", "--json"))
        assert [point for point in varied["points"] if point["value"] == 0.5] == [
            {**plain, "value": 0.5, "trained": 0.5}
        ]


def test_every_value_has_the_same_episodes(evaluate):
    """Neither time limit is reached, so results could differ by random numbers only."""
    points = objects(evaluate("flicker", "--vary", "env.wrappers.time_limit.steps=40,49", "--json"))["points"]
    assert {**points[0], "value": 49} == points[1]
    assert points[0]["return_std"] > 0


def test_a_wrapper_by_its_number(evaluate):
    found = objects(evaluate("flicker", "--vary", "env.wrappers.2.time_limit.steps=3,50", "--json"))["points"]
    assert [(point["value"], point["trained"], point["length_mean"]) for point in found] == [(3, 50, 3), (50, 50, 9)]


def test_json(evaluate):
    said = evaluate("flicker", "plain", "--vary", "env.wrappers.time_limit.steps=3,50", "--json")
    found = objects(said)
    assert found.keys() == {"vary", "points", "plot"}
    assert found["vary"] == "env.wrappers.time_limit.steps"
    assert [(point["run"], point["value"], point["trained"]) for point in found["points"]] == [
        ("flicker", 3, 50),
        ("flicker", 50, 50),
        ("plain", 3, None),
        ("plain", 50, None),
    ]
    assert [point["length_mean"] for point in found["points"]] == [3, 9, 3, 9]
    assert said[2] == "note: plain was trained without time_limit; it is added as the outermost wrapper\n"


def test_a_wrapper_that_a_run_has_not_is_put_around_the_others(runs):
    varied = VariedRun.check(RunFolder(Path("runs/flicker")), Variation("env.wrappers.blackout.p", (0.1,)))
    (config,) = varied.configs
    assert [wrapper.chosen[0] for wrapper in config.env.wrappers] == ["noise", "flicker", "time_limit", "blackout"]
    assert config.env.wrappers[1].chosen[1].p == 0.5


def test_the_table_and_the_image(evaluate, runs, tmp_path):
    code, out, err = evaluate("flicker", "plain", "--vary", "env.wrappers.flicker.p=0.5,...,1")
    assert code == 2
    place = tmp_path / "new" / "curve.png"
    code, out, err = evaluate(
        "flicker", "plain", "--vary", "env.wrappers.flicker.p=0.25,0.5,...,1.0", "--plot", str(place)
    )
    lines = out.splitlines()
    assert lines[:2] == [
        "flicker: trained with 0.5; episodes per value 20, seed 12345, step 200, evaluation_epsilon 0.3",
        "plain: trained without it; episodes per value 20, seed 12345, step 200, evaluation_epsilon 0.0",
    ]
    assert lines[2].split() == ["env.wrappers.flicker.p", "flicker", "95", "%", "length", "plain", "95", "%", "length"]
    assert [line.split()[0] for line in lines[3:-1]] == ["0.25", "0.5", "0.75", "1.0"]
    assert all(line.split()[2::4] == ["±", "±"] for line in lines[3:-1])
    assert lines[-1] == str(place)
    assert "step=1/8 return_mean=" in err  # plain lines in a pipe, the first and the last at least
    assert "step=8/8 return_mean=" in err
    with Image.open(place) as image:
        assert image.format == "PNG"


def test_the_image_lies_in_the_first_runs_samples(evaluate):
    found = objects(evaluate("plain", "flicker", "--vary", "env.blind=true,false", "--json"))
    assert found["plot"] == "runs/plain/samples/vary_env.blind.png"
    with Image.open(found["plot"]) as image:
        assert image.format == "PNG"
    assert {point["trained"] for point in found["points"]} == {False}


def test_how_greedily_it_plays_can_be_varied_too(evaluate):
    points = objects(evaluate("plain", "--vary", "agent.evaluation_epsilon=0,1", "--json"))["points"]
    assert [point["evaluation_epsilon"] for point in points] == [0.0, 1.0]
    assert points[0]["return_mean"] != points[1]["return_mean"]


def test_a_cut_episode_is_said(evaluate, monkeypatch):
    monkeypatch.setattr("sandbox.evaluate.agents.MAX_STEPS", 5)
    _, _, err = evaluate("plain", "--vary", "env.blind=true", "--json")
    assert err == (
        "note: 20 of 20 episodes of plain did not end with env.blind=true; "
        "they were cut, and count with their return until then\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "flicker --vary env.blnd=true,false",
            "command line: env.blnd=true: unknown option. Did you mean 'env.blind'?",
        ),
        ("flicker --vary blind=true", "command line: blind=true: unknown option. Did you mean 'env.blind'?"),
        (
            "flicker --vary env.wrappers.flicker.p=0.1,2,x",
            "command line: env.wrappers.flicker.p=2: env.wrappers.1.flicker.p: needs a value <= 1, got 2.",
        ),
        (
            "flicker --vary env.wrappers.flicker.p=0.1,x",
            "command line: env.wrappers.flicker.p=x: env.wrappers.1.flicker.p: needs a number, got 'x'.",
        ),
        (
            "flicker --vary env.wrappers.flickr.p=0.1",
            "no wrapper is called 'flickr'. Did you mean 'flicker'? See `sandbox list wrappers`.",
        ),
        (
            "flicker --vary env.wrappers.3.flicker.p=0.1",
            "--vary env.wrappers.3.flicker.p: the run has 3 wrappers, counted from 0; name one instead",
        ),
        (
            "twice --vary env.wrappers.flicker.p=0.1",
            "command line: env.wrappers.flicker.p=0.1: env.wrappers has 2 items called flicker; "
            "say which one: env.wrappers.0.flicker or env.wrappers.1.flicker.",
        ),
        (
            "flicker plain --vary env.observe=features,pixels",
            "env.observe=pixels: flicker was built for [50] numbers and 3 actions, but this gives [1, 84, 84] bytes "
            "and 3 actions. Leave it out, or train a new run with it.",
        ),
        (
            "flicker --vary agent.discount=0.9,1",
            "agent.discount=0.9: agent.discount affects training, and flicker is trained already. Only env.* and "
            "agent.evaluation_epsilon, device, precision, threads can be changed. Train a new run with it: "
            "`sandbox train runs/flicker/config.yaml agent.discount=0.9 name=another`",
        ),
        (
            "flicker plain",
            "flicker and plain have different environments (env.wrappers is [{noise: {std: 0.1}}, {flicker: {p: 0.5}}, "
            "{time_limit: {steps: 50}}] and []): add 'env.wrappers=[{noise: {std: 0.1}}, {flicker: {p: 0.5}}, "
            "{time_limit: {steps: 50}}]' to evaluate both alike, or evaluate each alone",
        ),
        (
            "flicker --plot a.png",
            "--plot shows several runs or several values: give another run or --vary, or leave --plot out",
        ),
        (
            "flicker --vary env.blind=true --plot a.pdf",
            "--plot a.pdf: images are PNG; name it a.png",
        ),
    ],
)
def test_mistakes_are_told_before_anything_is_played(evaluate, monkeypatch, words, message):
    monkeypatch.setattr("sandbox.runs.option_sweep.evaluate_with", None)
    code, out, err = evaluate(*words.split(" "))
    assert (code, out, err.removeprefix("note: ")) == (2, "", f"error: {message}\n")


def test_generators_have_no_environment(sandbox):
    tiny = ["steps=2", "generator.stream.batch_size=4", "checkpoint_period=2", "logger.wandb=off", "media_period=0"]
    assert sandbox("train", "digits_rbm", *tiny, "evaluate_period=0", "name=rbm", "--quiet").code == 0
    said = sandbox("evaluate", "rbm", "--vary", "env.length=1,2")
    assert said.code == 2
    assert said.err == "error: --vary: rbm is a generator and cannot play; give an agent's run\n"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.1,0.2,...,1.0", (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)),
        ("0,0.1,0.2,…,0.5", (0, 0.1, 0.2, 0.3, 0.4, 0.5)),
        ("10,20,...,50", (10, 20, 30, 40, 50)),
        ("1,0.5,...,-1", (1, 0.5, 0.0, -0.5, -1.0)),
        ("1, 2, ..., 3", (1, 2, 3)),
        ("true,null,on,{a: 1},[1, 2]", (True, None, "on", {"a": 1}, [1, 2])),
        ("3e-4", (3e-4,)),
    ],
)
def test_lists_of_values(text, values):
    parsed = Variation.parse(f"env.x={text}")
    assert parsed == Variation("env.x", values)
    assert list(map(type, parsed.values)) == list(map(type, values))


EXAMPLE = "needs an option and its values, such as env.wrappers.flicker.p=0.1,0.2,...,1.0"
DOTS = "`...` needs two numbers before it and one after it that their step reaches, as in 0.1,0.2,...,1.0"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("env.x", EXAMPLE),
        ("env.x= ", EXAMPLE),
        ("=1", EXAMPLE),
        ("env.x=1,...,3", DOTS),
        ("env.x=1,2,...", DOTS),
        ("env.x=1,2,...,4.5", DOTS),
        ("env.x=1,2,...,0", DOTS),
        ("env.x=1,1,...,3", DOTS),
        ("env.x=1,2,...,3,4", DOTS),
        ("env.x=1,2,...,1000000", DOTS),
        ("env.x=a,b,...,d", DOTS),
        ("env.x=1,2,...,.inf", DOTS),
        ("env.x=1,2,...,.nan", DOTS),
        ("env.x=0.5,1,0.5", "0.5 comes twice; give each value once"),
        ("env.x=[1", "not YAML: expected ',' or ']', but got '<stream end>'."),
    ],
)
def test_lists_that_are_none(text, message):
    with pytest.raises(UserError) as error:
        Variation.parse(text)
    assert str(error.value) == f"--vary {text}: {message}"
