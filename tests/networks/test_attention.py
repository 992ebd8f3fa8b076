"""Attention: weights by hand, and a gradient of glimpses that is right on average."""

import pytest
import torch

from sandbox.networks.attention import AttentionModule, AttentionOutput, Hard, Soft

G = torch.Generator


def numbers(seed: int = 0, batch: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Four places with three numbers each, and a memory of two."""
    g = G().manual_seed(seed)
    return torch.randn(batch, 4, 3, generator=g), torch.randn(batch, 2, generator=g)


def look(module: AttentionModule, places: torch.Tensor, memory: torch.Tensor, seed: int = 0) -> AttentionOutput:
    return module(places, module.keys(places), memory, G().manual_seed(seed))


def test_soft_weights_by_hand() -> None:
    module, (places, memory) = Soft(size=1).make(3, 2), numbers()
    with torch.no_grad():
        module.scores.places.weight.copy_(torch.tensor([[1.0, 2.0, 0.0]]))
        module.scores.places.bias.fill_(0.5)
        module.scores.query.weight.copy_(torch.tensor([[0.0, -1.0]]))
        module.scores.score.weight.fill_(3.0)
    glimpse = look(module, places, memory)
    scores = 3 * torch.tanh(places[0, :, 0] + 2 * places[0, :, 1] + 0.5 - memory[0, 1])
    weights = scores.exp() / scores.exp().sum()
    torch.testing.assert_close(glimpse.weights[0], weights)
    torch.testing.assert_close(glimpse.context[0], sum(w * place for w, place in zip(weights, places[0], strict=True)))
    assert not Soft().loss(glimpse, torch.ones(1)).any()


def test_hard_attention_sees_one_place_as_often_as_it_weighs() -> None:
    module = Hard(size=8).make(3, 2)
    places, memory = (part.expand(4_000, *part.shape[1:]) for part in numbers())
    glimpse = look(module, places, 5 * memory)
    chosen = (glimpse.context[:, None] == places).all(-1)
    assert (chosen.sum(1) == 1).all()
    torch.testing.assert_close(chosen.float().mean(0), glimpse.weights[0].detach(), atol=0.03, rtol=0)
    torch.testing.assert_close(glimpse.log_probability, glimpse.weights[chosen].log())


def test_the_gradient_of_glimpses_is_that_of_the_expected_return() -> None:
    """REINFORCE on average, whatever the baseline: against the gradient of sum_i p_i return_i."""
    module, (places, memory) = Hard(size=8).make(3, 2), numbers(1)
    worth = torch.tensor([1.0, -2.0, 0.5, 3.0])
    own = list(module.scores.parameters())
    expected = torch.autograd.grad((look(module, places, memory).weights[0] * worth).sum(), own, allow_unused=True)
    many = [part.expand(40_000, *part.shape[1:]) for part in (places, memory)]
    glimpse = look(module, *many)
    returns = ((glimpse.context[:, None] == many[0]).all(-1) * worth).sum(1)
    found = torch.autograd.grad(Hard().loss(glimpse, returns).mean(), own, allow_unused=True)
    for mean, exact in zip(found, expected, strict=True):
        torch.testing.assert_close(-mean, exact, atol=0.04, rtol=0.05)


def test_hard_attention_changes_nothing_it_sees_and_learns_its_baseline() -> None:
    module, (places, memory) = Hard(size=8).make(3, 2), numbers()
    places, memory = places.requires_grad_(), memory.requires_grad_()
    glimpse = look(module, places, memory)
    loss = Hard().loss(glimpse, torch.tensor([2.0]))
    gradients = torch.autograd.grad(loss, [places, memory, module.baseline.bias], allow_unused=True)
    assert gradients[0] is None
    assert gradients[1] is None
    assert gradients[2].item() == pytest.approx(glimpse.baseline.item() - 2.0)


def test_entropy_is_worth_what_it_says() -> None:
    glimpse = AttentionOutput(torch.zeros(1, 3), torch.full((1, 4), 0.25), torch.zeros(1), torch.ones(1))
    plain, valued = (Hard(entropy=share).loss(glimpse, torch.ones(1)).item() for share in (0.0, 0.1))
    assert plain - valued == pytest.approx(0.1 * torch.tensor(4.0).log().item())
