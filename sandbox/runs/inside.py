"""The inside of a run's learner, for TensorBoard."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from sandbox.interfaces.agent import Inspectable
from sandbox.interfaces.capabilities import HasEncoder
from sandbox.interfaces.generator import UntrainedError
from sandbox.logger.tensorboard import Codes
from sandbox.networks.base import Encoder
from sandbox.networks.trained import trained_networks
from sandbox.runs.agent_run import BuiltAgentRun
from sandbox.runs.build import BuiltRun
from sandbox.runs.generator_run import BuiltGeneratorRun
from sandbox.training.batch_norm import paused_batch_norms

_IMAGES = 256  # test images that are encoded
_IMAGE_AXES = 4


class Inside:
    """The encoders and the latent codes of a run's learner; see `sandbox.logger.tensorboard.Model`."""

    def __init__(self, built: BuiltRun) -> None:
        self._built = built

    def encoders(self) -> Iterator[tuple[nn.Module, torch.Tensor]]:
        """Yield the backbones of the learner, each with one input of zeros."""
        for network in trained_networks(self._built.learner.parts()).values():
            for module in network.modules():
                if isinstance(module, Encoder):
                    yield module, torch.zeros(self._input_shape(), device=self._built.compute.device)

    def codes(self) -> Codes | None:
        """Encode 256 test images; None for an agent, for points, or if the generator cannot encode, or not yet."""
        built = self._built
        if not isinstance(built, BuiltGeneratorRun) or not isinstance(built.learner, HasEncoder):
            return None
        images, labels = built.data.test[:_IMAGES], built.data.test_labels
        if images.dim() != _IMAGE_AXES:
            return None
        try:
            with torch.no_grad(), paused_batch_norms(built.learner):
                codes = built.learner.encode(images).flatten(1)
        except UntrainedError:
            return None
        names = built.facts.classes
        chosen = None if labels is None else labels[:_IMAGES].tolist()
        words = None if chosen is None else [str(label) if names is None else names[label] for label in chosen]
        return Codes(codes, images.float() / 255 if images.dtype == torch.uint8 else images, words)

    def _input_shape(self) -> tuple[int, ...]:
        built = self._built
        if not isinstance(built, BuiltAgentRun):
            return (1, *built.facts.spec.shape)
        spec, agent = built.spec, built.learner
        if not isinstance(agent, Inspectable):
            return (1, *spec.shape)
        observations = np.zeros((1, *spec.shape), np.uint8 if spec.is_bytes else np.float32)
        return tuple(agent.network_input(observations, agent.initial_state(1)).shape)
