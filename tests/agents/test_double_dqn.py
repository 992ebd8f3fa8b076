"""Double DQN against a hand-made reference, and against DQN where the two are one."""

import copy
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from sandbox.agents.double_dqn import DoubleDQN, DoubleDQNConfig
from sandbox.agents.dqn import DQN, DQNConfig
from sandbox.buffers.replay import Transitions
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.networks.mlp import MLP
from sandbox.optimizers.adam import Adam

OPTIONS: dict[str, Any] = {"backbone": MLP(hidden=(8,)), "frame_stack": 1, "discount": 0.9}
SPEC = Spec((3,), is_bytes=False, num_actions=4)


def double(seed: int = 0, **options: Any) -> DoubleDQN:
    return DoubleDQNConfig(**OPTIONS, **options).make(SPEC, Rng(seed), Compute(torch.device("cpu")), NO_RUNS)


def single(**options: Any) -> DQN:
    return DQNConfig(**OPTIONS, **options).make(SPEC, Rng(0), Compute(torch.device("cpu")), NO_RUNS)


def batch(seed: int, size: int = 16, steps: int = 1) -> Transitions:
    g = torch.Generator().manual_seed(seed)
    rand = lambda *shape: torch.randn(*shape, generator=g)  # noqa: E731
    actions, discounts = torch.randint(4, (size,), generator=g), torch.randint(2, (size, steps), generator=g).float()
    num_steps = torch.randint(1, steps + 1, (size,), generator=g)
    return Transitions(rand(size, 3), actions, 3 * rand(size, steps), discounts, num_steps, rand(size, 3))


def gradients(agent: DQN | DoubleDQN, data: Transitions) -> tuple[float, list[torch.Tensor]]:
    """The loss and what the optimizer would be given."""
    found: list[torch.Tensor] = []

    agent.parts()["optimizer"].step = found.extend  # type: ignore[method-assign]
    return float(agent.update(data)["loss"]), found


@torch.no_grad()
def huber(agent: DQN, data: Transitions, clip: float) -> float:
    """The mean loss of a batch, row by row."""
    network, losses = agent.parts()["network"], []
    for b in range(len(data.a_tm1)):
        r, discount = 0.0, 1.0
        for k in range(int(data.num_steps[b])):
            r += discount * min(max(float(data.r_t[b, k]), -clip), clip)
            discount *= 0.9 * float(data.discount_t[b, k])
        goal = r + discount * float(network(data.s_t[b : b + 1]).max())
        size = abs(goal - float(network(data.s_tm1[b : b + 1])[0, data.a_tm1[b]]))
        losses.append(size**2 / 2 if size < 1 else size - 0.5)
    return sum(losses) / len(losses)


@pytest.mark.parametrize("steps", [1, 3])
def test_it_is_dqn_while_the_target_is_the_online_network(steps: int) -> None:
    data, clip = batch(1, steps=steps), 1.0
    (ours, a), (theirs, b) = gradients(double(reward_clip=clip), data), gradients(single(reward_clip=clip), data)
    assert ours == theirs
    assert ours == pytest.approx(huber(single(reward_clip=clip), data, clip))
    assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_whole_updates_are_dqns_with_a_target_period_of_one_and_not_otherwise() -> None:
    for period, same in ((1, True), (100, False)):
        options: dict[str, Any] = {"target_period": period, "optimizer": Adam(lr=1e-2)}
        agents = double(**options), single(**options)
        for seed in range(30):
            losses = {float(agent.update(batch(seed))["loss"]) for agent in agents}
        assert (len(losses) == 1) == same


@pytest.mark.parametrize("limit", [1.0, 1.5])
def test_an_update_by_hand(limit: float) -> None:
    """The online network chooses, the target network values; with another target, other actions are chosen."""
    agent, data = double(error_clip=limit), batch(2)
    agent.parts()["target"].network.load_state_dict(double(seed=1).parts()["network"].state_dict())
    reference, rows = copy.deepcopy(agent.parts()["network"]), torch.arange(16)
    choice, q_t = reference(data.s_t).argmax(1), agent.parts()["target"](data.s_t)
    assert (choice != q_t.argmax(1)).any()
    target = (data.r_t[:, 0] + 0.9 * data.discount_t[:, 0] * q_t[rows, choice]).detach()
    chosen = reference(data.s_tm1)[rows, data.a_tm1]
    error = (target - chosen).detach()
    assert 4 < (error.abs() > limit).sum() < 12
    (-(error.clamp(-limit, limit) * chosen).sum()).backward()  # the gradient of the summed Huber loss
    loss, found = gradients(agent, data)
    assert loss == pytest.approx(F.huber_loss(chosen, target, delta=limit).item())
    for ours, theirs in zip(found, reference.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs.grad)


def test_rewards_are_clipped_in_the_update_alone() -> None:
    data = batch(3)
    clipped = data._replace(r_t=data.r_t.clamp(-1, 1))
    losses = [
        float(double(reward_clip=clip).update(given)["loss"])
        for clip, given in ((1.0, data), (None, clipped), (None, data))
    ]
    assert losses[0] == losses[1]
    assert losses[0] != losses[2]
    assert data.r_t.abs().max() > 1


@pytest.mark.parametrize("period", [1, 3])
def test_the_target_network_waits_for_its_period(period: int) -> None:
    agent = double(target_period=period)
    for update in range(1, 7):
        agent.update(batch(update))
        pairs = zip(agent.parts()["target"].network.parameters(), agent.parts()["network"].parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs) == (update % period == 0)
