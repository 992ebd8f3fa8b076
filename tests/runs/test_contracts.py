"""Contracts of members, each broken on purpose."""

import ast
from pathlib import Path

import pytest

from sandbox.cli import new

TEMPLATES = Path(new.__file__).parent / "templates"
BROKEN = [
    (
        "agent",
        'return {"policy_loss": policy_loss.detach()',
        'return {"policy_loss": policy_loss',
        "metrics are single numbers: the metric policy_loss is a tensor of shape () and float32 with a gradient",
    ),
    (
        "agent",
        '"entropy": entropy.detach()',
        '"entropy": log_policy.detach()',
        "metrics are single numbers: the metric entropy is a tensor of shape (64, 3) and float32; return",
    ),
    ("agent", "generator=self._explore)", ")", "the seed decides all numbers: "),
    ("agent", 'with rng.initializing("network"):', "if True:", "the seed decides all numbers: "),
    (
        "agent",
        'return {"network": self._network, "optimizer": self._optimizer}',
        'return {"network": self._network}',
        "a checkpoint changes nothing: ",
    ),
    (
        "agent",
        'return {"network": self._network, "optimizer": self._optimizer}',
        'return {"optimizer": self._optimizer}',
        "a checkpoint changes nothing: ",
    ),
    (
        "agent",
        "return actions.cpu().numpy(), None",
        "return actions.cpu(), None",
        "actions come in batches: `act` returns a tensor of shape (1,) and int64 for 1 environments",
    ),
    (
        "agent",
        "actions = logits.argmax(-1)",
        "actions = logits.argmax()",
        "actions come in batches: `act` returns an array of shape () and int64 for 1 environments, not",
    ),
    (
        "agent",
        "actions = logits.argmax(-1)",
        "actions = logits.argmax(-1); self._network.head.bias.add_(1)",
        "actions come in batches: `act` without exploration changes /network/head.bias",
    ),
    (
        "agent",
        "a_tm1 = self._tensor(",
        "a_tm1 = self._wrong(",
        "metrics are single numbers: AttributeError: 'Mine' object has no attribute '_wrong' (",
    ),
    (
        "generator",
        "sample(self, count: int)",
        "sample(self, count: int, seed: int)",
        "samples have the shape of the data: TypeError: ",
    ),
    (
        "generator",
        "return torch.sigmoid(self._decode(codes))",
        "return self._decode(codes)",
        "samples have the shape of the data: `sample` returns pixels outside of 0 to 1",
    ),
    (
        "generator",
        "codes = torch.randn(count,",
        "codes = torch.randn(1,",
        "samples have the shape of the data: `sample(5)` returns a tensor of shape (1, 1, 8, 8) and float32",
    ),
    (
        "generator",
        "torch.randn(mean.shape, generator=self._noise, device=self._device)",
        "torch.randn_like(mean)",
        "the seed decides all numbers: ",
    ),
    (
        "env",
        '{"cell": self._cell, "time": self._time}',
        '{"cell": self._cell}',
        "a restored state has the same future: a restored environment goes on differently",
    ),
    (
        "env",
        '{"cell": self._cell, "time": self._time}',
        '{"time": self._time}',
        "a restored state has the same future: a restored environment is rendered differently",
    ),
    (
        "env",
        '"cell": self._cell,',
        '"cell": self._cell.copy(),',
        "state arrays are the state itself: `state_arrays` returns a copy of cell, which cannot be restored",
    ),
    (
        "env",
        "(self._cell / self._exit).astype(np.float32)[:, None]",
        "(self._cell / self._exit).astype(np.float32)",
        "observations and rewards are as declared: in step 0 `observe` returns float32 [N], from ",
    ),
    (
        "env",
        "(self._cell / self._exit).astype(np.float32)[:, None]",
        "(self._cell / self._exit)[:, None]",
        "observations and rewards are as declared: in step 0 `observe` returns float64 [N, 1], from ",
    ),
    (
        "env",
        "rng.integers(mask, self._exit)",
        "np.random.randint(0, self._exit, mask.sum())",
        "the same seed gives the same episodes: ",
    ),
    (
        "env",
        ".astype(np.float32)\n        return rewards",
        "\n        return rewards",
        "observations and rewards are as declared: the rewards of step 0 are not finite float32",
    ),
    (
        "env",
        "(self._cell / self._exit)",
        "(2 * self._cell / self._exit)",
        "observations and rewards are as declared: in step 0 `observe` returns float32 [N, 1], from ",
    ),
    (
        "env",
        "truncated = ~terminated & (self._time == _MAX_STEPS)",
        "truncated = self._time > 0",
        "observations and rewards are as declared: an episode is both terminated and truncated in step ",
    ),
    (
        "env",
        "frame = drawing.canvas(2 * _CELL,",
        "frame = drawing.canvas(int(2 + self._time[index]) * _CELL,",
        "frames are images of one size: frames have several sizes: ",
    ),
]


@pytest.mark.parametrize(("kind", "right", "wrong", "said"), BROKEN)
def test_a_broken_contract_is_named(sandbox, tmp_path, kind, right, wrong, said):
    assert sandbox("new", kind, "mine").code == 0
    text = (tmp_path / "mine.py").read_text()
    assert text.count(right) == 1, right
    (tmp_path / "mine.py").write_text(text.replace(right, wrong))
    options = ["env.observe=features"] if kind == "env" else []
    found = sandbox("check", "mine.py", *options)
    assert found.code == 1
    assert f"BROKEN  {said}" in found.out


@pytest.mark.parametrize("kind", ["agent", "env", "generator"])
def test_a_new_member_keeps_all_contracts(sandbox, tmp_path, kind):
    assert sandbox("new", kind, "my_first_one").out == "my_first_one.py\n"
    found = sandbox("check", "my_first_one.py")
    assert found.code == 0
    assert all(line.startswith("ok      ") for line in found.out.splitlines())
    assert len(found.out.splitlines()) >= 4
    text = (tmp_path / "my_first_one.py").read_text()
    assert "MyFirstOneConfig" in text
    assert "my_agent" not in text.lower().replace("_", "")
    ast.parse(text)


def test_every_view_of_an_environment_is_checked(sandbox, tmp_path):
    assert sandbox("new", "env", "mine").code == 0
    text = (tmp_path / "mine.py").read_text()
    (tmp_path / "mine.py").write_text(text.replace("(self._cell / self._exit)", "(2 * self._cell / self._exit)"))
    found = sandbox("check", "mine.py")
    assert found.code == 1
    assert "ok      observations and rewards are as declared (env.observe=pixels)" in found.out
    assert "BROKEN  observations and rewards are as declared (env.observe=features): in step 0 `observe`" in found.out


def test_a_problem_is_told_once(sandbox, tmp_path):
    assert sandbox("new", "env", "mine").code == 0
    text = (tmp_path / "mine.py").read_text()
    (tmp_path / "mine.py").write_text(text.replace("    fps = 8.0\n", ""))
    found = sandbox("check", "mine.py", "env.observe=features")
    assert found.code == 1
    lines = found.out.splitlines()
    assert "has no attribute 'fps'" in lines[0]
    assert all(line.endswith(": the same") for line in lines[1:-1])


@pytest.mark.parametrize("name", ["dqn", "random", "vae"])
def test_members_of_this_package_keep_their_contracts_as_they_come(sandbox, name):
    options = {
        "dqn": ["agent.stream.replay={capacity: 500, warmup: 20}", "agent.backbone={name: nature, channels: [4, 4, 4]}"]
    }
    said = sandbox("check", name, *options.get(name, []))
    assert said.code == 0, said.out
    assert "BROKEN" not in said.out


def test_options_that_are_wrong_are_no_broken_contract(sandbox):
    said = sandbox("check", "dqn", "agent.nothing=3")
    assert said.code == 2
    assert "agent.nothing=3: unknown option" in said.err


def test_a_training_names_metrics_that_are_no_numbers(sandbox, tmp_path):
    assert sandbox("new", "agent", "mine").code == 0
    text = (tmp_path / "mine.py").read_text()
    words = ["catch_random", "agent.name=mine", "env.observe=features", "steps=64", "--members", "mine.py"]
    (tmp_path / "mine.py").write_text(text.replace('"entropy": entropy.detach()', '"entropy": log_policy.detach()'))
    said = sandbox("train", *words, "logger.wandb=off")
    assert said.code == 2
    assert "error: the metric entropy is a tensor of shape (64, 3), not a single number, at step 64." in said.err


def test_an_environment_whose_views_are_not_listed_is_checked(sandbox, tmp_path):
    assert sandbox("new", "env", "mine").code == 0
    text = (tmp_path / "mine.py").read_text()
    text = text.replace('    name: Literal["mine"]', '    observe: str = "features"\n    name: Literal["mine"]')
    (tmp_path / "mine.py").write_text(text.replace("(self._cell / self._exit)", "(2 * self._cell / self._exit)"))
    found = sandbox("check", "mine.py")
    assert found.code == 1
    assert "BROKEN  observations and rewards are as declared: in step 0" in found.out
