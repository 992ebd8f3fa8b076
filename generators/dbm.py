"""The deep Boltzmann machine: layers are pretrained one by one, then trained together, then fine-tuned as a classifier.

Paper: Salakhutdinov & Hinton 2009, "Deep Boltzmann Machines".
Backbone: it is the first pass upwards, with doubled weights below the top layer. Pretraining begins with it.
Deviations: the layers' gradients can be centered (Melchior, Fischer & Wiskott 2016); mean field makes a fixed number of
    rounds of exact coordinate ascent, so nothing is damped; the bias of a middle layer starts at the mean of the two
    that pretraining found; fine-tuning uses Adam in place of conjugate gradients. With `precision: bf16` products are
    rounded, weights stay fp32.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field, field_validator
from torch import nn
from torch.nn import functional as F

from sandbox.config.numbers import Repeats, Steps, StepsOrZero
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._boltzmann import first_pass
from sandbox.generators._boltzmann.annealing import MAX_ENUMERATED_UNITS, Annealing, bracketed_estimate
from sandbox.generators._boltzmann.coupling import CoupledBackbone, layers_of, sigmoids
from sandbox.generators._boltzmann.mean_field_classifier import MeanFieldClassifier
from sandbox.generators._boltzmann.rbm_layer import UNSCALED, ContrastiveDivergence, RBMLayer, RBMTraining
from sandbox.generators._boltzmann.recall import known_units, recall_means
from sandbox.generators._boltzmann.training import PeriodicMetrics, current_stage
from sandbox.generators._images.binary import require_binary
from sandbox.generators._images.shapes import image_shape, require_shape
from sandbox.interfaces.capabilities import (
    Estimate,
    HasClassifier,
    HasEncoder,
    HasFilters,
    HasLikelihood,
    HasRecall,
    HasReconstruction,
)
from sandbox.interfaces.generator import Generator, GeneratorConfig, UntrainedError
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_float
from sandbox.networks.mlp import MLP
from sandbox.ops import boltzmann, deep_boltzmann
from sandbox.ops.boltzmann import RBMParameters
from sandbox.ops.units import BERNOULLI, sample_bernoulli
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.labeled import Labeled, LabeledConfig


class DBMConfig(GeneratorConfig):
    """Options of the deep Boltzmann machine (Salakhutdinov & Hinton 2009)."""

    name: Literal["dbm"] = "dbm"
    backbone: CoupledBackbone = sigmoids(32, 32)
    pretraining: RBMTraining = Field(
        RBMTraining(chains=ContrastiveDivergence()), description="how each layer is trained alone"
    )
    pretraining_steps: StepsOrZero = Field(2_000, description="updates of each layer alone")
    learning: RBMTraining = Field(
        RBMTraining(lr=Linear(start=0.01, end=0.0, steps=10_000)), description="how all layers are trained together"
    )
    learning_steps: Steps = Field(
        10_000, description="updates of all layers together; then, if the data have labels, those of the classifier"
    )
    mean_field_steps: Repeats = Field(10, description="rounds of mean-field inference")
    optimizer: AnyOptimizer = Field(Adam(), description="optimizer of the classifier")
    sample_steps: Repeats = Field(500, description="Gibbs sweeps from the chains to sample, or to complete an image")
    ais: Annealing = Field(Annealing(), description="estimate of log Z for machines that are too large to enumerate")
    stream: LabeledConfig = Field(LabeledConfig(), description="batches of images and labels")

    @field_validator("backbone")
    @classmethod
    def _check_depth(cls, backbone: MLP) -> MLP:
        if len(backbone.hidden) < 2:
            raise ValueError(f"dbm couples two layers or more, and hidden={list(backbone.hidden)} has one; see rbm")
        return backbone

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "DBM":
        return DBM(self, spec, rng, compute)


class DBM(Generator, HasLikelihood, HasReconstruction, HasEncoder, HasFilters, HasClassifier, HasRecall):
    """A deep Boltzmann machine.

    Images are uint8 of 0 and 255, or floats 0 and 1, [B, C, H, W]. The deep machine is a restricted one with the even
    layers on one side and the odd layers on the other; see `sandbox.ops.deep_boltzmann`.
    """

    def __init__(self, config: DBMConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._shape, self._compute = config, image_shape(spec, "dbm"), compute
        with rng.initializing("dbm/encoder"):
            encoder = config.backbone.make(self._shape).to(compute.device)
        self._encoder = layers_of(encoder)
        self._sizes = (self._encoder[0].in_features, *(layer.out_features for layer in self._encoder))
        connections = deep_boltzmann.connections(self._sizes)
        stack = [nn.Linear(below, above, device=compute.device) for below, above in pairwise(self._sizes)]
        machine = nn.Linear(*connections.shape).to(compute.device)
        self._weights = nn.ModuleDict({"encoder": encoder, "stack": nn.ModuleList(stack), "machine": machine})
        self._stack = [
            RBMLayer(
                layer, config.pretraining, BERNOULLI, rng, f"dbm/{i}", compute, first_pass.input_scales(i, len(stack))
            )
            for i, layer in enumerate(stack)
        ]
        self._machine = RBMLayer(machine, config.learning, BERNOULLI, rng, "dbm", compute, UNSCALED, connections)
        with rng.initializing("dbm/network"):
            self._network = MeanFieldClassifier(self._sizes, max(spec.num_classes, 1)).to(compute.device)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._has_classes = spec.num_classes > 0
        joint_steps = [config.learning_steps] if self._has_classes else []  # without classes they never end
        self._stage_lengths = [config.pretraining_steps] * len(stack) + joint_steps
        self._updates, self._measured = Counter(), PeriodicMetrics()
        self._measuring = rng.torch("dbm/measure", compute.device)
        self._sampling = rng.torch("dbm/sample", compute.device)
        self._annealing = rng.torch("dbm/annealing", compute.device)
        first_pass.write(self._encoder, self.rbm())

    def update(self, batch: Labeled) -> Metrics:
        """Train each layer alone, then all layers together and, if there are labels, then the classifier.

        Raises:
            UserError: For gray images, at the first update, the only one that waits for the device.
        """
        v = self._pixels(batch.images)
        if self._updates.value == 0:
            self._require_binary(v)
            first_pass.start(self._stack, self._encoder)
            self._stack[0].start(v)
        stage, step = current_stage(self._updates.value, self._stage_lengths)
        self._updates.value += 1
        if stage < len(self._stack):
            return self._pretrain(v, stage, step)
        if stage == len(self._stack):
            if step == 0:
                self._compose(v)
            return self._learn(v, step)
        if step == 0:
            self._network.start_from(self._machine.rbm())
        assert batch.labels is not None, "data with classes have labels"
        return self._fine_tune(v, batch.labels)

    def _pretrain(self, v: torch.Tensor, number: int, step: int) -> Metrics:
        """Train one layer as a restricted Boltzmann machine, on the means of the layers below.

        Returns:
            `loss`: the mean squared error of a reconstructed unit; `layer`: the number of the layer, from 1.
        """
        for below in self._stack[:number]:
            v = below.hidden_means(v)
        layer = self._stack[number]
        if self._measured.due(step):
            error = (layer.visible_means(layer.hidden_means(v)) - v).square().mean()
            self._measured.values = {"loss": error, "layer": torch.tensor(float(number + 1))}
        layer.learn(v, step)
        return self._measured.values

    def _compose(self, v: torch.Tensor) -> None:
        """Combine the pretrained layers into one machine, whose chains begin at the posterior of the data."""
        self._machine.start_from(deep_boltzmann.compose([layer.rbm() for layer in self._stack]))
        _, odd = self._mean_field(v)
        self._machine.restart_chains(sample_bernoulli(odd, self._sampling))

    def _learn(self, v: torch.Tensor, step: int) -> Metrics:
        """Train all layers together, by mean field in the positive phase and Markov chains in the negative phase.

        Returns:
            `loss`: the mean variational free energy of the data minus that of the model's samples; `layer`: 0.
        """
        even, _ = self._mean_field(v)  # given these, the machine infers the odd layers itself
        if self._measured.due(step):
            rbm, chains = self._machine.rbm(), self._machine.chains.float()
            model = sample_bernoulli(self.decode(chains).flatten(1), self._measuring)
            model_bound = deep_boltzmann.variational_bound(rbm, model, *self._mean_field(model)).mean()
            data_bound = deep_boltzmann.variational_bound(rbm, v, *self._mean_field(v)).mean()
            self._measured.values = {"loss": model_bound - data_bound, "layer": torch.tensor(0.0)}
        self._machine.learn(torch.cat([v, even], 1), step)
        return self._measured.values

    def _fine_tune(self, v: torch.Tensor, labels: torch.Tensor) -> Metrics:
        """Train the classifier; the machine stays as it is.

        Returns:
            `loss`: the cross-entropy, nats; `error`: the fraction of wrong classes.
        """
        logits = self._logits(v)
        loss = F.cross_entropy(logits, labels)
        self._optimizer.minimize(loss)
        return {"loss": loss.detach(), "error": (logits.argmax(1) != labels).float().mean()}

    def parts(self) -> dict[str, Stateful]:
        """Return the weights, the chains and what else decides the future; the backbone is brought up to date."""
        if self._updates.value:
            first_pass.write(self._encoder, self.rbm())
        return {
            "weights": self._weights,
            **{f"layer_{i + 1}": layer for i, layer in enumerate(self._stack)},
            "machine": self._machine,
            "network": self._network,
            "optimizer": self._optimizer,
            "updates": self._updates,
            "measured": self._measured,
        }

    @torch.no_grad()
    def sample(self, count: int) -> torch.Tensor:
        """Return pixel probabilities after `sample_steps` Gibbs sweeps from the chains, [count, C, H, W].

        The chains themselves do not change.
        """
        chains = self._machine.chains.float()
        odd = chains[torch.arange(count, device=chains.device) % len(chains)]
        _, odd = boltzmann.gibbs(self.rbm().transposed(), odd, self._config.sample_steps, self._sampling)
        return self.decode(odd)

    def recall_steps(self, images: torch.Tensor, known: torch.Tensor | None = None) -> Iterator[torch.Tensor]:
        """Yield the images, then the pixels' means of Gibbs sweeps from them with the known ones clamped."""
        v, kept = self._pixels(images), known_units(known, images, self._compute.device)
        sweeps = deep_boltzmann.clamped_gibbs(self.rbm(), v, kept, self._config.mean_field_steps, self._sampling)
        for means in recall_means(v, sweeps, known, self._config.sample_steps):
            yield means.view(-1, *self._shape)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Return the mean-field means of the odd layers, [B, H1 + H3 + ...]."""
        return deep_boltzmann.mean_field(self.rbm(), self._pixels(images), self._config.mean_field_steps)[1]

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Return pixel probabilities [B, C, H, W] given the odd layers [B, H1 + H3 + ...]."""
        return boltzmann.visible_means(self.rbm(), codes)[:, : self._sizes[0]].view(-1, *self._shape)

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Return pixel probabilities given the mean-field means, [B, C, H, W]."""
        return self.decode(self.encode(images))

    def filters(self, count: int) -> torch.Tensor:
        """Return the weights of the lowest layer's first units, [count, C, H, W]."""
        return self.rbm().weight[: self._sizes[0], : self._sizes[1]].T[:count].reshape(-1, *self._shape)

    @torch.no_grad()
    def classify(self, images: torch.Tensor) -> torch.Tensor:
        """Return the probabilities of the classes, [B, K].

        Raises:
            UntrainedError: Before fine-tuning, or if the data had no labels.
        """
        earlier = len(self._stack) * self._config.pretraining_steps + self._config.learning_steps  # updates
        if not self._has_classes or self._updates.value <= earlier:
            raise UntrainedError(
                f"this dbm has no classes yet: it learns them from update {earlier + 1:,} on, from data with labels.",
                earlier,
            )
        return self._logits(self._pixels(images)).softmax(1)

    def log_likelihood(self, images: torch.Tensor) -> Estimate:
        """Compute the mean-field bound, with log Z by enumeration if a side has at most 20 units, else by AIS.

        Raises:
            UserError: For gray images.
        """
        rbm, v = self.rbm(), self._pixels(images)
        self._require_binary(v)
        even, odd = deep_boltzmann.mean_field(rbm, v, self._config.mean_field_steps)
        unnormalized = deep_boltzmann.variational_bound(rbm, v, even, odd)
        if min(len(rbm.visible_bias), len(rbm.hidden_bias)) <= MAX_ENUMERATED_UNITS:
            return Estimate("bound", (unnormalized - boltzmann.log_partition(rbm)).float())
        visible = torch.cat([v, sample_bernoulli(even, self._annealing)], 1)
        forward, reverse = self._config.ais.log_partition(rbm, visible, self._annealing)
        return bracketed_estimate("bound by ais", unnormalized, forward, reverse)

    def rbm(self) -> RBMParameters:
        """Return the deep machine as a restricted one; during pretraining, as the layers would be combined now."""
        if self._updates.value <= len(self._stack) * self._config.pretraining_steps:
            return deep_boltzmann.compose([layer.rbm() for layer in self._stack])
        return self._machine.rbm()

    def _mean_field(self, v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the means of the even and the odd layers, with products in the run's precision."""
        dtype = torch.bfloat16 if self._compute.bf16 else torch.float32
        rbm = self._machine.rbm()
        rbm = rbm._replace(weight=rbm.weight.to(dtype))
        return deep_boltzmann.mean_field(rbm, v.to(dtype), self._config.mean_field_steps)

    def _logits(self, v: torch.Tensor) -> torch.Tensor:
        """Return the classifier's logits [B, K]."""
        inferred = deep_boltzmann.hidden_layers(self._sizes, *self._mean_field(v))
        with self._compute.autocast():
            return self._network(v, inferred).float()

    def _pixels(self, images: torch.Tensor) -> torch.Tensor:
        return as_float(require_shape(images, self._shape, "dbm").to(self._compute.device)).flatten(1)

    def _require_binary(self, v: torch.Tensor) -> None:
        anew = ", or generator.stream.resample=true (black and white drawn anew for every batch)"
        require_binary(v, "generator.name=dbm has binary units", anew)
