"""The early warning: when it speaks, what it says, and when it is silent."""

from typing import Any

from sandbox.evaluate.collapse import CollapseWatch

TRY = (
    "If it is adversarial, let its discriminator see several samples at once (pack_size, or minibatch discrimination), "
    "or take another loss; a smaller learning rate of the generator may do, too"
)


def lines(*scores: dict[str, Any]) -> list[str | None]:
    watch = CollapseWatch()
    return [watch.look(100 * (number + 1), each) for number, each in enumerate(scores)]


FINE, FLAT = {"diversity": 0.5}, {"diversity": 0.49}


def test_once_an_onset() -> None:
    said = lines(FINE, FLAT, FLAT, FLAT, FINE, FLAT, FLAT)
    assert [line is not None for line in said] == [False, False, True, False, False, False, True]
    assert said[2] == (
        "the generator has collapsed, at step 300 as at the evaluation before: "
        f"two samples are only 0.49 times as far apart as two test ones. {TRY}"
    )


def test_both_signs_are_told() -> None:
    few = {"diversity": 0.2, "modes": 12.0, "num_modes": 25}
    assert lines(few, few)[1] == (
        "the generator has collapsed, at step 200 as at the evaluation before: samples are of 12 of 25 modes and "
        f"two samples are only 0.20 times as far apart as two test ones. {TRY}"
    )
    half = {"diversity": 1.0, "modes": 4.0, "num_modes": 8}
    assert lines(half, half) == [None, None]


def test_what_has_hardly_begun_and_agents_are_left_in_peace() -> None:
    """A model of several layers shows nothing before the last one learns."""
    assert lines(FLAT, FINE, FLAT, FINE) == [None] * 4
    assert lines({"return_mean": -1.0}, {"return_mean": -1.0}) == [None, None]
    assert lines({"num_modes": 25, "diversity": 0.9}, {"num_modes": 25, "diversity": 0.9}) == [None, None]
