"""The deep belief net: a stack of restricted Boltzmann machines; all but the top one become directed layers.

Paper: Hinton, Osindero & Teh 2006, "A Fast Learning Algorithm for Deep Belief Nets"; the bound as Salakhutdinov &
    Murray 2008; dropout as Srivastava et al. 2014.
Backbone: its layers have the weights upwards: those of the restricted machines, and after the up-down algorithm the
    recognition weights. Its forward pass is the mean-field pass upwards.
Deviations: label units only with `labels`; without them, the classes are learned by a feed-forward network that starts
    as a copy of the stack (Hinton & Salakhutdinov 2006), so the stack keeps its samples and its likelihood; gray values
    are probabilities, from which black and white are drawn in each update of the stack, and inputs of the classifier as
    they are; the layers are pretrained with the momentum and the persistent chains of `rbm`.
"""

from collections.abc import Iterator
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from sandbox.config.numbers import NumChains, Repeats, Steps
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._boltzmann import belief_layers
from sandbox.generators._boltzmann.annealing import Annealing
from sandbox.generators._boltzmann.belief_layers import BeliefLayer, UpDown
from sandbox.generators._boltzmann.belief_net import BeliefNet
from sandbox.generators._boltzmann.coupling import CoupledBackbone, layers_of, sigmoids
from sandbox.generators._boltzmann.labeled_rbm_layer import rbm_layers
from sandbox.generators._boltzmann.rbm_layer import RBMTraining
from sandbox.generators._boltzmann.recall import known_units, recall_means
from sandbox.generators._boltzmann.softmax_classifier import SoftmaxClassifier, SoftmaxConfig, require_classes
from sandbox.generators._boltzmann.top_chains import TopChains
from sandbox.generators._boltzmann.top_machine import TopMachine
from sandbox.generators._boltzmann.training import PeriodicMetrics, current_stage
from sandbox.generators._images.binary import require_binary
from sandbox.generators._images.shapes import image_shape, require_shape
from sandbox.interfaces.capabilities import (
    ClassConditional,
    Estimate,
    HasClassifier,
    HasDecodingLayers,
    HasLikelihood,
    HasRecall,
    HasReconstruction,
)
from sandbox.interfaces.generator import Generator, GeneratorConfig, UntrainedError
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_pixels
from sandbox.ops import belief, boltzmann
from sandbox.ops.units import sample_bernoulli
from sandbox.streams.labeled import Labeled, LabeledConfig


class DBNConfig(GeneratorConfig):
    """Options of the deep belief net (Hinton, Osindero & Teh 2006)."""

    name: Literal["dbn"] = "dbn"
    backbone: CoupledBackbone = sigmoids(64, 64)
    pretraining_steps: Steps = Field(5_000, description="updates of each layer alone")
    learning: RBMTraining = Field(
        RBMTraining(lr=Linear(start=0.05, end=0.0, steps=5_000)), description="how each layer is trained alone"
    )
    labels: bool = Field(False, description="softmax group of label units in the top machine, to sample and classify")
    up_down: UpDown | None = Field(None, description="fine-tuning as a generative model; null: none")
    softmax: SoftmaxConfig | None = Field(
        None, description="classifier that learns in all later updates; null: none, and the last stage goes on"
    )
    sample_steps: Repeats = Field(500, description="Gibbs sweeps of the top machine to sample, or to complete an image")
    bound_samples: NumChains = Field(20, description="samples for each image that estimate its bound")
    ais: Annealing = Field(Annealing(), description="log Z estimate of a top machine that is too large to enumerate")
    stream: LabeledConfig = Field(LabeledConfig(), description="batches of images and labels")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "DBN":
        return DBN(self, spec, rng, compute)


class DBN(Generator, HasLikelihood, HasReconstruction, HasDecodingLayers, HasClassifier, ClassConditional, HasRecall):
    """A deep belief net of the layers that have begun to learn.

    Images are uint8 or floats in [0, 1], [B, C, H, W].
    """

    def __init__(self, config: DBNConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        """Build all layers, and the classifier if there is one.

        Raises:
            UserError: For a classifier or label units, and data without labels.
        """
        if config.softmax is not None:
            require_classes(spec, "softmax", "null")
        self._num_labels = require_classes(spec, "labels", "false") if config.labels else 0
        self._config, self._shape, self._device = config, image_shape(spec, "dbn"), compute.device
        with rng.initializing("dbn/encoder"):
            encoder = config.backbone.make(self._shape).to(compute.device)
        self._network = nn.ModuleDict({"encoder": encoder})
        coupled = layers_of(encoder)
        sizes = (coupled[0].in_features, *(layer.out_features for layer in coupled))
        with rng.initializing("dbn"):
            self._directed = [BeliefLayer(layer) for layer in coupled[:-1]]
        self._layers = rbm_layers(coupled, self._num_labels, config.learning, rng, "dbn", compute)
        self._classifier = None
        if config.softmax is not None:
            self._classifier = SoftmaxClassifier(config.softmax, sizes, spec.num_classes, rng, "dbn/softmax", compute)
        self._stage_lengths = [config.pretraining_steps] * len(coupled)
        if config.up_down is not None:
            self._stage_lengths.append(config.up_down.steps)
        chains = (config.up_down or UpDown()).chains
        self._chains = TopChains(chains, sizes[-2] + self._num_labels, compute.device)
        if self._classifier is None:
            self._stage_lengths.pop()  # the last stage never ends
        self._updates, self._measured = Counter(), PeriodicMetrics()
        self._states = rng.torch("dbn/states", compute.device)
        self._sampling = rng.torch("dbn/sample", compute.device)
        self._bounding = rng.torch("dbn/bound", compute.device)

    def update(self, batch: Labeled) -> Metrics:
        """Train each layer alone, then all by up-down, then the classifier.

        Returns:
            `stage`: 0 for the lowest layer alone, and so on; then one for `up_down`, and one for `softmax`.
        """
        x = self._pixels(batch.images)
        stage, step = current_stage(self._updates.value, self._stage_lengths)
        if stage < len(self._layers):
            metrics = self._pretrain(stage, step, sample_bernoulli(x, self._states), batch.labels)
        elif self._classifier is not None and stage == len(self._stage_lengths):
            assert batch.labels is not None, "the constructor requires classes"
            if step == 0:
                self._classifier.start_from(self._net().recognition_layers())
            metrics = self._classifier.update(x, batch.labels.to(self._device))
        else:
            assert self._config.up_down is not None
            metrics = self._up_down(self._config.up_down, step, sample_bernoulli(x, self._states), batch.labels)
        self._updates.value += 1
        return {**metrics, "stage": float(stage)}

    def _pretrain(self, number: int, step: int, v: torch.Tensor, labels: torch.Tensor | None) -> Metrics:
        """Train one layer alone on the probabilities of the layers below, the top one on labels, too."""
        layer = self._layers[number]
        if number and step == 0:
            self._directed[number - 1].start_from(self._layers[number - 1].rbm())
        for below in self._directed[:number]:
            v = belief.probabilities(below.recognition, v)
        v = self._machine(number).with_labels(v, labels)
        if step == 0:
            layer.start(v)
        self._measured.update(step, lambda: layer.measure(v))
        layer.learn(v, step)
        return self._measured.values

    def _up_down(self, config: UpDown, step: int, v: torch.Tensor, labels: torch.Tensor | None) -> Metrics:
        """Take one step of the up-down algorithm, with the labels clamped in the up pass."""
        directed, top, lr = self._directed, self._machine(-1), config.lr.at(step)
        # Up pass.
        recognized = belief_layers.recognize(directed, v, self._states)
        data = top.with_labels(recognized[-1], labels)
        if step == 0:
            self._chains.start(data)
        self._measured.update(step, lambda: self._layers[-1].measure(data))
        # The top machine as a restricted Boltzmann machine.
        model = self._chains.advance(top, data, self._states)
        both = torch.cat([data, model])
        gradient = boltzmann.gradient(both, boltzmann.hidden_probabilities(top.rbm, both), len(v))
        # Down pass, from the samples of the top machine.
        generated = belief_layers.generate(directed, top.below(model), self._states)

        belief_layers.wake_step(directed, recognized, lr)
        self._layers[-1].ascend(gradient, lr)
        belief_layers.sleep_step(directed, generated, lr)
        return self._measured.values

    def parts(self) -> dict[str, Stateful]:
        fine_tuning = {} if self._classifier is None else self._classifier.parts()
        return {
            "network": self._network,
            "layers": nn.ModuleList(self._layers),
            "directed": nn.ModuleList(self._directed),
            "chains": self._chains,
            **{f"softmax_{name}": part for name, part in fine_tuning.items()},
            "updates": self._updates,
            "measured": self._measured,
        }

    def sample(self, count: int) -> torch.Tensor:
        """Return pixel probabilities from `sample_steps` Gibbs sweeps of the top machine, [count, C, H, W].

        The sweeps begin at its persistent chains of the last stage, which do not change, or at noise without them.
        """
        return self._sample(count, None)

    def num_classes(self) -> int:
        """Return the number of label units; raise UserError if there are none."""
        if not self._num_labels:
            raise UserError("this dbn has no label units to sample a class by. Train one with generator.labels=true.")
        return self._num_labels

    def sample_of(self, labels: torch.Tensor) -> torch.Tensor:
        """Return samples as `sample` does, with the label units clamped to `labels` [B], [B, C, H, W].

        Raises:
            UserError: If there are no label units.
            UntrainedError: If the top machine has not begun to learn.
        """
        self.num_classes()
        self._require_top("labels")
        return self._sample(len(labels), labels)

    def _sample(self, count: int, labels: torch.Tensor | None) -> torch.Tensor:
        if self._chains.started():
            h = self._chains.hidden_states(self._machine(-1), count, self._sampling)
        else:
            h = self._layers[self._depth() - 1].starting_states(count, self._sampling)
        return self._net().sample(h, labels, self._config.sample_steps, self._sampling).view(-1, *self._shape)

    def recall_steps(self, images: torch.Tensor, known: torch.Tensor | None = None) -> Iterator[torch.Tensor]:
        """Yield the images, then the pixels' means of sweeps from them with the known ones clamped."""
        v, kept = self._pixels(images), known_units(known, images, self._device)
        sweeps = self._net().clamped_sweeps(v, kept, self._sampling)
        for means in recall_means(v, sweeps, known, self._config.sample_steps):
            yield means.view(-1, *self._shape)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Return the probabilities of the top layer's units, passing probabilities upwards, [B, H]."""
        return self._net().encode(self._pixels(images))

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Return pixel probabilities [B, C, H, W] given the top layer [B, H], passing probabilities downwards."""
        return self._net().decode(codes).view(-1, *self._shape)

    def decoding_layers(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        self._require_top("weights of its top layer")
        return [(layer.weight, layer.bias) for layer in self._net().generation_layers()]

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Encode and decode, [B, C, H, W]."""
        return self.decode(self.encode(images))

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        """Return the probabilities of the classes [B, K] of images [B, C, H, W].

        They are those of the classifier, or without one those of the label units, by the free energy of the top machine
        for each label; the units below it have the probabilities of the pass upwards.

        Raises:
            UserError: If there is neither a classifier nor label units.
            UntrainedError: If they have not begun to learn.
        """
        if self._classifier is None and self._num_labels:
            self._require_top("labels")
            return self._net().classify(self._pixels(images))
        if self._classifier is None:
            raise UserError(
                "this dbn learns no classes. Train one with a softmax, generator.softmax={}, or with label units, "
                "generator.labels=true."
            )
        earlier = sum(self._stage_lengths)  # updates
        if self._updates.value <= earlier:
            raise UntrainedError(f"this dbn has no classes yet: it learns them after update {earlier:,}.", earlier)
        return self._classifier.classify(self._pixels(images))

    def log_likelihood(self, images: torch.Tensor) -> Estimate:
        """Estimate a lower bound log p(v) >= E_q[log p(v, h) - log q(h | v)] by `bound_samples` samples.

        The bracket, if any, comes from the top machine's log Z; it does not include the gap between log p and the
        bound. With one layer the likelihood is that of `rbm`.

        Raises:
            UserError: For gray images.
        """
        v = self._pixels(images)
        require_binary(v, "the likelihood of a dbn is of binary pixels")
        return self._net().log_likelihood(v, self._config.bound_samples, self._config.ais, self._bounding)

    def _depth(self) -> int:
        """Return the number of layers that have begun to learn, at least 1."""
        stage, step = current_stage(self._updates.value, self._stage_lengths)
        return min(max(stage + (step > 0), 1), len(self._layers))

    def _require_top(self, learned: str) -> None:
        """Raise UntrainedError if the top machine has not begun to learn."""
        earlier = self._config.pretraining_steps * (len(self._layers) - 1)  # updates
        if self._updates.value <= earlier:
            raise UntrainedError(f"this dbn has no {learned} yet: it learns them after update {earlier:,}.", earlier)

    def _machine(self, number: int) -> TopMachine:
        """Return a layer as a machine; only the last one has label units."""
        layer = self._layers[number]
        return TopMachine(layer.rbm(), self._num_labels if layer is self._layers[-1] else 0)

    def _net(self) -> BeliefNet:
        """Return the net of the layers that have begun to learn."""
        return BeliefNet(self._directed[: self._depth() - 1], self._machine(self._depth() - 1))

    def _pixels(self, images: torch.Tensor) -> torch.Tensor:
        return as_pixels(require_shape(images, self._shape, "dbn"), self._device).flatten(1)
