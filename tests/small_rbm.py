"""A restricted Boltzmann machine on images of six pixels, for tests."""

import itertools
from typing import Any

import torch

from sandbox.core.compute import Compute, choose
from sandbox.core.rng import Rng
from sandbox.generators._boltzmann.rbm_layer import RBMLayer
from sandbox.generators.rbm import RBM, RBMConfig
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec

SPEC = Spec((1, 2, 3))
EVERY = torch.tensor(list(itertools.product([0.0, 1.0], repeat=6))).view(64, *SPEC.shape)


def constant(value: float) -> dict[str, float]:
    return {"start": value, "end": value}


def make(
    spec: Spec = SPEC,
    compute: Compute | None = None,
    rng: Rng | None = None,
    hidden_size: int = 4,
    ais: dict[str, Any] | None = None,
    **learning: Any,
) -> RBM:
    learning = {"chains": {"count": 30}, "lr": constant(0.1), "momentum": constant(0.5), **learning}
    config = RBMConfig.model_validate({"backbone": {"hidden": [hidden_size]}, "learning": learning, "ais": ais or {}})
    return config.make(spec, rng or Rng(0), compute or choose("cpu"), NO_RUNS)


def layer_of(rbm: RBM) -> RBMLayer:
    layer = rbm.parts()["machine"]
    assert isinstance(layer, RBMLayer)
    return layer


def batch(count: int = 8, seed: int = 0) -> torch.Tensor:
    rows = torch.randint(64, (count,), generator=torch.Generator().manual_seed(seed))
    return (EVERY[rows] * 255).to(torch.uint8)


def white(images: torch.Tensor) -> torch.Tensor:
    return (images == 255).float().flatten(1)
