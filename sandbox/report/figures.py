"""Names of the figures of an evaluation for people, with units and the direction that is better."""

from typing import NamedTuple

_NATS = "nats"
_BASELINES = {"mean_image": "mean image", "copy": "copy", "surrounding": "surrounding pixels", "blur": "smooth filling"}


class Figure(NamedTuple):
    """A figure of an evaluation.

    Attributes:
        words: Its name.
        unit: Its unit; empty for a pure number.
        better: `↑` if more is better, `↓` if less is; empty for a fact.
    """

    words: str
    unit: str = ""
    better: str = ""

    @property
    def heading(self) -> str:
        """The name with unit and direction, such as `Log-likelihood (nats per image) ↑`."""
        return " ".join(part for part in (self.words, self.unit and f"({self.unit})", self.better) if part)


_KNOWN = {
    "return_mean": Figure("Return", "", "↑"),
    "success_rate": Figure("Success rate", "", "↑"),
    "length_mean": Figure("Length of an episode", "steps"),
    "log_likelihood": Figure("Log-likelihood", _NATS, "↑"),
    "factorized_log_likelihood": Figure("Log-likelihood of independent pixels", _NATS),
    "margin_nats": Figure("Margin over independent pixels", _NATS, "↑"),
    "log_density": Figure("Log-density", _NATS, "↑"),
    "factorized_log_density": Figure("Log-density of independent pixels", _NATS),
    "density_margin_nats": Figure("Margin over independent pixels", _NATS, "↑"),
    "pseudo_log_likelihood": Figure("Pseudo-log-likelihood", _NATS, "↑"),
    "elbo": Figure("Evidence lower bound, ELBO", _NATS, "↑"),
    "kl": Figure("KL divergence of the latents", _NATS),
    "reconstruction_error": Figure("Reconstruction error", "squared, per pixel", "↓"),
    "fcd": Figure("Fréchet classifier distance (FCD)", "", "↓"),
    "fcd_in_floors": Figure("FCD in multiples of its floor", "", "↓"),
    "fcd_classifier": Figure("Classifier of the FCD"),
    "kid": Figure("Kernel classifier distance (KID)", "", "↓"),
    "precision": Figure("Precision of samples", "", "↑"),
    "recall": Figure("Recall of samples", "", "↑"),
    "density": Figure("Density of samples", "", "↑"),
    "coverage": Figure("Coverage by samples", "", "↑"),
    "diversity": Figure("Diversity", "of real images", ""),
    "mean_pixel_distance": Figure("Distance of the mean images", "per pixel", "↓"),
    "error": Figure("Classification error", "", "↓"),
    "code_accuracy": Figure("Accuracy of clusters", "", "↑"),
    "class_accuracy": Figure("Accuracy of requested classes", "", "↑"),
    "l1": Figure("Absolute error", "per pixel", "↓"),
    "ssim": Figure("Structural similarity (SSIM)", "", "↑"),
    "modes": Figure("Modes covered", "", "↑"),
    "num_modes": Figure("Modes of the data"),
    "high_quality": Figure("High-quality samples", "", "↑"),
    "reverse_kl": Figure("Reverse KL divergence over modes", _NATS, "↓"),
    "js": Figure("Jensen-Shannon divergence", _NATS, "↓"),
    "w1": Figure("Wasserstein distance", "", "↓"),
    "sliced_w1": Figure("Sliced Wasserstein distance", "", "↓"),
    "images": Figure("Test images"),
}


def figure(name: str) -> Figure:
    """Return the name for people of a figure in evaluation.json; an unknown figure keeps its name."""
    if name in _KNOWN:
        return _KNOWN[name]
    measure, _, baseline = name.partition("_")
    if measure in ("l1", "ssim") and baseline in _BASELINES:
        known = _KNOWN[measure]
        return Figure(f"{known.words} of the baseline “{_BASELINES[baseline]}”", known.unit)
    return Figure(f"`{name}`")
