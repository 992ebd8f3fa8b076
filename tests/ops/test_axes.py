"""Functions of [..., X]: any number of leading axes gives what the rows give one by one."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from sandbox.ops import belief, boltzmann_machine, distributional, hopfield, likelihood, units, vector_quantization
from sandbox.ops.policies import greedy

DRAWS = torch.Generator().manual_seed(0)
X, Y, Z = torch.randn(3, 2, 3, 4, generator=DRAWS)
BITS = (torch.rand(2, 3, 5, generator=DRAWS) < 0.5).float()
LAYER = belief.SigmoidLayer(torch.randn(4, 5, generator=DRAWS), torch.randn(5, generator=DRAWS))
CODES = torch.randn(7, 4, generator=DRAWS)
MACHINE = boltzmann_machine.BoltzmannParameters(CODES.T @ CODES, CODES[0])
CASES: dict[str, tuple[Callable[..., torch.Tensor], tuple[Any, ...]]] = {
    "bernoulli energy": (units.BERNOULLI.energy, (X,)),
    "bernoulli log partition": (units.BERNOULLI.log_partition, (X,)),
    "gaussian energy": (units.GAUSSIAN.energy, (X,)),
    "gaussian log partition": (units.GAUSSIAN.log_partition, (X,)),
    "probabilities": (lambda x: belief.probabilities(LAYER, x), (X,)),
    "log prob": (lambda x, y: belief.log_prob(LAYER, x, y), (X, BITS)),
    "prior log prob": (lambda x, y: belief.prior_log_prob(x, y), (X, (Y > 0).float())),
    "cosines": (lambda taus: distributional.cosines(taus, 6), (X.sigmoid(),)),
    "hopfield energy": (lambda s: hopfield.energy(CODES.T @ CODES, s), (X,)),
    "boltzmann energy": (lambda s: boltzmann_machine.energy(MACHINE, s), (X,)),
    "greedy": (lambda q: greedy(q, torch.Generator()), (X,)),
    "nearest codes": (lambda x: vector_quantization.nearest_codes(x, CODES), (X,)),
    "gaussian log prob": (likelihood.gaussian_log_prob, (X, Y, Z)),
}


@pytest.mark.parametrize("case", CASES)
def test_leading_axes_are_rows(case: str) -> None:
    function, given = CASES[case]
    whole = function(*given)
    for i in range(2):
        for j in range(3):
            torch.testing.assert_close(whole[i, j], function(*(part[i : i + 1, j : j + 1] for part in given))[0, 0])
            torch.testing.assert_close(whole[i, j], function(*(part[i, j] for part in given)))
