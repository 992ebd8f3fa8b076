"""Names of figures for people."""

import re

import pytest

from sandbox.evaluate import distances, generators, mixtures, translations
from sandbox.report.figures import figure


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("log_likelihood", "Log-likelihood (nats) ↑"),
        ("fcd", "Fréchet classifier distance (FCD) ↓"),
        ("l1_mean_image", "Absolute error of the baseline “mean image” (per pixel)"),
        ("of_ones_own", "`of_ones_own`"),
    ],
)
def test_headings(name, heading):
    assert figure(name).heading == heading


def test_every_figure_that_is_documented_has_words():
    texts = (
        generators.evaluate_generator.__doc__,
        distances.image_distances.__doc__,
        mixtures.point_distances.__doc__,
        mixtures.mode_coverage.__doc__,
        translations.evaluate_translation.__doc__,
    )
    returned = [text.partition("Returns:")[2].partition("Raises:")[0] for text in texts]
    names = {name for text in returned for name in re.findall(r"`([a-z][a-z0-9_]+)`", text)}
    details = (
        "_ci95",
        "_kind",
        "_low",
        "_high",
        "_floor",
        "_missing",
        "_accuracy",
        "mean_image",
        "evaluate_translation",
    )
    others = {"copy", "surrounding", "blur", "image_distances", "point_distances", "mode_coverage"}
    unknown = {name for name in names - others if not name.endswith(details) and figure(name).words.startswith("`")}
    assert not unknown
    assert len(names) > 25
