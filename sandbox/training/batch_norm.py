"""Freezes the running statistics of batch norms, for good or for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from sandbox.interfaces.learner import Learner


def freeze_batch_norms(learner: Learner) -> None:
    """Freeze the batch norms of a learner for good, with the statistics that they have.

    Those come from the run that the learner starts from; otherwise they are mean 0 and variance 1. An agent's action in
    one environment must not depend on the observations of the others.
    """
    for norm in _learning_norms(learner):
        norm.eval()


@contextmanager
def paused_batch_norms(learner: Learner) -> Iterator[None]:
    """Freeze the batch norms of a learner while the context is entered.

    So samples and evaluations neither change the learner nor depend on the other samples of a batch.
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
