"""A checkpoint belongs to its run's config."""

import copy
import json

import pytest

from sandbox.core.errors import UserError
from sandbox.runs.config_guard import ConfigGuard
from sandbox.runs.resolve import resolve

WORDS = ["steps=100", "env={name: catch, wrappers: [{flicker: {p: 0.25}}]}", "agent.name=rainbow", "seed=3"]


def guard(*words):
    return ConfigGuard(resolve([], [*WORDS, *words]))


@pytest.fixture
def saved():
    """The state in a checkpoint; tests remove or add options, as in a checkpoint of an older version."""
    return json.loads(json.dumps(guard().state_dict()))


def refused(state, *words):
    with pytest.raises(UserError) as error:
        guard(*words).load_state_dict(state)
    return str(error.value)


def test_the_same_settings_go_on(saved):
    before = copy.deepcopy(saved)
    guard("steps=900", "log_period=7").load_state_dict(saved)
    assert saved == before


def test_an_option_younger_than_the_checkpoint_had_its_default(saved):
    del saved["agent"]["double"], saved["agent"]["n_step"], saved["agent"]["stream"]["replay"]["capacity"]
    del saved["agent"]["optimizer"]["eps"], saved["env"]["blind"], saved["env"]["wrappers"], saved["precision"]
    saved["env"]["wrappers"] = [{"flicker": {"p": 0.25}}]
    guard().load_state_dict(saved)
    for word in ("double=false", "n_step=2", "stream.replay.capacity=7000", "optimizer.eps=1e-8"):
        assert refused(saved, f"agent.{word}").startswith("config.yaml has another agent than when this run was saved.")
    assert refused(saved, "env.blind=true", "precision=bf16") == (
        "config.yaml has another precision, env than when this run was saved. "
        "Put it back to resume, or train a new run with these settings."
    )


def test_changed_settings_are_refused(saved):
    assert "another seed than" in refused(saved, "seed=4")
    assert "another env than" in refused(saved, "env.wrappers=[{flicker: {p: 0.5}}]")
    assert "another env, agent than" in refused(saved, "env={name: snake}", "agent={name: dqn}")


def test_settings_that_exist_no_more_are_refused_by_name(saved):
    saved["agent"]["dobule"] = True
    assert refused(saved) == (
        "this run was saved by another version, whose config this version does not read: the checkpoint: agent.dobule: "
        "unknown option. Did you mean 'agent.double'? Resume it with that version (run.json has its number), or train "
        "a new run."
    )
