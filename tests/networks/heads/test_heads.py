"""The meaning of heads' outputs, and their declared properties."""

import pytest
import torch
from pydantic import ValidationError

from sandbox.config.schedules import Linear
from sandbox.networks.heads.categorical import Categorical
from sandbox.networks.heads.exploration import EpsilonGreedy, Noisy
from sandbox.networks.heads.noisy import NO_NOISE, NoisyLinear, PlainLinear
from sandbox.networks.heads.scalar import Scalar
from sandbox.ops.distributional import categorical_projection


def test_the_values_of_distributions_by_hand() -> None:
    head = Categorical(num_atoms=3, minimum=-1, maximum=3)
    outputs = torch.tensor([[[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]]]).log()
    torch.testing.assert_close(head.values(outputs), torch.tensor([[0.5, 2.2]]))


@pytest.mark.parametrize("dueling", [True, False])
def test_both_heads_have_outputs_of_one_shape(dueling: bool) -> None:
    for head, atoms in ((Categorical(dueling=dueling, hidden=8), 51), (Scalar(dueling=dueling, hidden=8), 1)):
        outputs = head.make(6, 4, EpsilonGreedy().layer)(torch.randn(3, 6), NO_NOISE)
        assert outputs.shape == (3, 4, atoms)
        assert head.values(outputs).shape == (3, 4)


def test_priorities_are_never_below_zero() -> None:
    """When the target is reached, rounding gives divergences of some -1e-6."""
    head, g = Categorical(), torch.Generator().manual_seed(0)
    after, r_t = torch.randn(200, 1, 51, generator=g), torch.randn(200, generator=g)
    discount_t = torch.full((200,), 0.9)
    target = categorical_projection(torch.linspace(-10, 10, 51), after[:, 0].softmax(-1), r_t, discount_t)
    reached, taken = target.log().clamp_min(-100)[:, None], torch.zeros(200, dtype=torch.int64)
    losses, priorities = head.learn(reached, taken, r_t, discount_t, after, torch.ones(200, 1))
    assert -1e-5 < losses.min() < 0
    assert priorities.min() == 0


def test_the_grid_must_have_a_width() -> None:
    with pytest.raises(ValidationError, match="minimum must be below maximum, got 1 and 1"):
        Categorical(minimum=1, maximum=1)
    with pytest.raises(ValidationError, match="greater than or equal to 2"):
        Categorical(num_atoms=1)


def test_exploration_chooses_the_layers() -> None:
    assert isinstance(Noisy().layer(2, 3), NoisyLinear)
    assert Noisy().schedule().at(10**6) == 0
    assert isinstance(EpsilonGreedy().layer(2, 3), PlainLinear)
    line = EpsilonGreedy(epsilon=Linear(start=1.0, end=0.5, steps=10, delay=5))
    assert [line.schedule().at(step) for step in (0, 5, 10, 15, 99)] == [1.0, 1.0, 0.75, 0.5, 0.5]
