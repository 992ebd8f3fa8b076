"""The VQ-VAE: its codebook by hand, restarts of dead codes, and the distribution of samples."""

from typing import Any

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.rng import Rng
from sandbox.generators.vq_vae import VQVAE, Codebook, VQVAEConfig
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.networks.decoders.bottleneck import Bottleneck
from sandbox.ops import vector_quantization as vq

SPEC = Spec((1, 4, 4))


def config(**options: Any) -> VQVAEConfig:
    return VQVAEConfig.model_validate(
        {"backbone": {"name": "mlp", "hidden": (16,)}, "num_codes": 4, "positions": 2, "code_size": 3, **options}
    )


def make(rng: Rng | None = None, **options: Any) -> VQVAE:
    return config(**options).make(SPEC, rng or Rng(0), choose("cpu"), NO_RUNS)


def codebook(learner: VQVAE) -> Codebook:
    part = learner.parts()["codebook"]
    assert isinstance(part, Codebook)
    return part


def network(learner: VQVAE) -> Bottleneck:
    part = learner.parts()["network"]
    assert isinstance(part, Bottleneck)
    return part


def images(count: int = 20, seed: int = 0) -> torch.Tensor:
    return torch.randint(256, (count, *SPEC.shape), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)


def test_averages_by_hand() -> None:
    """decay 0.9: counts and sums keep nine tenths; the code is their quotient, smoothed."""
    book = Codebook(config(num_codes=2, positions=1, code_size=1, decay=0.9, smoothing=1e-5))
    book.counts.copy_(torch.tensor([4.0, 6.0])), book.sums.copy_(torch.tensor([[8.0], [0.0]]))
    book.update_averages(torch.tensor([[[10.0]], [[20.0]], [[1.0]]]), torch.tensor([[0], [0], [1]]))
    torch.testing.assert_close(book.counts, torch.tensor([0.9 * 4 + 0.1 * 2, 0.9 * 6 + 0.1 * 1]))
    torch.testing.assert_close(book.sums, torch.tensor([[0.9 * 8 + 0.1 * 30], [0.1 * 1]]))
    torch.testing.assert_close(book.codes, torch.tensor([[10.2 / 3.8], [0.1 / 5.5]]), rtol=1e-4, atol=0)
    torch.testing.assert_close(book.frequencies, torch.tensor([[0.45 + 0.1 * 2 / 3, 0.45 + 0.1 / 3]]))


def test_dead_codes_start_again_at_vectors_of_the_batch() -> None:
    book = Codebook(config(restart_below=0.5))
    living = torch.tensor([0.4, 3.0, 0.6, 0.0])
    book.counts.copy_(living), book.codes.fill_(7.0), book.sums.fill_(7.0)
    vectors = torch.randn(30, 3, generator=torch.Generator().manual_seed(0))
    share = book.restart(vectors, torch.Generator().manual_seed(0))
    assert share == 0.5
    assert book.codes[[1, 2]].eq(7.0).all()
    for code in (0, 3):
        assert (vectors == book.codes[code]).all(1).any()
    torch.testing.assert_close(book.counts, torch.tensor([1.0, 3.0, 0.6, 1.0]))
    torch.testing.assert_close(book.sums[[0, 3]], book.codes[[0, 3]])


def test_all_codes_start_at_the_first_batch_and_are_in_use() -> None:
    learner = make()
    metrics = learner.update(images())
    assert metrics["restarted"] == 1
    for _ in range(30):
        metrics = learner.update(images())
    assert metrics["restarted"] == 0
    assert 1 <= metrics["perplexity"] <= 4


def test_a_collapsed_codebook_comes_back_to_life() -> None:
    """All codes but one lie far away; without restarts only that one would ever be used."""

    def used(restart_below: float) -> int:
        learner = make(restart_below=restart_below, num_codes=8)
        for _ in range(20):
            learner.update(images())
        codebook(learner).codes[1:] = 1e3
        codebook(learner).sums[1:] = 1e3
        codebook(learner).counts[1:] = 1.0
        for _ in range(100):
            learner.update(images())
        return len(learner.symbols(images()).unique())

    assert used(0.0) == 1
    assert used(0.5) > 4


def test_perplexity_is_that_of_the_running_frequencies_over_all_positions() -> None:
    learner = make(decay=0.5)
    learner.update(images())
    seen = learner.symbols(images())
    metrics = learner.update(images())
    frequencies = codebook(learner).frequencies
    torch.testing.assert_close(frequencies.sum(1), torch.ones(2))
    torch.testing.assert_close(metrics["perplexity"], vq.perplexity(frequencies.mean(0)))
    assert seen.shape == (20, 2)


def test_the_gradient_goes_straight_through_to_the_encoder() -> None:
    learner = make(commitment=0.0)
    before = network(learner).encoder.get_parameter("layers.0.weight").clone()
    learner.update(images())
    assert not torch.equal(network(learner).encoder.get_parameter("layers.0.weight"), before)


@pytest.mark.parametrize("commitment", [0.0, 0.25])
def test_loss_by_hand(commitment: float) -> None:
    rng = Rng(0)
    learner = make(rng, commitment=commitment)
    vectors = network(learner).encode(images().float() / 255).view(20, 2, 3)
    device, state = rng.state_dict()["torch"]["vq_vae/restarts"]
    metrics = learner.update(images())
    first = Codebook(config(commitment=commitment))
    first.restart(vectors.detach().flatten(0, 1), torch.Generator(device).set_state(state))
    quantized = first.codes[vq.nearest_codes(vectors, first.codes)]
    distance = (vectors - quantized).square().sum((1, 2)).mean().detach()
    torch.testing.assert_close(metrics["commitment"], distance)
    torch.testing.assert_close(metrics["loss"], metrics["cross_entropy"] + commitment * distance)


def test_encode_decode_and_symbols_belong_together() -> None:
    learner = make()
    learner.update(images())
    codes, symbols = learner.encode(images(5)), learner.symbols(images(5))
    assert torch.equal(codes, codebook(learner).codes[symbols].flatten(1))
    nearby = codes + 1e-4
    assert torch.equal(learner.decode(nearby), learner.decode(codes))
    assert torch.equal(learner.reconstruct(images(5)), learner.decode(codes))


def test_samples_have_each_positions_own_frequencies() -> None:
    learner = make()
    learner.update(images())
    codebook(learner).frequencies.copy_(torch.tensor([[0.0, 1.0, 0.0, 0.0], [0.5, 0.0, 0.5, 0.0]]))
    outputs = [learner.decode(codebook(learner).codes[list(pair)].view(1, -1))[0] for pair in ((1, 0), (1, 2))]
    samples = learner.sample(100)
    closeness = [torch.isclose(samples, image, atol=1e-5).flatten(1).all(1) for image in outputs]
    assert (closeness[0] | closeness[1]).all()
    assert 30 < closeness[0].sum() < 70
    assert samples.shape == (100, 1, 4, 4)
