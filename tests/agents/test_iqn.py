"""IQN against hand-made references, and against DQN where the two are one."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from sandbox.agents.iqn import IQN, IQNConfig, QuantileNetwork
from sandbox.buffers.replay import Transitions
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.networks.mlp import MLP
from sandbox.networks.nature import Nature
from sandbox.ops.value_learning import n_step_return, q_learning
from sandbox.optimizers.adam import Adam
from sandbox.runs.resolve import resolve

SPEC = Spec((3,), is_bytes=False, num_actions=4)
OPTIONS: dict[str, Any] = {"backbone": MLP(hidden=(8,)), "frame_stack": 1, "discount": 0.9}
SIZES: dict[str, Any] = {"embedding_size": 5, "hidden_size": 7, "num_taus": 3, "num_target_taus": 2}


def make(seed: int = 0, rng: Rng | None = None, **options: Any) -> IQN:
    config = IQNConfig(**{**OPTIONS, **SIZES, "num_policy_taus": 4, **options})
    return config.make(SPEC, rng or Rng(seed), Compute(torch.device("cpu")), NO_RUNS)


def stirred(seed: int) -> QuantileNetwork:
    """A network whose quantiles differ much from fraction to fraction and from action to action."""
    network = copy.deepcopy(make().parts()["target"].network)
    for weight, name in zip(network.parameters(), "abcdefgh", strict=True):
        generator = Rng(seed).torch(name, torch.device("cpu"))
        weight.copy_(torch.randn(weight.shape, generator=generator))
    return network


def batch(seed: int, size: int = 16, steps: int = 1) -> Transitions:
    g = torch.Generator().manual_seed(seed)
    rand = lambda *shape: torch.randn(*shape, generator=g)  # noqa: E731
    actions, discounts = torch.randint(4, (size,), generator=g), torch.randint(2, (size, steps), generator=g).float()
    num_steps = torch.randint(1, steps + 1, (size,), generator=g)
    return Transitions(rand(size, 3), actions, 3 * rand(size, steps), discounts, num_steps, rand(size, 3))


def gradients(agent: IQN, data: Transitions) -> tuple[float, list[torch.Tensor]]:
    """The loss and what the optimizer would be given."""
    found: list[torch.Tensor] = []

    agent.parts()["optimizer"].step = found.extend  # type: ignore[method-assign]
    return float(agent.update(data)["loss"]), found


def fractions(name: str, *shape: int, seed: int = 0) -> torch.Tensor:
    """Return the first draw of the generator `name` of a run."""
    return torch.rand(shape, generator=Rng(seed).torch(name, torch.device("cpu")))


def test_the_network_by_hand() -> None:
    """relu(W cos(pi i tau) + b) times the features, a hidden layer, one quantile an action (equation 4)."""
    network = make().parts()["network"]
    x, taus = torch.tensor([[0.3, -1.0, 2.0]]), torch.tensor([[0.25, 0.9]])
    found = network(x, taus)
    assert found.shape == (1, 2, 4)
    for n, tau in enumerate(taus[0].tolist()):
        waves = torch.tensor([np.cos(np.pi * i * tau) for i in range(5)], dtype=torch.float32)
        phi = (network.embedding.weight @ waves + network.embedding.bias).clamp(min=0)
        product = network.encoder(x)[0] * phi
        hidden = (network.hidden.weight @ product + network.hidden.bias).clamp(min=0)
        torch.testing.assert_close(found[0, n], network.head.weight @ hidden + network.head.bias)


def test_a_quantile_depends_on_its_own_fraction_only() -> None:
    network, x = make().parts()["network"], torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    taus, order = fractions("any", 6, 5), torch.tensor([3, 0, 4, 1, 2])
    quantiles = network(x, taus)
    torch.testing.assert_close(network(x, taus[:, order]), quantiles[:, order])
    torch.testing.assert_close(network(x[2:3], taus[2:3, 4:]), quantiles[2:3, 4:])
    assert (quantiles.std(1) > 0).all()


def test_action_values_are_means_over_even_fractions() -> None:
    agent, x = make(), torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    network = agent.parts()["network"]
    network.load_state_dict(stirred(1).state_dict())
    expected = sum(network(x, torch.full((6, 1), tau))[:, 0] for tau in (0.125, 0.375, 0.625, 0.875)) / 4
    torch.testing.assert_close(agent.q_values(x, agent.initial_state(6)), expected)


def test_an_update_by_hand() -> None:
    """The target network chooses by 4 quantiles and values by 2 others; the losses of 3 x 2 errors: their sum over the
    former, their mean over the latter and over the batch."""
    agent, data = make(), batch(2)
    agent.parts()["target"].network.load_state_dict(stirred(1).state_dict())
    reference, target = copy.deepcopy(agent.parts()["network"]), agent.parts()["target"].network
    taus, others = fractions("taus", 16, 3), fractions("target_taus", 16, 6)
    choice = target(data.s_t, others[:, :4]).mean(1).argmax(1)
    assert (choice != reference(data.s_t, others[:, :4]).mean(1).argmax(1)).any()
    assert (choice != target(data.s_t, others[:, 4:]).mean(1).argmax(1)).any()
    learned, values = reference(data.s_tm1, taus), target(data.s_t, others[:, 4:])
    total, large = torch.zeros(()), 0
    for b in range(16):
        for i in range(3):
            for j in range(2):
                goal = data.r_t[b, 0] + 0.9 * data.discount_t[b, 0] * values[b, j, choice[b]]
                error = goal.detach() - learned[b, i, data.a_tm1[b]]
                size = error.abs()
                huber = error**2 / 2 if size <= 1 else size - 0.5
                large += int(size > 1)
                total = total + (1 - taus[b, i] if error < 0 else taus[b, i]) * huber / 2 / 16
    assert 20 < large < 76
    expected = torch.autograd.grad(total, list(reference.parameters()))
    loss, found = gradients(agent, data)
    assert loss == pytest.approx(total.item(), rel=1e-5)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)


class Median(nn.Module):
    """A quantile network as the network of a DQN: its values are its medians."""

    def __init__(self, network: QuantileNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        return self.network(observations, torch.full((len(observations), 1), 0.5))[:, 0]


@pytest.mark.parametrize("steps", [1, 3])
def test_of_one_median_it_is_dqn(steps: int) -> None:
    """|tau - 1{error < 0}| is a half: the loss of a DQN a sample is twice IQN's, and so is its gradient."""
    agent, data = make(num_taus=1, num_target_taus=1, num_policy_taus=1), batch(3, steps=steps)
    agent.parts()["target"].network.load_state_dict(make(seed=1).parts()["network"].state_dict())
    online, target = Median(copy.deepcopy(agent.parts()["network"])), Median(agent.parts()["target"].network)
    r_t, discount_t = n_step_return(data.r_t, data.discount_t, data.num_steps, 0.9)
    error = q_learning(online(data.s_tm1), data.a_tm1, r_t, discount_t, target(data.s_t))
    dqn_loss = F.huber_loss(error, torch.zeros_like(error), reduction="sum")
    expected = torch.autograd.grad(dqn_loss, list(online.parameters()))
    agent._fractions = lambda _, size, count: torch.full((size, count), 0.5)  # type: ignore[method-assign]
    loss, found = gradients(agent, data)
    assert loss == pytest.approx(dqn_loss.item() / 16 / 2)
    for x, y in zip(found, expected, strict=True):
        torch.testing.assert_close(x, y / (2 * 16))  # DQN sums over the batch, IQN averages


def test_rewards_are_clipped_in_the_update_alone_and_one_by_one() -> None:
    data = batch(3, steps=3)
    clipped = data._replace(r_t=data.r_t.clamp(-1, 1))
    losses = [
        float(make(reward_clip=clip).update(given)["loss"])
        for clip, given in ((1.0, data), (None, clipped), (None, data))
    ]
    assert losses[0] == losses[1]
    assert losses[0] != losses[2]
    assert data.r_t.abs().max() > 1


@pytest.mark.parametrize("period", [1, 3])
def test_the_target_network_waits_for_its_period(period: int) -> None:
    agent = make(target_period=period)
    for update in range(1, 7):
        agent.update(batch(update))
        pairs = zip(agent.parts()["target"].network.parameters(), agent.parts()["network"].parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs) == (update % period == 0)


def test_it_plays_the_action_of_the_greatest_mean() -> None:
    """The mean of the quantiles at uniform fractions is neutral to risk."""
    agent = make(num_policy_taus=8)
    agent.parts()["network"].load_state_dict(stirred(1).state_dict())
    observations = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    quantiles = agent.parts()["network"](torch.from_numpy(observations), fractions("greedy", 50, 8))
    actions, _ = agent.act(observations, agent.initial_state(50), explore=False)
    assert actions.tolist() == quantiles.mean(1).argmax(1).tolist()
    assert actions.tolist() != quantiles.amin(1).argmax(1).tolist()


def test_learning_playing_and_evaluation_draw_from_generators_of_their_own() -> None:
    rng = Rng(0)
    agent, observations = make(rng=rng), np.zeros((10, 3), np.float32)

    def drew(action: Any) -> set[str]:
        before = rng.state_dict()["torch"]
        action()
        return {
            name for name, (_, state) in rng.state_dict()["torch"].items() if not torch.equal(state, before[name][1])
        }

    assert drew(lambda: agent.update(batch(0))) == {"taus", "target_taus"}
    assert drew(lambda: agent.act(observations, agent.initial_state(10), explore=True)) == {"explore"}
    assert drew(lambda: agent.act(observations, agent.initial_state(10), explore=False)) == {"greedy"}
    assert agent.parts()["policy"].state_dict()["steps"] == 10


def test_it_learns_the_distribution_of_a_reward_by_chance() -> None:
    """One state, one step, rewards of 0 or 4 at even odds: the lower quarter is 0, the upper one 4, the mean 2."""
    agent = make(kappa=0.1, num_taus=16, hidden_size=32, embedding_size=16, optimizer=Adam(lr=5e-3))
    g = torch.Generator().manual_seed(0)
    for _ in range(250):
        data = batch(0, 64)
        rewards = 4.0 * torch.randint(2, (64, 1), generator=g)
        agent.update(
            data._replace(r_t=rewards, discount_t=torch.zeros(64, 1), s_tm1=torch.ones(64, 3), a_tm1=data.a_tm1 * 0)
        )
    taus = torch.linspace(0, 1, 101)[None]
    quantiles = agent.parts()["network"](torch.ones(1, 3), taus)[0, :, 0].detach()
    torch.testing.assert_close(quantiles[[10, 25, 75, 90]], torch.tensor([0.0, 0, 4, 4]), rtol=0, atol=0.5)
    assert abs(quantiles.mean() - 2) < 0.4


def test_bf16_is_near_fp32() -> None:
    spec = Spec((1, 84, 84), num_actions=3)
    config = IQNConfig(backbone=Nature(channels=(4, 8, 8), hidden=16), frame_stack=1, hidden_size=16)
    frames = torch.randint(0, 256, (2, 8, 1, 84, 84), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    ones = torch.ones(8, 1)
    data = Transitions(frames[0], torch.arange(8) % 3, ones, ones, torch.ones(8, dtype=torch.int64), frames[1])
    exact, rough = (
        config.make(spec, Rng(0), Compute(torch.device("cpu"), bf16), NO_RUNS).update(data) for bf16 in (False, True)
    )
    torch.testing.assert_close(exact["loss"], rough["loss"], rtol=0.05, atol=0.01)


def test_without_the_backbones_hidden_layer_it_is_the_papers_network() -> None:
    """The embedding multiplies the 3136 numbers of the last convolution, and 512 units stand above."""
    agent = resolve(["atari_pong_iqn"], []).agent
    assert isinstance(agent, IQNConfig)
    network = QuantileNetwork(agent, (4, 84, 84), 6)
    shapes = [tuple(p.shape) for p in network.parameters() if p.dim() > 1]
    convolutions = [(32, 4, 8, 8), (64, 32, 4, 4), (64, 64, 3, 3)]
    assert shapes == [*convolutions, (3136, 64), (512, 3136), (6, 512)]


def test_the_atari_config_has_the_papers_numbers() -> None:
    agent = resolve(["atari_pong_iqn"], []).agent
    assert isinstance(agent, IQNConfig)
    assert (agent.num_taus, agent.num_target_taus, agent.num_policy_taus, agent.kappa) == (64, 64, 32, 1.0)
    assert agent.optimizer == Adam(lr=5e-5, eps=0.01 / 32)
    assert (agent.reward_clip, agent.discount, agent.evaluation_epsilon) == (1.0, 0.99, 0.001)
    assert (agent.stream.batch_size, agent.frame_stack, agent.n_step) == (32, 4, 1)
    replay = agent.stream.replay
    assert (agent.target_period * replay.update_period, replay.capacity) == (10_000, 1_000_000)
    epsilons = [agent.exploration.at(step) for step in (0, replay.warmup, 550_000, 1_050_000, 10**8)]
    assert epsilons == pytest.approx([1.0, 1.0, 0.505, 0.01, 0.01])
