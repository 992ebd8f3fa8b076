"""Codes by hand, and where gradients go."""

import math

import torch

from sandbox.ops import vector_quantization as vq

CODEBOOK = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])


def test_nearest_by_hand() -> None:
    vectors = torch.tensor([[[0.4, 0.0], [0.6, 0.0]], [[0.0, 1.1], [5.0, 5.0]]])
    assert vq.nearest_codes(vectors, CODEBOOK).tolist() == [[0, 1], [2, 2]]


def test_straight_through_has_the_codes_value_and_the_vectors_gradient() -> None:
    vectors = torch.tensor([[0.4, 0.1], [0.7, 0.2]], requires_grad=True)
    quantized = CODEBOOK[[0, 1]].requires_grad_()
    through = vq.straight_through(vectors, quantized)
    torch.testing.assert_close(through, quantized)
    weights = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert torch.equal(torch.autograd.grad((through * weights).sum(), vectors)[0], weights)
    assert not vq.straight_through(vectors.detach(), quantized).requires_grad


def test_commitment_is_summed_and_moves_only_the_vectors() -> None:
    vectors = torch.tensor([[[1.0, 2.0], [0.0, 0.0]], [[0.0, 0.0], [3.0, 0.0]]], requires_grad=True)
    quantized = torch.zeros(2, 2, 2, requires_grad=True)
    loss = vq.commitment_loss(vectors, quantized)
    assert loss.tolist() == [5.0, 9.0]
    assert torch.equal(torch.autograd.grad(loss.sum(), vectors)[0], 2 * vectors.detach())
    assert not vq.commitment_loss(vectors.detach(), quantized).requires_grad


def test_sums_and_smoothed_means_by_hand() -> None:
    vectors = torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 5.0]])
    counts, sums = vq.code_sums(vectors, torch.tensor([1, 1, 0]), 3)
    assert counts.tolist() == [1.0, 2.0, 0.0]
    assert sums.tolist() == [[0.0, 5.0], [4.0, 0.0], [0.0, 0.0]]
    shares = [(1 + 0.5) / 4.5 * 3, (2 + 0.5) / 4.5 * 3, 0.5 / 4.5 * 3]  # of a total of 3
    means = vq.smoothed_means(counts, sums, 0.5)
    torch.testing.assert_close(means, torch.tensor([[0.0, 5 / shares[0]], [4 / shares[1], 0.0], [0.0, 0.0]]))
    assert vq.smoothed_means(torch.tensor([1.0, 0.0]), torch.tensor([[1.0], [0.0]]), 1e-5).isfinite().all()


def test_perplexity_counts_codes_in_use() -> None:
    torch.testing.assert_close(vq.perplexity(torch.full((8,), 1 / 8)), torch.tensor(8.0))
    assert vq.perplexity(torch.tensor([1.0, 0.0, 0.0])).item() == 1.0
    expected = math.exp(0.75 * math.log(4 / 3) + 0.25 * math.log(4))
    torch.testing.assert_close(vq.perplexity(torch.tensor([0.75, 0.25])), torch.tensor(expected))
