"""Hints that can be typed: each wrong command is typed again as its message says, and that mistake is gone."""

import json
import re
import shlex
from pathlib import Path

import pytest

from sandbox.cli import bench as bench_module
from sandbox.cli._generator import class_number
from sandbox.cli._kinds import _member_to_train, sections_with
from sandbox.config.files import split, to_yaml
from sandbox.core.errors import UserError
from sandbox.runs import registry, sessions, start
from sandbox.runs.resolve import resolve
from sandbox.storage.run_folder import RunFolder
from sandbox.viewer import display
from sandbox.viewer.keys import key_name

HINT = re.compile(r"[Dd]id you mean (.*?)\?(?:[ \n]|$)|Possible options: (.*?)\)|(?:: |with )(`sandbox [^`]*`)\.?\n")
GONE = "begins here"  # said by what would take long, in place of it


@pytest.fixture(autouse=True)
def quick(sandbox, tmp_path, monkeypatch):
    """A run in the working folder; trainings, windows and measurements end at once."""

    def end(*_, **__):
        raise UserError(GONE)

    monkeypatch.setattr(start, "start", end)
    monkeypatch.setattr(start, "resume", lambda folder, *_, **__: folder.require_whole("resuming") or end())
    monkeypatch.setattr(sessions, "in_a_window", end)
    monkeypatch.setattr(display, "require_display", lambda _: None)
    monkeypatch.setattr(bench_module, "import_module", end)
    for name, config in {"drawn": "digits_vae", "mine": "catch_dqn"}.items():
        run = RunFolder.create(tmp_path / "runs", name, config=to_yaml(resolve([config], [f"name={name}"])), command=[])
    run.metrics.write_text(json.dumps({"step": 5, "time": 1.0, "env/return": 0.5}) + "\n")
    (tmp_path / "one").mkdir()
    (tmp_path / "one/config.yaml").write_text("env: {name: catch}\nagent: {name: random}\nsteps: 10\n")


def hints(message):
    """Return what a message proposes, one list of words for each alternative."""
    found = HINT.search(message)
    assert found, message
    text = next(filter(None, found.groups()))
    return [shlex.split(each.strip("`")) for each in re.split(r" or |(?<=['\w]), (?=['-])", text)]


def typed(words, wrong, hint):
    """Return the command with a hint in the place of what is wrong: a command, an override, or a part of a word."""
    if hint[0] == "sandbox":
        return hint[1:]
    new, *more = [word for word in hint if word != "with"]
    *_, place = [index for index, word in enumerate(words) if wrong in word]
    whole = "=" in new or wrong == words[place]
    fixed = new if whole else words[place].replace(wrong, new, 1)
    return [*words[:place], fixed, *words[place + 1 :], *more]


# The command, the part of it that is wrong, and the end of the message afterwards; none if the command works.
CASES = [
    (["shwo", "dqn"], "shwo", ""),
    (["evaluate", "--episods", "3"], "--episods", "no checkpoint"),
    (["train", "catch_dqn", "--rseume"], "--rseume", GONE),
    (["train", "catch_dqn", "--seed", "3"], "--seed", GONE),
    (["train", "catch_dqn", "name=x", "--evaluate-period=100"], "--evaluate-period", GONE),
    (["play", "catch", "--observe", "features"], "--observe", GONE),
    # options
    (["show", "catch_dqn", "sede=7"], "sede", ""),
    (["show", "catch_dqn", "lr=1e-3"], "lr", ""),
    (["show", "catch_dqn", "agent.lr=1e-3"], "agent.lr", ""),
    (["show", "catch_dqn", "agent.optimizer.learning_rate=1e-3"], "agent.optimizer.learning_rate", ""),
    (["show", "catch_dqn", "agent.gamma=0.9"], "agent.gamma", ""),
    (["show", "catch_dqn", "agent.total_timesteps=100"], "agent.total_timesteps", ""),
    (["show", "catch_dqn", "agent.stream.capacity=5_000"], "agent.stream.capacity", ""),
    (["show", "catch_dqn", "agent.min_squared_gradient=0.1"], "agent.min_squared_gradient", ""),
    (["show", "catch_dqn", "agent.exponent=3"], "agent.exponent", ""),
    (["show", "catch_dqn", "agent.exploration.name=apex", "agent.exponent=3"], "agent.exponent", ""),
    (["show", "catch_dqn", "env.blnd=true"], "env.blnd", ""),
    (["show", "catch_dqn", "env.p=0.5"], "env.p", ""),
    (["show", "catch_dqn", "p=0.5"], "p=", ""),
    (["show", "catch_dqn", "env.flicker.p=0.5"], "env.flicker", ""),
    (["show", "catch_dqn", "env.wrappers.flicker.p=0.5"], "env.wrappers.flicker", ""),
    (["show", "catch_dqn", "env.wrappers=flicker"], "flicker", ""),
    (["show", "catch_dqn", "env.wrappers=[flicker]"], "flicker", ""),
    (["show", "catch_dqn", "env.wrappers=[{flikcer: {p: 0.5}}]"], "flikcer", ""),
    (["show", "catch_dqn", "env.wrappers=[{noise: {}}, {frame_stack: {cuont: 4}}]"], "cuont", ""),
    (["show", "flicker_pong_dqn", "env.p=0.5"], "env.p", ""),
    (["show", "catch_sb3", "agent.options.dnq.gamma=0.9"], "agent.options.dnq", ""),
    (["evaluate", "mine", "env.blnd=true"], "env.blnd", "no checkpoint"),
    (["evaluate", "mine", "--vary", "blind=true,false"], "blind", "no checkpoint"),
    (["play", "catch", "blnd=true"], "blnd", GONE),
    (["resume", "mine", "agent.discount=0.5"], "agent.discount=0.5", GONE),
    (["evaluate", "mine", "agent.discount=0.5"], "agent.discount=0.5", GONE),
    # values
    (["show", "catch_dqn", "device=cudaa"], "cudaa", ""),
    (["show", "catch_dqn", "logger.wandb=of"], "of", ""),
    (["show", "catch_dqn", "agent.exploration.name=apxe"], "apxe", ""),
    # members
    (["show", "catch_dqn", "agent=dqn"], "dqn", ""),
    (["show", "catch_random", "agent=dqnn"], "dqnn", ""),
    (["show", "catch_random", "agent.name=dqnn"], "dqnn", ""),
    (["show", "catch_dqn", "agent.name=ppo"], "ppo", ""),
    (["show", "catch_dqn", "env=CartPole-v1"], "CartPole-v1", ""),
    (["show", "catch_dqn", "env.name=CartPole-v1"], "CartPole-v1", ""),
    (["show", "catch_dqn", "env.name=ctach"], "ctach", ""),
    (["show", "catch_dqn", "agent.backbone=mlp"], "mlp", ""),
    (["show", "catch_dqn", "agent.backbone=cnn"], "cnn", ""),
    (["show", "catch_dqn", "agent.backbone.name=mpl"], "mpl", ""),
    (["show", "catch_dqn", "agent.optimizer.name=rmsprop"], "rmsprop", ""),
    (["show", "digits_vae", "data=digtis"], "digtis", ""),
    (["show", "digits_vae", "data.name=digtis"], "digtis", ""),
    (["show", "digits_vae", "generator.name=vqvae"], "vqvae", ""),
    (["show", "atari_pong_dqn", "env.game=breakuot"], "breakuot", ""),
    (["show", "lunar_lander_rainbow", "env.id=LunarLandr-v3"], "LunarLandr-v3", ""),
    (["show", "dqnn"], "dqnn", ""),
    (["show", "agent.dqnn"], "agent.dqnn", ""),
    (["show", "agent.vae"], "agent.vae", ""),
    (["check", "dqnn", "steps=many"], "dqnn", "needs a whole number, got 'many'."),
    (["new", "agnet", "mine"], "agnet", ""),
    (["list", "agnets"], "agnets", ""),
    (["bench", "evns"], "evns", GONE),
    (["evaluate", "mine", "--vary", "env.wrappers.flickr.p=0.1,0.2"], "flickr", "no checkpoint"),
    (["play", "pogn"], "pogn", GONE),
    (["play", "CartPole-v1"], "CartPole-v1", GONE),
    (["play", "breakout"], "breakout", GONE),
    (["play", "breakuot"], "breakuot", GONE),
    (["play", "atari", "game=breakuot"], "breakuot", GONE),
    # configs and runs
    (["train", "cacth_dqn"], "cacth_dqn", GONE),
    (["train", "cacth_dqn.yaml"], "cacth_dqn.yaml", GONE),
    (["train", "one"], "one", GONE),
    (["train", "mine"], "mine", GONE),
    (["train", "mine@200"], "mine@200", GONE),
    (["train", "runs/mine"], "runs/mine", GONE),
    (["show", "mien"], "mien", ""),
    (["watch", "mien"], "mien", "no checkpoint"),
    (["evaluate", "mien@200"], "mien@200", "mine has no checkpoint of step 200"),
    (["runs", "diff", "mine", "mien"], "mien", ""),
    (["play", "pong", "--vs", "mien"], "mien", "mine was trained in catch"),
    (["runs", "agnt=dqn"], "agnt", ""),
    (["report", "finishd=false"], "finishd", ""),
    (["report", "mine", "--metric", "env/retrun"], "env/retrun", ""),
    (["evaluate", "mine", "--images", "5"], "--images", "no checkpoint"),
    (["evaluate", "drawn", "--episodes", "5"], "--episodes", "no checkpoint"),
]


@pytest.mark.parametrize(("words", "wrong", "after"), CASES, ids=["_".join(words) for words, *_ in CASES])
def test_what_a_message_proposes_can_be_typed(sandbox, words, wrong, after):
    said = sandbox(*words)
    assert said.code == 2
    for hint in hints(said.err):
        again = typed(words, wrong, hint)
        assert again != words
        then = sandbox(*again)
        if after:
            assert after in then.err, then
            assert "id you mean" not in then.err, then
        else:
            assert then.code == 0, (again, then)


@pytest.mark.parametrize(
    ("named", "wrong"),
    [(key_name, "lft"), (lambda name: class_number(name, ["cat", "dog"], RunFolder(Path("mine"))), "dgo")],
)
def test_names_of_keys_and_classes_are_known(named, wrong):
    with pytest.raises((UserError, ValueError)) as error:
        named(wrong)
    for hint in hints(f"{error.value}\n"):
        named(*hint)


def test_runs_elsewhere_stay_elsewhere(sandbox, tmp_path):
    (tmp_path / "runs").rename(tmp_path / "else where")
    said = sandbox("train", "mine", "--runs", "else where")
    assert said.err == ("error: 'mine' is a run, not a config: go on with `sandbox resume mine --runs 'else where'`.\n")
    assert sandbox("resume", "mine", "--runs", "else where").err.endswith(f"{GONE}\n")


@pytest.mark.parametrize("family", ["envs", "agents", "generators", "data", "wrappers"])
def test_a_member_in_place_of_a_config_trains_as_its_message_says(family):
    for name in registry.names(family):
        for section in sections_with(name):
            message = _member_to_train(section, name)
            found = re.search(r"`sandbox train (.*?)`|(env\.wrappers='.*?')\.$", message)
            assert found, message
            files, overrides = split(shlex.split(found[1] or f"catch_dqn {found[2]}"))
            resolve(files, overrides)
