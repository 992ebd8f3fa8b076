"""Every backbone in both halves: as a DQN's torso, a VAE's encoder, a GAN's discriminator and a classifier's body."""

import copy
from typing import Any

import numpy as np
import pytest
import torch

from sandbox.agents.dqn import DQNConfig
from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.generators.classifier import ClassifierConfig
from sandbox.generators.gan import GANConfig
from sandbox.generators.vae import VAEConfig
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.networks.layers.options import LayerOptions
from sandbox.streams.labeled import Labeled
from sandbox.training.batch_norm import freeze_batch_norms
from tests.networks.test_backbones import CONFIGS, SMALLEST

MEMBERS = {"vae": VAEConfig, "gan": GANConfig, "classifier": ClassifierConfig}
CASES = [(config, side) for config in CONFIGS for side in (28, 84)]
TOO_SMALL = {(config.name, 28) for config in CONFIGS if SMALLEST.get(config.name, 1) > 28}


def states(learner: Any) -> dict[str, Any]:
    return copy.deepcopy({name: part.state_dict() for name, part in learner.parts().items()})


def tensors(state: Any) -> list[torch.Tensor]:
    if isinstance(state, torch.Tensor):
        return [state]
    values = state.values() if isinstance(state, dict) else state if isinstance(state, list | tuple) else []
    return [tensor for value in values for tensor in tensors(value)]


def batch(member: str, side: int, seed: int) -> Any:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (4, 1, side, side), generator=generator, dtype=torch.uint8)
    return Labeled(images, torch.tensor([0, 1, 2, 0])) if member == "classifier" else images


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize(("config", "side"), CASES, ids=lambda part: getattr(part, "name", str(part)))
def test_generators(config: LayerOptions, side: int, member: str) -> None:
    """Two updates with dropout, a copy of the state, and two more: both go on alike, and looking changes nothing."""
    config = type(config).model_validate({**config.model_dump(), "dropout": 0.2})
    member_config = MEMBERS[member].model_validate({"backbone": config})
    if (config.name, side) in TOO_SMALL:
        with pytest.raises(UserError, match=f"at least {SMALLEST[config.name]}x{SMALLEST[config.name]}"):
            config.make((1, side, side))
        return
    spec = Spec((1, side, side), num_classes=3)
    first, second = (member_config.make(spec, Rng(seed), choose("cpu"), NO_RUNS) for seed in (0, 1))
    for seed in range(2):
        first.update(batch(member, side, seed))
    for name, part in second.parts().items():
        part.load_state_dict(copy.deepcopy(first.parts()[name].state_dict()))
    if member == "vae":
        encoded = [first.encode(batch(member, side, 9)) for _ in range(2)]
        assert encoded[0].isfinite().all()
    for seed in range(2, 4):
        rows = [learner.update(batch(member, side, seed)) for learner in (first, second)]
        assert all(bool(torch.as_tensor(value).isfinite()) for value in rows[0].values())
    if member == "classifier":
        same = [torch.equal(a, b) for a, b in zip(tensors(states(first)), tensors(states(second)), strict=True)]
        assert all(same)


@pytest.mark.parametrize(("config", "side"), CASES, ids=lambda part: getattr(part, "name", str(part)))
def test_dqn(config: LayerOptions, side: int) -> None:
    """It acts on single images and on batches alike, and acting changes nothing."""
    if (config.name, side) in TOO_SMALL:
        return
    config = type(config).model_validate({**config.model_dump(), "dropout": 0.2, "spectral_norm": True})
    agent = DQNConfig(backbone=config, frame_stack=1).make(
        Spec((1, side, side), num_actions=3), Rng(0), choose("cpu"), NO_RUNS
    )
    freeze_batch_norms(agent)
    before = states(agent)
    images = np.random.default_rng(0).integers(0, 256, (5, 1, side, side), dtype=np.uint8)
    actions, _ = agent.act(images, agent.initial_state(5), explore=False)
    assert actions.shape == (5,)
    again, _ = agent.act(images, agent.initial_state(5), explore=False)
    assert np.array_equal(actions, again)
    assert all(torch.equal(a, b) for a, b in zip(tensors(before), tensors(states(agent)), strict=True))
