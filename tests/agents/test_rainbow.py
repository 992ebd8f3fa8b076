"""Rainbow without its parts is DQN, number for number; then each part by itself, beside DQN or by hand."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sandbox.agents.double_dqn import DoubleDQN, DoubleDQNConfig
from sandbox.agents.dqn import DQN, DQNConfig
from sandbox.agents.rainbow import Rainbow, RainbowConfig
from sandbox.buffers.priorities import Prioritized
from sandbox.buffers.replay import Transitions
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.networks.heads.categorical import Categorical
from sandbox.networks.heads.exploration import EpsilonGreedy, Noisy
from sandbox.networks.heads.noisy import NO_NOISE, sample_noise
from sandbox.networks.heads.scalar import Scalar
from sandbox.networks.mlp import MLP
from sandbox.ops.distributional import categorical_projection
from sandbox.ops.value_learning import double_q_learning
from sandbox.optimizers.adam import Adam

CPU = Compute(torch.device("cpu"))
SPEC = Spec((3,), is_bytes=False, num_actions=4)
PLAIN: dict[str, Any] = {  # no part at all, with double Q-learning by choice
    "head": Scalar(dueling=False, hidden=None),
    "exploration": EpsilonGreedy(epsilon=Linear(start=0.5, end=0.1, steps=60)),
    "frame_stack": 1,
    "n_step": 1,
    "discount": 0.9,
}
COMMON: dict[str, Any] = {"backbone": MLP(hidden=(8,)), "optimizer": Adam(lr=1e-2)}
QAgent = Rainbow | DQN | DoubleDQN


def rainbow(rng: Rng | None = None, **options: Any) -> Rainbow:
    return RainbowConfig(**{**COMMON, **PLAIN, **options}).make(SPEC, rng or Rng(0), CPU, NO_RUNS)


def other(**options: Any) -> dict[str, torch.Tensor]:
    """The weights of another network."""
    return rainbow(Rng(1), **options).parts()["network"].state_dict()


def dqn(kind: type[DQNConfig] | type[DoubleDQNConfig] = DQNConfig, **options: Any) -> Any:
    exploration = PLAIN["exploration"].epsilon
    config = kind(**{**COMMON, "frame_stack": 1, "exploration": exploration, "discount": 0.9, **options})
    return config.make(SPEC, Rng(0), CPU, NO_RUNS)


def batch(seed: int = 1, size: int = 16, n: int = 1) -> Transitions:
    g = torch.Generator().manual_seed(seed)
    rand = lambda *shape: torch.randn(*shape, generator=g)  # noqa: E731
    actions, discounts = torch.randint(4, (size,), generator=g), torch.randint(2, (size, n), generator=g).float()
    num_steps = torch.randint(1, n + 1, (size,), generator=g)
    return Transitions(rand(size, 3), actions, 3 * rand(size, n), discounts, num_steps, rand(size, 3))


def even(data: Transitions, weights: torch.Tensor | None = None) -> Prioritized:
    ones = torch.ones(len(data.a_tm1))
    return Prioritized(data, ones if weights is None else weights, torch.full_like(ones, -1))


def given(agent: QAgent, data: Transitions) -> Any:
    return even(data) if isinstance(agent, Rainbow) else data


def gradients(agent: QAgent, data: Any) -> tuple[float, dict[str, torch.Tensor]]:
    """The loss, and what the optimizer would be given for each parameter."""
    found: dict[str, torch.Tensor] = {}

    def step(gradients: Sequence[torch.Tensor]) -> None:
        found.update(zip(dict(agent.parts()["network"].named_parameters()), gradients, strict=True))

    agent.parts()["optimizer"].step = step  # type: ignore[method-assign]
    return float(agent.update(data)["loss"]), found


@pytest.mark.parametrize(("double", "kind"), [(False, DQNConfig), (True, DoubleDQNConfig)])
def test_without_its_parts_it_is_dqn_or_double_dqn(double: bool, kind: Any) -> None:
    """The same weights from the same seed, the same play, and the same updates with one step or three; bit for bit."""
    ours, theirs = rainbow(double=double, target_period=5), dqn(kind, target_period=5)
    for update in range(20):
        observations = np.random.default_rng(update).normal(size=(6, 3)).astype(np.float32)
        for explore in (True, False):
            actions = [agent.act(observations, agent.initial_state(6), explore=explore)[0] for agent in (ours, theirs)]
            assert actions[0].tolist() == actions[1].tolist()
        data = batch(update, n=1 + 2 * (update % 2))
        a, b = ours.update(even(data)), theirs.update(data)
        assert {name: float(value) for name, value in a.items()} == {name: float(value) for name, value in b.items()}
    for network in ("network", "target"):
        pairs = zip(ours.parts()[network].parameters(), theirs.parts()[network].parameters(), strict=True)
        assert all(torch.equal(x, y) for x, y in pairs)


def test_double_matters() -> None:
    ours, theirs = rainbow(), dqn(target_period=100)
    losses = [
        [float(agent.update(given(agent, batch(seed)))["loss"]) for seed in range(30)] for agent in (ours, theirs)
    ]
    assert losses[0][0] == losses[1][0]  # the target network is still the online network
    assert losses[0][-1] != losses[1][-1]


def test_noise_of_size_0_is_no_noise() -> None:
    data = batch()
    (ours, a), (theirs, b) = (
        gradients(rainbow(exploration=Noisy(sigma=0)), even(data)),
        gradients(rainbow(), even(data)),
    )
    assert ours == pytest.approx(theirs)
    for name, gradient in b.items():
        torch.testing.assert_close(a[name.replace("linear", "mean")], gradient)


def test_a_dueling_head_with_the_same_outputs_teaches_the_encoder_the_same() -> None:
    data, dueling, single = batch(), rainbow(head=Scalar(hidden=None)), rainbow()
    for ours, theirs in (
        (dueling.parts()["network"], single.parts()["network"]),
        (dueling.parts()["target"].network, single.parts()["target"].network),
    ):
        theirs.encoder.load_state_dict(ours.encoder.state_dict())
        with torch.no_grad():
            state, advantages = ours.head.state.last.linear, ours.head.advantages.last.linear
            weight = state.weight + advantages.weight - advantages.weight.mean(0)
            theirs.head.actions.last.linear.weight.copy_(weight)
            theirs.head.actions.last.linear.bias.copy_(state.bias + advantages.bias - advantages.bias.mean())
    (ours, a), (theirs, b) = gradients(dueling, even(data)), gradients(single, even(data))
    assert ours == pytest.approx(theirs)
    for name in ("encoder.layers.0.weight", "encoder.layers.0.bias"):
        torch.testing.assert_close(a[name], b[name])


def test_two_atoms_learn_double_dqns_error() -> None:
    """The logits' gradients are the error over the grid's width, so a step is one of squared errors of the means."""
    head = Categorical(num_atoms=2, minimum=-200, maximum=200, dueling=False, hidden=None)
    agent, data = rainbow(head=head), batch()
    agent.parts()["target"].network.load_state_dict(other(head=head))
    reference, rows = copy.deepcopy(agent.parts()["network"]), torch.arange(16)
    logits = reference(data.s_tm1, NO_NOISE)
    q_t, selector = (
        head.values(network(data.s_t, NO_NOISE)) for network in (agent.parts()["target"].network, reference)
    )
    discount_t = 0.9 * data.discount_t[:, 0]
    error = double_q_learning(head.values(logits), data.a_tm1, data.r_t[:, 0], discount_t, q_t, selector).detach()
    chosen = logits[rows, data.a_tm1]
    expected = torch.autograd.grad((-(error / 400) * (chosen[:, 1] - chosen[:, 0])).sum(), list(reference.parameters()))
    _, found = gradients(agent, even(data))
    for ours, theirs in zip(found.values(), expected, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_a_distributional_update_by_hand() -> None:
    """Three steps, clipped rewards, the online network chooses: summed divergences, which are also the priorities."""
    options: dict[str, Any] = {"head": Categorical(num_atoms=5, minimum=-2, maximum=2, hidden=6), "reward_clip": 0.5}
    agent, data = rainbow(**options), batch(n=3)
    agent.parts()["target"].network.load_state_dict(other(**options))
    reference, grid = copy.deepcopy(agent.parts()["network"]), torch.tensor([-2.0, -1, 0, 1, 2])
    losses = []
    for i in range(16):
        r, discount = 0.0, 1.0
        for t in range(int(data.num_steps[i])):
            r += discount * min(max(float(data.r_t[i, t]), -0.5), 0.5)
            discount *= 0.9 * float(data.discount_t[i, t])
        best = (reference(data.s_t[i : i + 1], NO_NOISE)[0].softmax(-1) @ grid).argmax()
        p = agent.parts()["target"].network(data.s_t[i : i + 1], NO_NOISE)[0, best].softmax(-1)[None]
        target = categorical_projection(grid, p, torch.tensor([r]), torch.tensor([discount]))[0].detach()
        log_p = reference(data.s_tm1[i : i + 1], NO_NOISE)[0, data.a_tm1[i]].log_softmax(-1)
        losses.append(F.kl_div(log_p, target, reduction="sum"))
    expected = torch.autograd.grad(torch.stack(losses).sum(), list(reference.parameters()))
    given = even(data)
    loss, found = gradients(agent, given)
    assert loss == pytest.approx(float(torch.stack(losses).detach().mean()))
    torch.testing.assert_close(given.priorities, torch.stack(losses).detach())
    for ours, theirs in zip(found.values(), expected, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_weights_multiply_losses_and_priorities_are_the_errors_sizes() -> None:
    """By DQN's gradients of one transition at a time; the errors are not clipped, nor weighted."""
    data, weights = batch(size=6), torch.tensor([1.0, 0.5, 0.25, 0.0, 1.0, 0.1])
    singles = [gradients(dqn(), Transitions(*(part[i : i + 1] for part in data))) for i in range(6)]
    given = even(data, weights)
    loss, found = gradients(rainbow(double=False), given)
    assert loss == pytest.approx(sum(w * single for w, (single, _) in zip(weights.tolist(), singles, strict=True)) / 6)
    for k, ours in enumerate(found.values()):
        theirs = sum(w * list(each.values())[k] for w, (_, each) in zip(weights, singles, strict=True))
        torch.testing.assert_close(ours, theirs)
    sizes = [loss + 0.5 if loss > 0.5 else (2 * loss) ** 0.5 for loss, _ in singles]  # back from the Huber loss
    assert given.priorities.tolist() == pytest.approx(sizes, rel=1e-4)
    assert max(sizes) > 1
    assert not given.priorities.requires_grad


def test_the_learned_the_target_and_the_choosing_network_have_noise_of_their_own() -> None:
    rng = Rng(0)
    agent, data = rainbow(rng, exploration=Noisy(sigma=1.0)), batch()
    agent.parts()["target"].network.load_state_dict(other(exploration=Noisy(sigma=1.0)))
    online, target, dice = (
        copy.deepcopy(agent.parts()["network"]),
        copy.deepcopy(agent.parts()["target"].network),
        Rng(0).torch("noise", CPU.device),
    )
    q_tm1 = online(data.s_tm1, sample_noise(online, dice))[..., 0]
    q_t = target(data.s_t, sample_noise(target, dice))[..., 0]
    selector = online(data.s_t, sample_noise(online, dice))[..., 0]
    error = double_q_learning(q_tm1, data.a_tm1, data.r_t[:, 0], 0.9 * data.discount_t[:, 0], q_t, selector)
    expected = F.huber_loss(error, torch.zeros(16))
    parameters = list(online.parameters())
    theirs = torch.autograd.grad(16 * expected, parameters)
    loss, found = gradients(agent, even(data))
    assert loss == pytest.approx(float(expected.detach()))
    for a, b in zip(found.values(), theirs, strict=True):
        torch.testing.assert_close(a, b)
    assert torch.equal(rng.state_dict()["torch"]["noise"][1], dice.get_state())


def test_acting_draws_noise_for_every_environment_and_step_and_evaluation_has_none() -> None:
    rng = Rng(0)
    agent = rainbow(rng, exploration=Noisy(sigma=1.0))
    same, state = np.ones((64, 3), np.float32), agent.initial_state(64)
    best = agent.parts()["network"](torch.ones(1, 3), NO_NOISE)[0, :, 0].argmax()

    def drawn() -> tuple[list[int], list[int]]:
        """The state of the generators of updates and of exploring."""
        states = rng.state_dict()["torch"]
        return states["noise"][1].tolist(), states["explore"][1].tolist()

    learning, exploring = drawn()
    assert set(agent.act(same, state, explore=False)[0].tolist()) == {int(best)}
    assert drawn() == (learning, exploring)
    explored = [agent.act(same, state, explore=True)[0].tolist() for _ in range(2)]
    assert len(set(explored[0])) > 1  # environments that see the same do not do the same
    assert explored[0] != explored[1]
    assert agent.parts()["policy"].state_dict()["steps"] == 128
    after, exploring = drawn()
    assert after == learning
    assert agent.update(even(batch()))["epsilon"] == 0
    after, last = drawn()
    assert after != learning
    assert last == exploring


def test_the_target_network_takes_all_of_the_online_network() -> None:
    agent = rainbow(exploration=Noisy(), head=Categorical(hidden=6), target_period=3)
    for update in range(1, 7):
        agent.update(even(batch(update)))
        pairs = zip(agent.parts()["target"].network.parameters(), agent.parts()["network"].parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs) == (update % 3 == 0)


def test_rewards_are_clipped_in_the_update_alone() -> None:
    data = batch(3)
    clipped, raw = data._replace(r_t=data.r_t.clamp(-1, 1)), data.r_t.clone()
    pairs = ((1.0, data), (None, clipped), (None, data))
    losses = [float(rainbow(reward_clip=clip).update(even(given))["loss"]) for clip, given in pairs]
    assert losses[0] == losses[1]
    assert losses[0] != losses[2]
    assert torch.equal(data.r_t, raw)
