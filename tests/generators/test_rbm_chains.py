"""The Gibbs chains of the restricted Boltzmann machine: where they start, how far they go, what they leave alone."""

import pytest
import torch
from small_rbm import SPEC, batch, constant, layer_of, make, white

from sandbox.generators._boltzmann.rbm_layer import RBMLayer
from sandbox.generators.rbm import RBM


def test_chains_persist_and_keep_their_number() -> None:
    rbm = make()
    for size in (8, 3, 50):
        before = layer_of(rbm).chains.clone()
        rbm.update(batch(size))
        assert layer_of(rbm).chains.shape == (30, 4)
        assert not torch.equal(layer_of(rbm).chains, before)
    assert "chains" in rbm.parts()["machine"].state_dict()


def frozen(rbm: RBM) -> RBM:
    """Make the weights so large that no chain can leave its start: pixel i is white if hidden unit i is on."""
    parameters = layer_of(rbm).rbm()
    parameters.weight.zero_()[:4] = 200 * torch.eye(4)
    parameters.visible_bias.fill_(-100.0), parameters.hidden_bias.fill_(-100.0)
    return rbm


def test_contrastive_divergence_starts_at_the_data() -> None:
    """The weights are so large that no chain can leave its start, so there is nothing to learn."""
    rbm = make(chains={"name": "contrastive", "steps": 3}, momentum=constant(0.0))
    rbm.update(batch())
    parameters = layer_of(frozen(rbm)).rbm()
    layer_of(rbm).weight_velocity.zero_()
    v = white(batch(seed=1))
    v[:, 4:] = 0
    before = parameters.weight.clone()
    rbm.update(v.view(-1, *SPEC.shape))
    torch.testing.assert_close(parameters.weight, before)


def test_samples_without_chains() -> None:
    rbm = make(chains={"name": "contrastive"})
    assert rbm.sample(3).shape == (3, 1, 2, 3)


def test_samples_without_chains_begin_at_halves() -> None:
    """The weights are so large that no sweep changes a unit."""
    rbm = frozen(make(chains={"name": "contrastive"}))
    white = rbm.sample(1_000).flatten(1)[:, :4]
    assert set(white.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(white.mean(0), torch.full((4,), 0.5), atol=0.06, rtol=0)


def test_a_chain_goes_on_from_where_it_was() -> None:
    chain = frozen(make()).gibbs_chain(5)
    first, *others = (next(chain) for _ in range(4))
    assert first.shape == (5, 1, 2, 3)
    assert len(first[..., :4].unique()) == 2
    assert all(torch.equal(first, other) for other in others)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_every_step_of_the_chains_is_a_sweep(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rbm, drawn = make(chains={"count": 7, "steps": steps}), []
    layer, real = layer_of(rbm), RBMLayer._sample_visible
    monkeypatch.setattr(RBMLayer, "_sample_visible", lambda *given: drawn.append(real(*given)) or drawn[-1])
    layer.phases(white(batch()))
    assert len(drawn) == steps
