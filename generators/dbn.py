"""The deep belief net: a stack of restricted Boltzmann machines; all but the top one become directed layers.

Paper: Hinton, Osindero & Teh 2006, "A Fast Learning Algorithm for Deep Belief Nets"; the bound as Salakhutdinov &
    Murray 2008; dropout as Srivastava et al. 2014.
Backbone: its layers have the weights upwards: those of the restricted machines, and after the up-down algorithm the
    recognition weights. Its forward pass is the mean-field pass upwards.
Deviations: no labels in the associative memory; the classes are learned by a feed-forward network that starts as a copy
    of the stack (Hinton & Salakhutdinov 2006), so the stack keeps its samples and its likelihood; gray values are
    probabilities, from which black and white are drawn in each update of the stack, and inputs of the classifier as
    they are; the layers are pretrained with the momentum and the persistent chains of `rbm`.
"""

from collections.abc import Iterator
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from sandbox.config.base import Config
from sandbox.config.numbers import NumChains, Repeats, Steps
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._boltzmann import belief_layers
from sandbox.generators._boltzmann.annealing import MAX_ENUMERATED_UNITS, Annealing, bracketed_estimate
from sandbox.generators._boltzmann.belief_layers import BeliefLayer
from sandbox.generators._boltzmann.classifier import Classifier, ClassifierConfig
from sandbox.generators._boltzmann.coupling import CoupledBackbone, layers_of, sigmoids
from sandbox.generators._boltzmann.rbm_layer import RBMLayer, RBMTraining
from sandbox.generators._boltzmann.recall import known_units, recall_means
from sandbox.generators._boltzmann.training import PeriodicMetrics, current_stage
from sandbox.generators._images.binary import require_binary
from sandbox.generators._images.shapes import image_shape, require_shape
from sandbox.interfaces.capabilities import (
    Estimate,
    HasClassifier,
    HasEncoder,
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
from sandbox.ops.belief import SigmoidLayer
from sandbox.ops.boltzmann import RBMParameters
from sandbox.ops.units import BERNOULLI, sample_bernoulli
from sandbox.streams.labeled import Labeled, LabeledConfig


class UpDown(Config):
    """The up-down algorithm, a contrastive version of wake-sleep that fine-tunes all layers together."""

    steps: Steps = Field(10_000, description="updates by the up-down algorithm")
    sweeps: Repeats = Field(3, description="Gibbs sweeps of the top machine between the two passes")
    lr: Linear = Field(Linear(start=0.01, end=0.0, steps=10_000), description="learning rate, by update of this stage")


class DBNConfig(GeneratorConfig):
    """Options of the deep belief net (Hinton, Osindero & Teh 2006)."""

    name: Literal["dbn"] = "dbn"
    backbone: CoupledBackbone = sigmoids(64, 64)
    pretraining_steps: Steps = Field(5_000, description="updates of each layer alone")
    learning: RBMTraining = Field(
        RBMTraining(lr=Linear(start=0.05, end=0.0, steps=5_000)), description="how each layer is trained alone"
    )
    up_down: UpDown | None = Field(None, description="fine-tuning as a generative model; null: none")
    softmax: ClassifierConfig | None = Field(
        None, description="classifier that learns in all later updates; null: none, and the last stage goes on"
    )
    sample_steps: Repeats = Field(500, description="Gibbs sweeps of the top machine to a sample, and of a completion")
    bound_samples: NumChains = Field(20, description="samples for each image that estimate its bound")
    ais: Annealing = Field(Annealing(), description="estimate of the top machine's log Z if it is too large")
    stream: LabeledConfig = Field(LabeledConfig(), description="batches of images and labels")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "DBN":
        return DBN(self, spec, rng, compute)


class DBN(Generator, HasLikelihood, HasReconstruction, HasEncoder, HasClassifier, HasRecall):
    """A deep belief net of the layers that have begun to learn.

    Images are uint8 or floats in [0, 1], [B, C, H, W].
    """

    def __init__(self, config: DBNConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        """Build all layers, and the classifier if there is one.

        Raises:
            UserError: For a classifier on data without labels.
        """
        if config.softmax is not None and not spec.num_classes:
            raise UserError(
                "generator.softmax learns classes, but the data set has no labels. Set generator.softmax=null, or "
                "choose data that have some, e.g. data.name=digits or data.name=mnist."
            )
        self._config, self._shape, self._device = config, image_shape(spec, "dbn"), compute.device
        with rng.initializing("dbn/encoder"):
            encoder = config.backbone.make(self._shape).to(compute.device)
        self._network = nn.ModuleDict({"encoder": encoder})
        coupled = layers_of(encoder)
        sizes = (coupled[0].in_features, *(layer.out_features for layer in coupled))
        with rng.initializing("dbn"):
            self._directed = [BeliefLayer(layer) for layer in coupled[:-1]]
        self._layers = [
            RBMLayer(layer, config.learning, BERNOULLI, rng, f"dbn/{i}", compute) for i, layer in enumerate(coupled)
        ]
        self._classifier = None
        if config.softmax is not None:
            self._classifier = Classifier(config.softmax, sizes, spec.num_classes, rng, "dbn/softmax", compute)
        self._stage_lengths = [config.pretraining_steps] * len(coupled)
        if config.up_down is not None:
            self._stage_lengths.append(config.up_down.steps)
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
            metrics = self._pretrain(stage, step, sample_bernoulli(x, self._states))
        elif self._classifier is not None and stage == len(self._stage_lengths):
            metrics = self._fine_tune(self._classifier, step, x, batch.labels)
        else:
            assert self._config.up_down is not None
            metrics = self._up_down(self._config.up_down, step, sample_bernoulli(x, self._states))
        self._updates.value += 1
        return {**metrics, "stage": float(stage)}

    def _pretrain(self, number: int, step: int, v: torch.Tensor) -> Metrics:
        """Train one layer as a restricted Boltzmann machine, on the probabilities of the layers below."""
        layer = self._layers[number]
        if number and step == 0:
            self._directed[number - 1].start_from(self._layers[number - 1].rbm())
        for below in self._directed[:number]:
            v = belief.probabilities(below.recognition, v)
        if step == 0:
            layer.start(v)
        if self._measured.due(step):
            self._measured.values = layer.measure(v)
        layer.learn(v, step)
        return self._measured.values

    def _up_down(self, config: UpDown, step: int, v: torch.Tensor) -> Metrics:
        """Take one step of the up-down algorithm.

        Returns:
            `reconstruction_error`: the mean squared change of a unit below the top machine, by its Gibbs sweeps.
        """
        directed, top, lr = self._directed, self._layers[-1].rbm(), config.lr.at(step)

        # Up pass.
        recognized = belief_layers.recognize(directed, v, self._states)
        # Contrastive divergence of the top machine.
        _, model = boltzmann.gibbs(top, recognized[-1], config.sweeps, self._states)
        both = torch.cat([recognized[-1], model])
        gradient = boltzmann.gradient(both, boltzmann.hidden_probabilities(top, both), len(v))
        # Down pass, from the last sample of the top machine.
        generated = belief_layers.generate(directed, model, self._states)

        belief_layers.wake_step(directed, recognized, lr)
        torch._foreach_add_(list(top), list(gradient), alpha=lr)
        belief_layers.sleep_step(directed, generated, lr)
        return {"reconstruction_error": (recognized[-1] - model).square().mean()}

    def _fine_tune(self, classifier: Classifier, step: int, x: torch.Tensor, labels: torch.Tensor | None) -> Metrics:
        """Train the classifier, which starts as the stack."""
        assert labels is not None, "the constructor requires classes"
        if step == 0:
            classifier.start_from(self._recognition_layers())
        return classifier.update(x, labels.to(self._device))

    def parts(self) -> dict[str, Stateful]:
        fine_tuning = {} if self._classifier is None else self._classifier.parts()
        return {
            "network": self._network,
            "layers": nn.ModuleList(self._layers),
            "directed": nn.ModuleList(self._directed),
            **{f"softmax_{name}": part for name, part in fine_tuning.items()},
            "updates": self._updates,
            "measured": self._measured,
        }

    def sample(self, count: int) -> torch.Tensor:
        """Return pixel probabilities from `sample_steps` Gibbs sweeps of the top machine, [count, C, H, W].

        The sweeps begin at its persistent chains, which do not change, or at noise without them.
        """
        directed, layer = self._below_top(), self._layers[self._depth() - 1]
        top, chains = layer.rbm(), layer.chains.float()
        if not len(chains):
            halves = torch.full((count, len(top.hidden_bias)), 0.5, device=self._device)
            chains = sample_bernoulli(halves, self._sampling)
        h = chains[torch.arange(count, device=self._device) % len(chains)]
        v = sample_bernoulli(boltzmann.visible_means(top, h), self._sampling)
        p, states = boltzmann.gibbs(top, v, self._config.sample_steps, self._sampling)
        means = belief_layers.visible_means(directed, states, self._sampling) if directed else p
        return means.view(-1, *self._shape)

    def recall_steps(self, images: torch.Tensor, known: torch.Tensor | None = None) -> Iterator[torch.Tensor]:
        """Yield the images, then the pixels' means of sweeps from them with the known ones clamped."""
        v, kept = self._pixels(images), known_units(known, images, self._device)
        sweeps = belief_layers.clamped_sweeps(self._below_top(), self._top(), v, kept, self._sampling)
        for means in recall_means(v, sweeps, known, self._config.sample_steps):
            yield means.view(-1, *self._shape)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Return the probabilities of the top layer's units, passing probabilities upwards, [B, H]."""
        h = self._pixels(images)
        for layer in self._recognition_layers():
            h = belief.probabilities(layer, h)
        return h

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Return pixel probabilities [B, C, H, W] given the top layer [B, H], passing probabilities downwards."""
        v = boltzmann.visible_means(self._top(), codes)
        for layer in reversed(self._below_top()):
            v = belief.probabilities(layer.generation, v)
        return v.view(-1, *self._shape)

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Encode and decode, [B, C, H, W]."""
        return self.decode(self.encode(images))

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        """Return the probabilities of the classes [B, K] of images [B, C, H, W].

        Raises:
            UserError: If there is no classifier.
            UntrainedError: If it has not begun to learn.
        """
        if self._classifier is None:
            raise UserError("this dbn learns no classes. Train one with a softmax: generator.softmax={}.")
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
        top, directed = self._top(), self._below_top()
        h = belief_layers.recognize(directed, v, self._bounding)[-1]
        samples = self._config.bound_samples
        unnormalized = belief_layers.unnormalized_bound(directed, top, v, samples, self._bounding)
        if min(len(top.visible_bias), len(top.hidden_bias)) <= MAX_ENUMERATED_UNITS:
            nats = (unnormalized - boltzmann.log_partition(top)).float()
            return Estimate("bound" if directed else "exact", nats)
        forward, reverse = self._config.ais.log_partition(top, h, self._bounding)
        return bracketed_estimate("bound by ais" if directed else "ais", unnormalized, forward, reverse)

    def _depth(self) -> int:
        """Return the number of layers that have begun to learn, at least 1."""
        stage, step = current_stage(self._updates.value, self._stage_lengths)
        begun = stage + 1 if step > 0 else stage
        return min(max(begun, 1), len(self._layers))

    def _top(self) -> RBMParameters:
        return self._layers[self._depth() - 1].rbm()

    def _below_top(self) -> list[BeliefLayer]:
        return self._directed[: self._depth() - 1]

    def _recognition_layers(self) -> list[SigmoidLayer]:
        """Return the weights that infer each hidden layer, lowest first."""
        top = self._top()
        return [*(layer.recognition for layer in self._below_top()), SigmoidLayer(top.weight, top.hidden_bias)]

    def _pixels(self, images: torch.Tensor) -> torch.Tensor:
        return as_pixels(require_shape(images, self._shape, "dbn"), self._device).flatten(1)
