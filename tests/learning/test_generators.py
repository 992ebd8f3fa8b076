"""The shipped generators of digits, trained for real: nats above the best independent pixels, and varied samples."""

import json
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.learning

QUIET = ("logger.wandb=off", "evaluate_period=0", "media_period=0", "checkpoint_period=0", "--quiet")


@pytest.fixture
def score(sandbox: Any) -> Callable[..., dict[str, Any]]:
    def run(*words: str) -> dict[str, Any]:
        done = sandbox("train", *words, *QUIET)
        assert done.code == 0, done.err
        return json.loads(sandbox("evaluate", "latest", "--json").out)

    return run


def test_the_rbm_beats_independent_pixels_by_an_exact_likelihood(score: Callable[..., dict[str, Any]]) -> None:
    result = score("digits_rbm")
    assert result["log_likelihood_kind"] == "exact"
    assert result["margin_nats"] > 6.5


def test_the_dbm_bounds_a_likelihood_and_knows_digits(score: Callable[..., dict[str, Any]]) -> None:
    result = score("digits_dbm")
    assert result["log_likelihood_kind"] == "bound by ais"
    assert result["log_likelihood_low"] <= result["log_likelihood"] <= result["log_likelihood_high"]
    assert result["margin_nats"] > 6.5
    assert result["error"] < 0.12


def test_the_vae_beats_them_too(score: Callable[..., dict[str, Any]]) -> None:
    result = score("digits_vae")
    assert result["log_likelihood_kind"] == "importance"
    assert result["margin_nats"] > 7.5
    assert result["elbo"] < result["log_likelihood"]


def test_the_gan_finds_the_digits_and_does_not_collapse(score: Callable[..., dict[str, Any]]) -> None:
    """The training set's own distance is 0.01; one class alone has half of the diversity."""
    result = score("digits_gan", "steps=6_000")
    assert result["mean_pixel_distance"] < 0.05
    assert result["diversity"] > 0.75


def test_the_stacked_autoencoder_tells_digits_apart(score: Callable[..., dict[str, Any]]) -> None:
    result = score("digits_stacked_autoencoder")
    assert result["error"] < 0.07
    assert result["reconstruction_error"] < 0.02


def test_the_vq_vae_puts_a_digit_into_eight_symbols(score: Callable[..., dict[str, Any]]) -> None:
    """The mean image as the reconstruction has an error of 0.07."""
    result = score("digits_vq_vae")
    assert result["reconstruction_error"] < 0.018
    assert result["diversity"] > 0.75


def test_the_deep_belief_net_has_a_bound_and_tells_digits(score: Callable[..., dict[str, Any]]) -> None:
    result = score("digits_dbn")
    assert result["log_likelihood_kind"] == "bound by ais"
    assert result["margin_nats"] > 5.5
    assert result["error"] < 0.12


def test_the_sigmoid_belief_net_learns_by_wake_and_sleep(score: Callable[..., dict[str, Any]]) -> None:
    result = score("digits_sigmoid_belief_net")
    assert result["log_likelihood_kind"] == "importance"
    assert result["margin_nats"] > 5.5


def test_the_context_encoder_fills_squares_better_than_a_blur_or_the_mean_image(
    score: Callable[..., dict[str, Any]],
) -> None:
    result = score("digits_context_encoder", "steps=1_000")
    assert result["l1"] < 0.8 * result["l1_mean_image"]
    assert result["ssim"] > result["ssim_mean_image"] + 0.05
    assert result["l1_mean_image"] < result["l1_blur"]


def test_cyclegan_finds_the_colors_without_pairs(score: Callable[..., dict[str, Any]]) -> None:
    """The mean image has every pixel but those of ball and paddle right."""
    result = score("colors_cyclegan")
    assert result["l1"] < 0.8 * result["l1_mean_image"]
    assert result["ssim"] > result["ssim_mean_image"] + 0.03
