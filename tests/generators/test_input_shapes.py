"""Every member refuses images of another shape alike, whatever it is asked."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.interfaces import capabilities as can
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.runs.registry import names
from sandbox.runs.resolve import member

SPEC = Spec((1, 16, 16), num_classes=3, source_shape=(1, 16, 16))
SHAPES = [(1, 8, 8), (1, 10, 10), (1, 12, 24), (1, 8, 32), (3, 16, 16), (1, 32, 32), (1, 256, 1)]
ASKED: list[tuple[type, Callable[[Any, torch.Tensor], Any]]] = [
    (can.HasEncoder, lambda model, x: model.encode(x)),
    (can.HasReconstruction, lambda model, x: model.reconstruct(x)),
    (can.HasLikelihood, lambda model, x: model.log_likelihood(x)),
    (can.HasBound, lambda model, x: model.bound(x)),
    (can.HasPseudoLikelihood, lambda model, x: model.pseudo_log_likelihood(x)),
    (can.HasClusters, lambda model, x: model.cluster(x)),
    (can.HasAssociativeMemory, lambda model, x: model.recall(x)),
    (can.HasTranslation, lambda model, x: model.translate(x)),
    (can.HasBackTranslation, lambda model, x: model.translate_back(x)),
]


@pytest.mark.parametrize("name", names("generators"))
def test_other_shapes_are_refused(name: str) -> None:
    model = member("generators", {"name": name}, "generator").make(SPEC, Rng(0), choose("cpu"), NO_RUNS)
    asked = [ask for ability, ask in ASKED if isinstance(model, ability)]
    if isinstance(model, can.HasClassifier):
        with pytest.raises(UserError):  # for its shape, or since it has no classes before it is trained
            model.classify(torch.zeros(2, 1, 8, 8))
    for shape in SHAPES:
        for ask in asked:
            with pytest.raises(UserError) as refused:
                ask(model, torch.zeros(2, *shape, dtype=torch.uint8))
            assert str(refused.value) == (
                f"this {name} was trained on images [B, 1, 16, 16], but these are {[2, *shape]}. Bring them to that "
                "shape, or train a generator on images such as these."
            )
