"""What a checkpoint belongs to."""

import copy
import json
from types import SimpleNamespace

import pytest

from sandbox.core.errors import UserError
from sandbox.runs.recorder import ConfigGuard, RunRecorder
from sandbox.runs.resolve import resolve

WORDS = ["steps=100", "env={name: catch, wrappers: [{flicker: {p: 0.25}}]}", "agent.name=rainbow", "seed=3"]


def pinned(*words):
    return ConfigGuard(resolve([], [*WORDS, *words]))


@pytest.fixture
def saved():
    """As an older version may have left it: every test takes something away, or puts something in."""
    return json.loads(json.dumps(pinned().state_dict()))


def refused(state, *words):
    with pytest.raises(UserError) as error:
        pinned(*words).load_state_dict(state)
    return str(error.value)


def test_the_same_settings_go_on(saved):
    before = copy.deepcopy(saved)
    pinned("steps=900", "log_period=7").load_state_dict(saved)
    assert saved == before


def test_an_option_younger_than_the_checkpoint_had_its_default(saved):
    del saved["agent"]["double"], saved["agent"]["stream"]["n_step"], saved["agent"]["stream"]["replay"]["capacity"]
    del saved["agent"]["optimizer"]["eps"], saved["env"]["blind"], saved["env"]["wrappers"], saved["precision"]
    saved["env"]["wrappers"] = [{"flicker": {"p": 0.25}}]
    pinned().load_state_dict(saved)
    for word in ("double=false", "stream.n_step=2", "stream.replay.capacity=7000", "optimizer.eps=1e-8"):
        assert refused(saved, f"agent.{word}").startswith("config.yaml has another agent than when this run was saved.")
    assert refused(saved, "env.blind=true", "precision=bf16") == (
        "config.yaml has another precision, env than when this run was saved. "
        "Put it back to resume, or train a new run with these settings."
    )


def test_changed_settings_are_refused(saved):
    assert "another seed than" in refused(saved, "seed=4")
    assert "another env than" in refused(saved, "env.wrappers=[{flicker: {p: 0.5}}]")
    assert "another env, agent than" in refused(saved, "env={name: snake}", "agent={name: dqn}")


def test_settings_that_are_no_more_are_refused_by_name(saved):
    saved["agent"]["dobule"] = True
    assert refused(saved) == (
        "this run was saved by another version, whose settings this one does not read: the checkpoint: agent.dobule: "
        "unknown option. Did you mean 'double'? Resume it with that version (run.json says which), or train a new run."
    )


@pytest.mark.parametrize(
    ("config", "causes"),
    [
        (
            "catch_dqn",
            ", gradients without a limit (set clip_norm: 10 in the optimizer's section), or rewards or "
            "observations that are not finite.",
        ),
        (
            "digits_gan",
            ", gradients without a limit (set clip_norm: 10 in the optimizer's section), or data that are not finite.",
        ),
        ("digits_rbm", " or data that are not finite."),
    ],
)
def test_advice_is_about_what_the_learner_has(config, causes):
    journal = RunRecorder(SimpleNamespace(config=resolve([config], [])), None, None, None, None, None)
    assert journal.advice() == f"Likely causes: a learning rate that is too large (try a tenth of it){causes}"
