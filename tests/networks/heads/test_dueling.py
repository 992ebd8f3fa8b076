"""Dueling by hand, and against the plain head that it is when both are linear."""

import torch

from sandbox.networks.heads.dueling import Dueling, Single
from sandbox.networks.heads.exploration import EpsilonGreedy
from sandbox.networks.heads.noisy import NO_NOISE

layer = EpsilonGreedy().layer


def test_by_hand() -> None:
    """Value 2, advantages 1 and 4: their mean is 2.5."""
    head = Dueling(1, 2, 1, None, layer)
    for tower, weights in ((head.state, [[2.0]]), (head.advantages, [[1.0], [4.0]])):
        tower.last.linear.load_state_dict({"weight": torch.tensor(weights), "bias": torch.zeros(len(weights))})
    assert head(torch.ones(1, 1), NO_NOISE)[0, :, 0].tolist() == [0.5, 3.5]


def test_the_mean_over_actions_is_the_states_value_atom_by_atom() -> None:
    torch.manual_seed(0)
    head, features = Dueling(6, 3, 5, 4, layer), torch.randn(7, 6)
    outputs = head(features, NO_NOISE)
    assert outputs.shape == (7, 3, 5)
    torch.testing.assert_close(outputs.mean(1), head.state(features, NO_NOISE))
    advantages = head.advantages(features, NO_NOISE).view(7, 3, 5)
    torch.testing.assert_close(outputs[:, 2] - outputs[:, 0], advantages[:, 2] - advantages[:, 0])


def test_without_hidden_layers_it_is_a_single_one_with_other_parameters() -> None:
    """The same outputs, the same gradients for what is below, and by the chain rule for the parameters."""
    torch.manual_seed(0)
    dueling, single = Dueling(6, 3, 5, None, layer), Single(6, 3, 5, None, layer)
    state, advantages, whole = (tower.last.linear for tower in (dueling.state, dueling.advantages, single.actions))
    with torch.no_grad():
        for name, target in whole.named_parameters():
            above = advantages.get_parameter(name).unflatten(0, (3, 5))
            target.copy_((state.get_parameter(name) + above - above.mean(0)).flatten(0, 1))
    one, goal = torch.randn(7, 6, requires_grad=True), torch.randn(7, 3, 5)
    other = one.detach().clone().requires_grad_()
    torch.testing.assert_close(dueling(one, NO_NOISE), single(other, NO_NOISE))
    (dueling(one, NO_NOISE) - goal).square().sum().backward()
    (single(other, NO_NOISE) - goal).square().sum().backward()
    torch.testing.assert_close(one.grad, other.grad)
    gradient = whole.weight.grad.view(3, 5, 6)
    torch.testing.assert_close(state.weight.grad, gradient.sum(0))
    torch.testing.assert_close(advantages.weight.grad, (gradient - gradient.mean(0)).flatten(0, 1))


def test_hidden_layers() -> None:
    head, features = Single(6, 3, 5, 4, layer), torch.randn(2, 6)
    assert [tuple(weight.shape) for weight in head.parameters()] == [(4, 6), (4,), (15, 4), (15,)]
    expected = head.actions.last.linear(head.actions.hidden[0].linear(features).relu())
    assert torch.equal(head(features, NO_NOISE), expected.view(2, 3, 5))


def test_the_last_layer_is_fp32_where_the_others_are_not() -> None:
    head, features = Dueling(6, 3, 5, 4, layer), torch.randn(2, 6)
    with torch.autocast("cpu", torch.bfloat16):
        outputs = head(features, NO_NOISE)
        assert head.state.hidden[0](features, NO_NOISE).dtype == torch.bfloat16
    assert outputs.dtype == torch.float32
    assert not torch.equal(outputs, outputs.bfloat16().float())
