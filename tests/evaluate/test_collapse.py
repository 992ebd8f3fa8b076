"""The early warning of mode collapse."""

from typing import Any

from sandbox.evaluate.collapse import CollapseWatch

TRY = (
    "If it is adversarial, let its discriminator see several samples at once (pack_size, or minibatch discrimination), "
    "use another loss, or lower the learning rate of the generator"
)


def lines(*scores: dict[str, Any]) -> list[str | None]:
    watch = CollapseWatch()
    return [watch.warning(100 * (number + 1), each) for number, each in enumerate(scores)]


FINE, FLAT = {"diversity": 0.5}, {"diversity": 0.49}


def test_one_warning_per_onset() -> None:
    said = lines(FINE, FLAT, FLAT, FLAT, FINE, FLAT, FLAT)
    assert [line is not None for line in said] == [False, False, True, False, False, False, True]
    assert said[2] == (
        "the generator has collapsed, at step 300 and at the evaluation before: "
        f"the distance of two samples is 0.49 times that of two test images. {TRY}"
    )


def test_both_signs_are_reported() -> None:
    few = {"diversity": 0.2, "modes": 12.0, "num_modes": 25}
    assert lines(few, few)[1] == (
        "the generator has collapsed, at step 200 and at the evaluation before: samples cover 12 of 25 modes and "
        f"the distance of two samples is 0.20 times that of two test images. {TRY}"
    )
    half = {"diversity": 1.0, "modes": 4.0, "num_modes": 8}
    assert lines(half, half) == [None, None]


def test_a_single_bad_evaluation_and_agents_give_no_warning() -> None:
    """A model of several layers shows nothing before the last one learns."""
    assert lines(FLAT, FINE, FLAT, FINE) == [None] * 4
    assert lines({"return_mean": -1.0}, {"return_mean": -1.0}) == [None, None]
    assert lines({"num_modes": 25, "diversity": 0.9}, {"num_modes": 25, "diversity": 0.9}) == [None, None]
