"""DARQN: acting as it learns, where it looks, and what hard attention learns from."""

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from sandbox.agents.darqn import DARQN, DARQNConfig
from sandbox.buffers.sequences import SequenceBatch, Sequences
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.networks.attention import Hard, Soft
from sandbox.networks.nature import Nature
from sandbox.networks.recurrent import LSTM
from sandbox.optimizers.adam import Adam

CPU = Compute(torch.device("cpu"))


def make(shape: tuple[int, int] = (52, 84), rng: Rng | None = None, **options: Any) -> DARQN:
    """On a map of 3 x 7 places."""
    common = {"backbone": Nature(channels=(2, 3, 4), hidden=None), "recurrent": LSTM(size=6), "discount": 0.9}
    config = DARQNConfig(**{**common, "attention": Soft(size=5), **options})
    agent = config.make(Spec((1, *shape), num_actions=4), rng or Rng(0), CPU, NO_RUNS)
    for parameter in agent.parts()["target"].network.parameters():
        parameter.mul_(1.1)  # so that it is another network
    return agent


def batch(agent: DARQN, size: int = 3, length: int = 4) -> SequenceBatch:
    g = torch.Generator().manual_seed(1)
    mask = torch.ones(size, length)
    mask[0, 2:] = 0
    sequences = Sequences(
        torch.randint(256, (size, length + 1, 1, 52, 84), generator=g, dtype=torch.uint8),
        torch.randint(4, (size, length), generator=g),
        torch.randn(size, length, generator=g),
        (torch.rand(size, length, generator=g) > 0.2).float(),
        mask,
    )
    return SequenceBatch(sequences, agent.initial_state(size))


def test_acting_step_by_step_is_one_unrolled_pass() -> None:
    agent = make()
    data = batch(agent).sequences
    seen = agent.parts()["network"](data.observations, agent.initial_state(3)["recurrent"], torch.Generator())
    state = agent.initial_state(3)
    for t in range(5):
        actions, state = agent.act(data.observations[:, t].numpy(), state, explore=False)
        assert actions.tolist() == seen.q[:, t].argmax(1).tolist()
        torch.testing.assert_close(state["attention"].flatten(1), seen.glimpses.weights[:, t])
    torch.testing.assert_close(state["recurrent"], seen.state)


@pytest.mark.parametrize(("at", "place"), [((0, 0), (0, 0)), ((0, 60), (0, 6)), ((30, 0), (2, 0)), ((30, 60), (2, 6))])
def test_the_map_that_people_see_is_the_right_way_round(at: tuple[int, int], place: tuple[int, int]) -> None:
    """Whoever looks for brightness looks at the corner that is bright."""
    agent = make()
    with torch.no_grad():
        for layer in agent.parts()["network"].encoder.convolutions:
            if isinstance(layer, torch.nn.Conv2d):
                layer.weight.fill_(0.01)
                layer.bias.zero_()  # type: ignore[union-attr]
        scores = agent.parts()["network"].attention.scores  # type: ignore[union-attr]
        for part, value in ((scores.places, 1.0), (scores.query, 0.0), (scores.score, 50.0)):  # type: ignore[union-attr]
            part.weight.fill_(value)
    image = np.zeros((1, 1, 52, 84), np.uint8)
    image[:, :, at[0] : at[0] + 20, at[1] : at[1] + 20] = 255
    _, state = agent.act(image, agent.initial_state(1), explore=False)
    assert state["attention"].shape == (1, 3, 7)
    assert np.unravel_index(int(state["attention"][0].argmax()), (3, 7)) == place


def test_the_loss_is_q_learnings_and_what_attention_adds() -> None:
    """Hard attention: the gradient of its weights comes from its own loss alone, that of the rest from both."""
    rng = Rng(0)
    agent = make(rng=rng, attention=Hard(size=5), optimizer=Adam(lr=1e-2))
    given, seen = batch(agent), {}
    data = given.sequences
    agent.parts()["optimizer"].minimize = lambda loss: seen.update(loss=loss)  # type: ignore[method-assign]
    before = torch.Generator().set_state(rng.state_dict()["torch"]["glimpses"][1])
    metrics = agent.update(given)
    glimpsed = agent.parts()["network"](data.observations[:, :-1], agent.initial_state(3)["recurrent"], before)
    with torch.no_grad():
        q_t = agent.parts()["target"].network(data.observations, agent.initial_state(3)["recurrent"], before).q[:, 1:]
    target = data.r_t + 0.9 * data.discount_t * q_t.amax(-1)
    error = target - glimpsed.q.gather(-1, data.a_tm1[..., None])[..., 0]
    advantage = target - glimpsed.glimpses.baseline
    looking = advantage.square() / 2 - glimpsed.glimpses.log_probability * advantage.detach()
    huber = torch.where(error.abs() < 1, error.square() / 2, error.abs() - 0.5)
    torch.testing.assert_close(seen["loss"], ((huber + looking) * data.mask).sum() / 4)
    torch.testing.assert_close(metrics["loss"], ((huber + looking) * data.mask).sum().detach() / data.mask.sum())
    share, weights = data.mask / data.mask.sum(), glimpsed.glimpses.weights.detach()
    torch.testing.assert_close(metrics["q_mean"], (glimpsed.q.detach().mean(2) * share).sum())
    entropy = -(weights * weights.clamp_min(1e-30).log()).sum(2)
    torch.testing.assert_close(metrics["attention_entropy"], (entropy * share).sum())
    own = agent.parts()["network"].attention.scores.score.weight  # type: ignore[union-attr]
    (found,) = torch.autograd.grad(seen["loss"], own, retain_graph=True)
    (expected,) = torch.autograd.grad((looking * data.mask).sum() / 4, own)
    torch.testing.assert_close(found, expected)


def test_a_hidden_layer_is_refused() -> None:
    with pytest.raises(
        ValidationError, match=r"attention needs the map of the convolutions: backbone.hidden=512 must be null"
    ):
        DARQNConfig(backbone=Nature())
