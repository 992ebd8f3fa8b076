"""DQN against hand-made references."""

import copy

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sandbox.agents.dqn import DQN, DQNConfig
from sandbox.buffers.replay import Replay, Transitions
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.envs.catch import CatchConfig
from sandbox.interfaces.environment import spec_of
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.networks.mlp import MLP
from sandbox.networks.nature import Nature
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.centered_rmsprop import CenteredRMSProp
from sandbox.runs.resolve import resolve
from sandbox.streams.actor import Actor

CPU = Compute(torch.device("cpu"))


def make(spec: Spec | None = None, rng: Rng | None = None, **options) -> DQN:
    config = DQNConfig(**{"backbone": MLP(hidden=(8,)), "frame_stack": 1, **options})
    return config.make(spec or Spec((3,), is_bytes=False, num_actions=4), rng or Rng(0), CPU, NO_RUNS)


def batch(size: int = 5) -> Transitions:
    g = torch.Generator().manual_seed(1)
    rand = lambda *shape: torch.randn(*shape, generator=g)  # noqa: E731
    actions = torch.randint(4, (size,), generator=g)
    discounts = torch.tensor([1.0, 0, 1, 1, 0]).repeat(size // 5)
    ones = torch.ones(size, dtype=torch.int64)
    return Transitions(rand(size, 3), actions, 3 * rand(size, 1), discounts[:, None], ones, rand(size, 3))


@pytest.mark.parametrize("limit", [1.0, 1.5])
def test_an_update_is_the_papers_by_hand(limit: float) -> None:
    """Summed Huber loss on r + discount * max target; its gradient is the error clipped to [-1, 1]."""
    agent = make(discount=0.9, error_clip=limit, optimizer=Adam(lr=1e-2))
    reference, data = copy.deepcopy(agent.parts()["network"]), batch()
    target = data.r_t[:, 0] + 0.9 * data.discount_t[:, 0] * agent.parts()["target"].network(data.s_t).max(1).values
    chosen = reference(data.s_tm1)[torch.arange(5), data.a_tm1]
    error = (target - chosen).detach()
    assert (error.abs() > limit).any()
    values = reference(data.s_tm1).detach()
    adam = torch.optim.Adam(reference.parameters(), 1e-2)
    (-(error.clamp(-limit, limit) * chosen).sum()).backward()
    adam.step()
    metrics = agent.update(data)
    torch.testing.assert_close(metrics["loss"], F.huber_loss(chosen, target, delta=limit).detach())
    torch.testing.assert_close(metrics["q_mean"], values.mean())
    for ours, theirs in zip(agent.parts()["network"].parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_several_steps_are_one_step_of_their_return() -> None:
    """Each reward is clipped, then they are discounted and summed; what does not count has no influence."""
    data = batch()._replace(
        r_t=torch.tensor([[3.0, -0.5, 9.0]] * 5),
        discount_t=torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 1.0]]),
        num_steps=torch.tensor([3, 2, 2, 1, 1]),
    )
    one = batch()._replace(  # 1 - 0.5 * 0.5 + 1 * 0.25; 1 - 0.5 * 0.5 twice; 1 twice
        r_t=torch.tensor([[1.0], [0.75], [0.75], [1.0], [1.0]]),
        discount_t=torch.tensor([[0.25], [0.0], [0.5], [0.0], [1.0]]),  # times the discount of one step, 0.5
    )
    ours, theirs = make(discount=0.5, reward_clip=1.0), make(discount=0.5)
    assert ours.update(data)["loss"] == theirs.update(one)["loss"]


def test_the_target_network_says_what_comes_next_is_worth() -> None:
    """Its best value, and without a gradient; the online network's would chase itself."""
    agent, data = make(discount=0.9), batch()
    for weight in agent.parts()["target"].network.parameters():
        weight.mul_(-2)
    best = agent.parts()["target"].network(data.s_t).max(1).values
    assert (best - agent.parts()["network"](data.s_t).max(1).values).abs().min() > 0.01
    target = data.r_t[:, 0] + 0.9 * data.discount_t[:, 0] * best
    chosen = agent.parts()["network"](data.s_tm1)[torch.arange(5), data.a_tm1]
    expected = F.huber_loss(chosen, target).detach()
    before = copy.deepcopy(agent.parts()["target"].network.state_dict())
    torch.testing.assert_close(agent.update(data)["loss"], expected)
    assert all(torch.equal(value, before[name]) for name, value in agent.parts()["target"].network.state_dict().items())


def test_the_target_network_waits_for_its_period() -> None:
    agent = make(target_period=3)
    first = copy.deepcopy(agent.parts()["target"].network.state_dict())
    for update in range(1, 7):
        agent.update(batch())
        moved = any(
            not torch.equal(a, b)
            for a, b in zip(agent.parts()["target"].network.state_dict().values(), first.values(), strict=True)
        )
        assert moved == (update >= 3)
    same = zip(
        agent.parts()["target"].network.state_dict().values(),
        agent.parts()["network"].state_dict().values(),
        strict=True,
    )
    assert all(torch.equal(a, b) for a, b in same)


def test_what_the_agent_sees_is_what_replay_gives_back() -> None:
    """The stack when acting and the stored stack are the same frames, zeros before an episode's start included."""
    env = CatchConfig().make(2)
    spec = spec_of(env)
    agent = make(spec, frame_stack=4)
    actor = Actor(env, agent, Rng(0))
    replay = Replay(200, 2, spec, 4, np.random.default_rng(0), CPU.device)
    seen, places = [], []
    for _ in range(30):
        places.append(replay.span()[1] + 1)
        step = actor.step()
        seen.append(torch.cat([step.state, torch.from_numpy(step.observations)], 1))
        replay.add(step.observations, step.actions, step.rewards, step.terminated)
        replay.add_last(step.next_observations, step.ended)
    env_index = np.tile([0, 1], 29)
    place = np.concatenate(places[:29])
    assert torch.equal(replay.at(env_index, place, 1).s_tm1, torch.cat(seen[:29]))
    assert (torch.cat(seen)[:, :3].flatten(1).sum(1) == 0).sum() >= 2 * 3  # three starts each: nothing before them


def test_exploration_follows_the_schedule_and_evaluation_leaves_it_alone() -> None:
    agent = make(rng=(rng := Rng(0)), exploration=Linear(start=1.0, end=0.5, steps=20))
    observations, state = np.zeros((10, 3), np.float32), agent.initial_state(10)
    _, explorer = rng.state_dict()["torch"]["explore"]
    for _ in range(3):
        agent.act(observations, state, explore=False)
    assert agent.parts()["policy"].state_dict()["steps"] == 0
    assert torch.equal(rng.state_dict()["torch"]["explore"][1], explorer)
    for expected in (1.0, 0.75, 0.5, 0.5):
        assert agent.epsilon(explore=True) == expected
        agent.act(observations, state, explore=True)


def test_greedy_play_takes_the_best_action() -> None:
    agent = make()
    observations = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    actions, _ = agent.act(observations, agent.initial_state(50), explore=False)
    best = agent.parts()["network"](torch.from_numpy(observations)).argmax(1)
    assert actions.tolist() == best.tolist()


def test_bf16_is_near_fp32() -> None:
    spec = Spec((1, 84, 84), num_actions=3)
    config = DQNConfig(backbone=Nature(channels=(4, 8, 8), hidden=16), frame_stack=1)
    frames = torch.randint(0, 256, (2, 8, 1, 84, 84), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    ones = torch.ones(8, 1)
    data = Transitions(frames[0], torch.arange(8) % 3, ones, ones, torch.ones(8, dtype=torch.int64), frames[1])
    exact, rough = (
        config.make(spec, Rng(0), Compute(torch.device("cpu"), bf16), NO_RUNS).update(data) for bf16 in (False, True)
    )
    torch.testing.assert_close(exact["loss"], rough["loss"], rtol=0.05, atol=0.01)


def test_the_papers_optimizer_and_reward_clipping_by_hand() -> None:
    """One update as in 2015: rewards within [-1, 1], g / sqrt(E[g^2] - E[g]^2 + 0.01)."""
    agent = make(discount=0.9, reward_clip=1.0, optimizer=CenteredRMSProp())
    reference, data = copy.deepcopy(agent.parts()["network"]), batch(20)
    assert (data.r_t > 1).any()
    assert (data.r_t < -1).any()
    rewards = torch.tensor([min(max(reward, -1.0), 1.0) for reward in data.r_t[:, 0].tolist()])
    target = rewards + 0.9 * data.discount_t[:, 0] * agent.parts()["target"].network(data.s_t).max(1).values
    chosen = reference(data.s_tm1)[torch.arange(20), data.a_tm1]
    (-((target - chosen).detach().clamp(-1, 1) * chosen).sum()).backward()
    agent.update(data)
    for ours, theirs in zip(agent.parts()["network"].parameters(), reference.parameters(), strict=True):
        gradient = theirs.grad
        assert gradient is not None
        root = (0.05 * gradient**2 - (0.05 * gradient) ** 2 + 0.01).sqrt()
        torch.testing.assert_close(ours, theirs - 2.5e-4 * gradient / root)


def test_clipping_leaves_the_batch_and_small_rewards_alone() -> None:
    """Replay and scores keep the raw rewards; within the limits nothing changes, and without limits nothing ever."""
    data, losses = batch(), {}
    raw = data.r_t.clone()
    small = data._replace(r_t=data.r_t / data.r_t.abs().max())
    for clip in (None, 1.0, 100.0):
        losses[clip] = [make(reward_clip=clip).update(given)["loss"] for given in (data, small)]
        assert torch.equal(data.r_t, raw)
    assert losses[None] == losses[100.0]
    assert losses[None][1] == losses[1.0][1]
    assert losses[None][0] != losses[1.0][0]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (
            "exploration.start=1.5",
            "agent.exploration: start and end are probabilities, at most 1; got start 1.5 and end 0.1.",
        ),
        ("exploration.end=2", "agent.exploration: start and end are probabilities, at most 1; got start 1 and end 2."),
        ("exploration.end=-0.1", "needs a value >= 0, got -0.1."),
        ("reward_clip=0", "needs a value > 0, got 0."),
    ],
)
def test_mistakes(word: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        resolve([], ["steps=1", "env.name=catch", "agent.name=dqn", f"agent.{word}"])
    assert str(error.value) == f"command line: agent.{word}: {message}"


def test_the_atari_config_has_the_papers_numbers() -> None:
    agent = resolve(["atari_pong_dqn"], []).agent
    assert isinstance(agent, DQNConfig)
    assert agent.optimizer == CenteredRMSProp(lr=2.5e-4, decay=0.95, min_squared_gradient=0.01)
    assert (agent.reward_clip, agent.discount, agent.evaluation_epsilon) == (1.0, 0.99, 0.05)
    assert agent.target_period * agent.stream.replay.update_period == 10_000
    warmup = agent.stream.replay.warmup
    assert warmup == 50_000
    epsilons = [agent.exploration.at(step) for step in (0, warmup, warmup + 500_000, warmup + 1_000_000, 10**8)]
    assert epsilons == pytest.approx([1.0, 1.0, 0.55, 0.1, 0.1])
