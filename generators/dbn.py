"""The deep belief net: a stack of restricted Boltzmann machines, the top one an associative memory, the rest directed.

Paper: Hinton, Osindero & Teh 2006, "A Fast Learning Algorithm for Deep Belief Nets"; the bound as Salakhutdinov &
    Murray 2008; dropout as Srivastava et al. 2014. Deviations: no labels in the associative memory; the classes are
    learnt by a perceptron that starts as a copy of the stack (Hinton & Salakhutdinov 2006), so the stack goes on
    having samples and a likelihood, those from before; grey pixels are drawn afresh in each update of the stack, and
    are the perceptron's inputs as they are; the momentum and the persistent chains of `rbm` while a layer learns alone.
"""

from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field, PositiveInt
from torch import nn

from sandbox.config.base import Config
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._boltzmann import belief_layers
from sandbox.generators._boltzmann.annealing import ENUMERATED, Annealing, estimate
from sandbox.generators._boltzmann.belief_layers import Directed
from sandbox.generators._boltzmann.classifier import Perceptron, Softmax
from sandbox.generators._boltzmann.rbm_layer import MEASURED_EVERY, Layer, Learning, Measured
from sandbox.generators._images.binary import refuse_grey
from sandbox.generators._images.shapes import image_shape
from sandbox.interfaces.generator import Estimate, GeneratorConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_pixels
from sandbox.ops import belief, boltzmann
from sandbox.ops.belief import Arrow
from sandbox.ops.boltzmann import Machine
from sandbox.ops.units import BERNOULLI, draw
from sandbox.streams.labeled import Labeled, LabeledConfig

_TOGETHER = 500  # images whose bound is estimated side by side


class UpDown(Config):
    """Wake and sleep for all layers, `steps` updates; `sweeps` of the top machine between the two."""

    steps: PositiveInt = 10_000
    sweeps: PositiveInt = 3
    lr: Linear = Linear(start=0.01, end=0.0, steps=10_000)


class DBNConfig(GeneratorConfig):
    """`layers`: hidden units, bottom to top; each machine learns for `pretraining_steps` updates, its rates its own.

    Then `up_down`, unless null; then `softmax`, for the rest of the run, unless null. Without both the top machine goes
    on. `sample_steps`: sweeps of the top machine to a sample; `bound_samples`: drawn for each image's bound.
    """

    name: Literal["dbn"] = "dbn"
    layers: tuple[PositiveInt, ...] = Field((64, 64), min_length=1)
    pretraining_steps: PositiveInt = 5_000
    learning: Learning = Learning(lr=Linear(start=0.05, end=0.0, steps=5_000))
    up_down: UpDown | None = None
    softmax: Softmax | None = None
    sample_steps: PositiveInt = 500
    bound_samples: PositiveInt = 20
    ais: Annealing = Annealing()
    stream: LabeledConfig = LabeledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "DBN":
        return DBN(self, spec, rng, compute)


class DBN:
    """Images are uint8 or floats in [0, 1], [B, C, H, W]; until its last layer has begun, the stack is what has."""

    def __init__(self, config: DBNConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        """Raises UserError if classes are to be learnt from data without labels."""
        if config.softmax is not None and not spec.num_classes:
            raise UserError(
                "generator.softmax learns classes, but the data set has no labels. Set generator.softmax=null, or "
                "choose data that have some, e.g. data.name=digits or data.name=mnist."
            )
        self._config, self._shape, self._device = config, image_shape(spec, "dbn"), compute.device
        sizes = (torch.Size(self._shape).numel(), *config.layers)
        pairs = list(pairwise(sizes))
        self._layers = [
            Layer(pair, config.learning, BERNOULLI, rng, f"dbn/{i}", compute) for i, pair in enumerate(pairs)
        ]
        with rng.initializing("dbn"):
            self._directed = [Directed(*pair).to(compute.device) for pair in pairs[:-1]]
        self._perceptron = None
        if config.softmax is not None:
            self._perceptron = Perceptron(config.softmax, sizes, spec.num_classes, rng, "dbn/softmax", compute)
        self._stages = [config.pretraining_steps] * len(pairs)
        self._stages += [] if config.up_down is None else [config.up_down.steps]
        self._stages += [] if self._perceptron is None else [0]
        self._updates, self._measured = Counter(), Measured()
        self._draws = rng.torch("dbn/states", compute.device)
        self._sampling = rng.torch("dbn/sample", compute.device)
        self._bounding = rng.torch("dbn/bound", compute.device)

    def update(self, batch: Labeled) -> Metrics:
        """`stage`: 0 for the lowest layer alone, and so on; then one for `up_down`, and one for `softmax`."""
        x, (stage, since) = self._pixels_of(batch.images), self._stage()
        if stage < len(self._layers):
            metrics = self._pretrain(stage, since, draw(x, self._draws))
        elif self._perceptron is not None and stage == len(self._stages) - 1:
            metrics = self._fine_tune(self._perceptron, since, x, batch.labels)
        else:
            assert self._config.up_down is not None
            metrics = self._wake_and_sleep(self._config.up_down, since, draw(x, self._draws))
        self._updates.value += 1
        return {**metrics, "stage": float(stage)}

    def _stage(self) -> tuple[int, int]:
        """Which stage the next update belongs to, and how many updates that has had. The last one never ends."""
        stage, since = 0, self._updates.value
        while stage < len(self._stages) - 1 and since >= self._stages[stage]:
            since -= self._stages[stage]
            stage += 1
        return stage, since

    def _depth(self) -> int:
        """The layers that have begun to learn (the first, before any has)."""
        stage, since = self._stage()
        return min(max(stage + (since > 0), 1), len(self._layers))

    def _pretrain(self, number: int, since: int, v: torch.Tensor) -> Metrics:
        """The layers below deliver probabilities."""
        layer = self._layers[number]
        if number and since == 0:
            self._untie(number - 1)
        for below in self._directed[:number]:
            v = belief.probabilities(below.recognition, v)
        if since == 0:
            layer.start(v)
        if since % MEASURED_EVERY == 0:
            self._measured.values = _measure(layer.machine(), v)
        layer.learn(v, since)
        return self._measured.values

    def _untie(self, number: int) -> None:
        """From here on a layer is directed: both ways with the machine's weights, for now."""
        directed, machine = self._directed[number], self._layers[number].machine()
        for name, tensor in zip(Arrow._fields, (machine.weight, machine.hidden_bias), strict=True):
            directed.get_buffer(f"recognition_{name}").copy_(tensor)
        for name, tensor in zip(Arrow._fields, (machine.weight.T, machine.visible_bias), strict=True):
            directed.get_buffer(f"generation_{name}").copy_(tensor)

    def _wake_and_sleep(self, config: UpDown, since: int, v: torch.Tensor) -> Metrics:
        """Up, a few sweeps of the top machine (contrastive divergence), and down again."""
        directed, top, lr = self._directed, self._layers[-1].machine(), config.lr.at(since)
        states = belief_layers.recognise(directed, v, self._draws)
        _, model = boltzmann.gibbs(top, states[-1], config.sweeps, self._draws)
        both = torch.cat([states[-1], model])
        slope = boltzmann.gradient(both, boltzmann.hidden_probabilities(top, both), len(v))
        dreams = belief_layers.generate(directed, model, self._draws)
        belief_layers.wake(directed, states, lr)
        torch._foreach_add_(list(top), list(slope), alpha=lr)
        belief_layers.sleep(directed, dreams, lr)
        return {"reconstruction_error": (states[-1] - model).square().mean()}

    def _fine_tune(self, perceptron: Perceptron, since: int, x: torch.Tensor, labels: torch.Tensor | None) -> Metrics:
        assert labels is not None, "the constructor has asked for classes"
        if since == 0:
            perceptron.start_from(self._upwards())
        return perceptron.learn(x, labels.to(self._device))

    def parts(self) -> dict[str, Stateful]:
        fine_tuning = {} if self._perceptron is None else self._perceptron.parts()
        return {
            "layers": nn.ModuleList(self._layers),
            "directed": nn.ModuleList(self._directed),
            **{f"softmax_{name}": part for name, part in fine_tuning.items()},
            "updates": self._updates,
            "measured": self._measured,
        }

    def sample(self, count: int) -> torch.Tensor:
        """Pixel probabilities from `sample_steps` sweeps of the top machine, drawn downwards, [count, C, H, W].

        The sweeps begin at the top machine's chains (which stay), or at noise if it has none.
        """
        directed, layer = self._below(), self._layers[self._depth() - 1]
        machine, chains = layer.machine(), layer.chains.float()
        if not len(chains):
            chains = torch.full((count, len(machine.hidden_bias)), 0.5, device=self._device)
            chains = draw(chains, self._sampling)
        h = chains[torch.arange(count, device=self._device) % len(chains)]
        v = draw(boltzmann.visible_means(machine, h), self._sampling)
        p, states = boltzmann.gibbs(machine, v, self._config.sample_steps, self._sampling)
        means = belief_layers.means(directed, states, self._sampling) if directed else p
        return means.view(-1, *self._shape)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Probabilities of the top layer's units, [B, H]."""
        h = self._pixels_of(images)
        for arrow in self._upwards():
            h = belief.probabilities(arrow, h)
        return h

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """[B, H] -> probabilities of the pixels [B, C, H, W], by probabilities all the way down."""
        v = boltzmann.visible_means(self._top(), codes)
        for layer in reversed(self._below()):
            v = belief.probabilities(layer.generation, v)
        return v.view(-1, *self._shape)

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Up to the top and down again, by probabilities, [B, C, H, W]."""
        return self.decode(self.encode(images))

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> probabilities of the classes [B, K].

        Raises:
            UserError: if it does not learn classes, or not yet.
        """
        stage, since = self._stage()
        if self._perceptron is None:
            raise UserError("this dbn learns no classes. Train one with a softmax: generator.softmax={}.")
        if stage < len(self._stages) - 1 or since == 0:
            raise UserError(
                f"this dbn has not begun to learn classes: it is at update {self._updates.value}, while the layers "
                "learn without labels. Train it for longer, or set a smaller generator.pretraining_steps."
            )
        return self._perceptron.classify(self._pixels_of(images))

    def log_likelihood(self, images: torch.Tensor) -> Estimate:
        """`bound`: a lower bound on average, from `bound_samples` draws of the layers below the top machine.

        log p(v) >= E_q[log p(v, h) - log q(h | v)]; `bound by ais` if the top machine is too large to enumerate. The
        bracket is that of its log Z: how far the truth lies above the bound is not known. With one layer nothing is
        left out, and it is what `rbm` says.
        """
        v = self._pixels_of(images)
        refuse_grey(v, "the likelihood of a dbn is of binary pixels")
        top, directed = self._top(), self._below()
        h = belief_layers.recognise(directed, v, self._bounding)[-1]
        nats = torch.cat([self._bound(directed, top, x) for x in torch.split(v, _TOGETHER)])
        if min(len(top.visible_bias), len(top.hidden_bias)) <= ENUMERATED:
            return Estimate("bound" if directed else "exact", (nats - boltzmann.log_partition(top)).float())
        return estimate(
            "bound by ais" if directed else "ais", nats, *self._config.ais.log_partition(top, h, self._bounding)
        )

    def _bound(self, directed: list[Directed], top: Machine, v: torch.Tensor) -> torch.Tensor:
        """Without log Z, [B]."""
        total = torch.zeros(len(v), device=self._device)
        draws = self._config.bound_samples if directed else 1
        for _ in range(draws):
            states = belief_layers.recognise(directed, v, self._bounding)
            total += belief_layers.log_weights(directed, states) - boltzmann.free_energy(top, states[-1])
        return total / draws

    def _top(self) -> Machine:
        return self._layers[self._depth() - 1].machine()

    def _below(self) -> list[Directed]:
        return self._directed[: self._depth() - 1]

    def _upwards(self) -> list[Arrow]:
        top = self._top()
        return [*(layer.recognition for layer in self._below()), Arrow(top.weight, top.hidden_bias)]

    def _pixels_of(self, images: torch.Tensor) -> torch.Tensor:
        return as_pixels(images, self._device).flatten(1)


def _measure(machine: Machine, v: torch.Tensor) -> dict[str, torch.Tensor]:
    h = boltzmann.hidden_probabilities(machine, v)
    error = (v - boltzmann.visible_means(machine, h)).square().mean()
    return {"reconstruction_error": error, "hidden_on": h.mean()}
