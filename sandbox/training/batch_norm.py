"""Batch norms that keep to their statistics: for good, or for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from sandbox.interfaces.learner import Learner


def freeze_batch_norms(learner: Learner) -> None:
    """For good: batch norms keep to the statistics they have, of the run they start from, or else mean 0, variance 1.

    What an agent does in one environment must not depend on the others, nor on what is being learnt beside it.
    """
    for norm in _learning_norms(learner):
        norm.eval()


@contextmanager
def paused_batch_norms(learner: Learner) -> Iterator[None]:
    """Inside, batch norms keep to their statistics; afterwards they learn on.

    So what is made or measured neither changes the learner nor hangs on its company.
    """
    norms = _learning_norms(learner)
    for norm in norms:
        norm.eval()
    try:
        yield
    finally:
        for norm in norms:
            norm.train()


def _learning_norms(learner: Learner) -> list[nn.Module]:
    modules = [part for part in learner.parts().values() if isinstance(part, nn.Module)]
    norms = [part for module in modules for part in module.modules() if isinstance(part, _BatchNorm)]
    return [norm for norm in norms if norm.training]
