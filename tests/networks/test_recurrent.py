"""Recurrent parts: one pass is step by step, and their gates begin as they were asked to."""

import pytest
import torch

from sandbox.networks.recurrent import GRU, LSTM, RNN, NoRecurrence, RecurrentConfig

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    "config", [LSTM(size=5), LSTM(size=5, chrono_init_horizon=40), GRU(size=5), RNN(size=5), NoRecurrence()]
)
def test_one_pass_is_step_by_step(config: RecurrentConfig) -> None:
    module, features = config.make(3), torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(0))
    whole, after = module(features, module.initial(2, CPU))
    memory, steps = module.initial(2, CPU), []
    for t in range(6):
        output, memory = module(features[:, t, None], memory)
        steps.append(output)
    torch.testing.assert_close(torch.cat(steps, 1), whole)
    assert whole.shape == (2, 6, module.out_features)
    for ours, theirs in zip(memory, after, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_nothing_is_what_came_in() -> None:
    features = torch.randn(2, 4, 3)
    outputs, memory = NoRecurrence().make(3)(features, ())
    assert torch.equal(outputs, features)
    assert memory == ()


@pytest.mark.parametrize("config", [LSTM(size=200, chrono_init_horizon=50), GRU(size=200, chrono_init_horizon=50)])
def test_what_it_holds_lasts_for_up_to_the_horizon(config: RecurrentConfig) -> None:
    """With everything else at 0, what a unit holds shrinks by its gate at every step: to 1/e in 1 to 50 steps."""
    module = config.make(3)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if "weight" in name:
                parameter.zero_()
        held = tuple(torch.ones_like(part) for part in module.initial(1, CPU))
        before, now = held[-1], module(torch.zeros(1, 1, 3), held)[1][-1]
        now = now - module(torch.zeros(1, 1, 3), module.initial(1, CPU))[1][-1]  # what comes in, it lets in from 0 too
    spans = -1 / (now / before).log()
    assert spans.min() > 0.9
    assert spans.max() < 51
    assert 15 < spans.median() < 35


def test_without_a_horizon_half_is_gone_at_every_step() -> None:
    module = LSTM(size=200).make(3)
    held = tuple(torch.ones_like(part) for part in module.initial(1, CPU))
    kept = module(torch.zeros(1, 1, 3), held)[1][1] - module(torch.zeros(1, 1, 3), module.initial(1, CPU))[1][1]
    assert kept.median().item() == pytest.approx(0.5, abs=0.05)


def test_in_autocast_it_stays_exact() -> None:
    module, features = LSTM(size=5).make(3), torch.randn(2, 6, 3)
    exact, _ = module(features, module.initial(2, CPU))
    with torch.autocast("cpu", torch.bfloat16):
        same, _ = module(features, module.initial(2, CPU))
    assert torch.equal(exact, same)
