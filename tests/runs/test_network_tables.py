"""Tables of the networks of every member."""

from pathlib import Path

import pytest
import test_members
import torch

from sandbox.networks.trained import trained_networks
from sandbox.runs.network_tables import made_up, network_tables

WITHOUT = {"q_learning", "sarsa", "random", "boltzmann_machine", "hopfield", "modern_hopfield"}
# Layers that nothing calls at the start: the value of an actor-critic, and layers of later stages.
UNREACHED = {
    "sb3": {"value_net"},
    "dbm": ...,
    "dbn": ...,
    "conv_dbn": {"encoder.convolutions.2"},
    "stacked_autoencoder": {"softmax"},
}


@pytest.mark.parametrize(("kind", "name"), test_members.EVERY)
def test_every_layer_of_every_member_is_found(kind: str, name: str, tmp_path: Path) -> None:
    built = test_members.made(kind, name, tmp_path)
    networks = trained_networks(built.learner.parts())
    found = network_tables(built)
    assert bool(found.used) == (name not in WITHOUT)
    for network, rows in found.used.items():
        parameters = sum(weight.numel() for weight in networks[network].parameters())
        assert sum(row.parameters for row in rows) == parameters
        assert sum(row.multiply_adds for row in rows) > 0
        unreached = {row.name for row in rows if row.shape is None}
        if UNREACHED.get(name) is not ...:
            assert unreached == UNREACHED.get(name, set())


def test_a_pass_through_a_dqn_counted_by_hand(tmp_path: Path) -> None:
    """Four stacks of 50 numbers, 16 hidden units and three actions."""
    found = network_tables(test_members.made("agent", "dqn", tmp_path))
    rows = found.used["network"]
    assert [(row.name, row.shape, row.multiply_adds) for row in rows if row.parameters] == [
        ("encoder.layers.0", (16,), 4 * 50 * 16),
        ("head", (3,), 16 * 3),
    ]
    assert found.multiply_adds == 4 * 50 * 16 + 16 * 3
    assert found.parameters == 4 * 50 * 16 + 16 + 16 * 3 + 3


def test_networks_of_later_stages_are_named_with_their_size(tmp_path: Path) -> None:
    found = network_tables(test_members.made("generator", "stackgan", tmp_path))
    assert set(found.used) == {"stage_one.discriminator", "stage_one.generator"}
    assert set(found.unused) == {"stage_two.discriminator", "stage_two.generator"}


def test_made_up_data_have_the_shape_of_the_data(tmp_path: Path) -> None:
    built = test_members.made("generator", "pix2pix", tmp_path)
    data = made_up(built.facts, 12)
    assert data.spec == built.facts.spec
    assert (len(data.train), len(data.test)) == (12, 2)
    built = test_members.made("generator", "rbm", tmp_path)
    assert set(torch.unique(made_up(built.facts, 12).train).tolist()) == {0, 255}
