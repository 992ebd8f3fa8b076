"""The deep Boltzmann machine: layers pretrained one by one, then trained together, then taught the classes.

Paper: Salakhutdinov & Hinton 2009, "Deep Boltzmann Machines".
    Deviations: the layers' gradients can be centred (Melchior, Fischer & Wiskott 2016); mean field makes a fixed number
    of rounds, each of them exact coordinate ascent, so nothing is damped; a middle bias starts at the mean of the two
    that pretraining found; fine-tuning uses Adam where the paper has conjugate gradients. With `precision: bf16`
    products are rounded, weights stay fp32.
"""

from itertools import pairwise
from typing import Annotated, Literal

import torch
from pydantic import Field, NonNegativeInt, PositiveInt
from torch import nn
from torch.nn import functional as F

from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.generators._boltzmann.annealing import ENUMERATED, Annealing, estimate
from sandbox.generators._boltzmann.rbm_layer import MEASURED_EVERY, Contrastive, Layer, Learning, Measured
from sandbox.generators._images.binary import refuse_grey
from sandbox.generators._images.shapes import image_shape
from sandbox.interfaces.generator import Estimate, GeneratorConfig, UntrainedError
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.networks.inputs import as_float
from sandbox.ops import boltzmann, deep_boltzmann
from sandbox.ops.boltzmann import Machine
from sandbox.ops.units import BERNOULLI, draw
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer
from sandbox.streams.labeled import Labeled, LabeledConfig


class DBMConfig(GeneratorConfig):
    """`layers`: hidden ones, bottom to top. Each is trained for `pretraining_steps` updates, then all together for
    `learning_steps`; after that, where there are labels, a network that starts as the machine learns the classes.

    `mean_field_steps`: rounds of inference; `sample_steps`: sweeps from the chains to a sample.
    """

    name: Literal["dbm"] = "dbm"
    layers: Annotated[tuple[PositiveInt, ...], Field(min_length=2)] = (32, 32)
    pretraining: Learning = Learning(chains=Contrastive())
    pretraining_steps: NonNegativeInt = 2_000
    learning: Learning = Learning(lr=Linear(start=0.01, end=0.0, steps=10_000))
    learning_steps: PositiveInt = 10_000
    mean_field_steps: PositiveInt = 10
    optimizer: AnyOptimizer = Adam()
    sample_steps: PositiveInt = 500
    ais: Annealing = Annealing()
    stream: LabeledConfig = LabeledConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "DBM":
        return DBM(self, spec, rng, compute)


class Network(nn.Module):
    """Classes from pixels and from what mean field says of the layers: the machine's own first round, then trained.

    Each layer sees the one below and the inferred one above, [B, V] and [B, H] each -> logits [B, K].
    """

    def __init__(self, sizes: tuple[int, ...], num_classes: int) -> None:
        super().__init__()
        above = [*sizes[2:], 0]
        self.layers = nn.ModuleList(
            nn.Linear(below + more, size) for below, size, more in zip(sizes[:-1], sizes[1:], above, strict=True)
        )
        self.classes = nn.Linear(sizes[-1], num_classes)

    def forward(self, v: torch.Tensor, inferred: list[torch.Tensor]) -> torch.Tensor:
        x = v
        for layer, above in zip(self.layers, [*inferred[1:], v[:, :0]], strict=True):
            x = torch.sigmoid(layer(torch.cat([x, above], 1)))
        return self.classes(x)


class DBM:
    """Images are uint8 of 0 and 255, or floats 0 and 1, [B, C, H, W]."""

    def __init__(self, config: DBMConfig, spec: Spec, rng: Rng, compute: Compute) -> None:
        self._config, self._shape, self._compute = config, image_shape(spec, "dbm"), compute
        self._sizes = (torch.Size(self._shape).numel(), *config.layers)
        pairs = list(pairwise(self._sizes))
        self._stack = [
            Layer(pair, config.pretraining, BERNOULLI, rng, f"dbm/{i}", compute) for i, pair in enumerate(pairs)
        ]
        for layer in self._stack[:-1]:
            layer.up = 2.0
        for layer in self._stack[1:]:
            layer.down = 2.0
        even, odd = sum(self._sizes[0::2]), sum(self._sizes[1::2])
        self._machine = Layer((even, odd), config.learning, BERNOULLI, rng, "dbm", compute)
        self._machine.connected = self._connections().to(compute.device)
        with rng.initializing("dbm/network"):
            self._network = Network(self._sizes, max(spec.num_classes, 1)).to(compute.device)
        self._optimizer = config.optimizer.make(self._network.parameters(), compute)
        self._has_classes = spec.num_classes > 0
        self._updates, self._measured = Counter(), Measured()
        self._measuring = rng.torch("dbm/measure", compute.device)
        self._sampling = rng.torch("dbm/sample", compute.device)
        self._annealing = rng.torch("dbm/annealing", compute.device)

    def update(self, batch: Labeled) -> Metrics:
        v, config = self._pixels(batch.images), self._config
        together = len(self._stack) * config.pretraining_steps
        update = self._updates.value
        self._updates.value += 1
        if update == 0:
            self._refuse_grey(v)  # the only update that waits for the device
            self._stack[0].start(v)
        if update < together:
            return self._pretrain(v, *divmod(update, config.pretraining_steps))
        if update == together:
            self._put_together(v)
        if update < together + config.learning_steps or not self._has_classes or batch.labels is None:
            return self._learn(v, update - together)
        if update == together + config.learning_steps:
            self._start_network()
        return self._fine_tune(v, batch.labels)

    def _pretrain(self, v: torch.Tensor, layer: int, update: int) -> Metrics:
        """One update of one layer, on the means of the layers below."""
        for below in self._stack[:layer]:
            v = below.up_means(v)
        top = self._stack[layer]
        if update % MEASURED_EVERY == 0:
            error = (top.down_means(top.up_means(v)) - v).square().mean()
            self._measured.values = {"loss": error, "layer": torch.tensor(float(layer + 1))}
        top.learn(v, update)
        return self._measured.values

    def _put_together(self, v: torch.Tensor) -> None:
        """Pretraining is over: its weights become blocks of one machine, and the chains begin at the data."""
        for parameter, value in zip(self._machine.machine(), self._composed(), strict=True):
            parameter.copy_(value)
        _, odd = self._infer(v)
        rows = torch.arange(len(self._machine.chains), device=v.device) % len(v)
        self._machine.chains.copy_(draw(odd, self._sampling)[rows])

    def _learn(self, v: torch.Tensor, update: int) -> Metrics:
        """`loss`: how much lower the variational free energy of the data is than that of the machine's own samples."""
        even, _ = self._infer(v)  # the odd layers given these are what the machine takes its hidden side to be
        if update % MEASURED_EVERY == 0:
            machine, chains = self._machine.machine(), self._machine.chains.float()
            model = draw(boltzmann.visible_means(machine, chains)[:, : self._sizes[0]], self._measuring)
            bounds = [deep_boltzmann.bound(machine, x, *self._infer(x)).mean() for x in (model, v)]
            self._measured.values = {"loss": bounds[0] - bounds[1], "layer": torch.tensor(0.0)}
        self._machine.learn(torch.cat([v, even], 1), update)
        return self._measured.values

    def _fine_tune(self, v: torch.Tensor, labels: torch.Tensor) -> Metrics:
        """One step of the network down the cross-entropy; the machine stays as it is."""
        logits = self._logits(v, self._inferred(v))
        loss = F.cross_entropy(logits, labels)
        self._optimizer.minimize(loss)
        return {"loss": loss.detach(), "error": (logits.argmax(1) != labels).float().mean()}

    def parts(self) -> dict[str, Stateful]:
        return {
            **{f"layer_{i + 1}": layer for i, layer in enumerate(self._stack)},
            "machine": self._machine,
            "network": self._network,
            "optimizer": self._optimizer,
            "updates": self._updates,
            "measured": self._measured,
        }

    @torch.no_grad()
    def sample(self, count: int) -> torch.Tensor:
        """Pixel probabilities after `sample_steps` sweeps from the chains (which stay), [count, C, H, W]."""
        chains = self._machine.chains.float()
        odd = chains[torch.arange(count, device=chains.device) % len(chains)]
        machine = self._now().upside_down()
        _, odd = boltzmann.gibbs(machine, odd, self._config.sample_steps, self._sampling)
        return self.decode(odd)

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """What mean field says of the odd layers, [B, H1 + H3 + ...]."""
        return deep_boltzmann.mean_field(self._now(), self._pixels(images), self._config.mean_field_steps)[1]

    def decode(self, codes: torch.Tensor) -> torch.Tensor:
        """Pixel probabilities given the odd layers, [B, C, H, W]."""
        return boltzmann.visible_means(self._now(), codes)[:, : self._sizes[0]].view(-1, *self._shape)

    def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
        """Pixel probabilities given what mean field says, [B, C, H, W]."""
        return self.decode(self.encode(images))

    def filters(self, count: int) -> torch.Tensor:
        """The weights of the first layer's first units, [count, C, H, W]."""
        weight = self._now().weight[: self._sizes[0], : self._sizes[1]]
        return weight.T[:count].reshape(-1, *self._shape)

    @torch.no_grad()
    def classify(self, images: torch.Tensor) -> torch.Tensor:
        """Probabilities of the classes, [B, K].

        Raises:
            UntrainedError: before fine-tuning.
        """
        begins = len(self._stack) * self._config.pretraining_steps + self._config.learning_steps
        if not self._has_classes or self._updates.value <= begins:
            raise UntrainedError(
                f"this dbm knows no classes yet: it learns them from update {begins + 1:,} on, from data with labels.",
                begins,
            )
        v = self._pixels(images)
        return self._logits(v, self._inferred(v)).softmax(1)

    def log_likelihood(self, images: torch.Tensor) -> Estimate:
        """A lower bound by mean field: `bound` where a side has 20 units at most, else `bound by ais`, bracketed."""
        machine, v = self._now(), self._pixels(images)
        self._refuse_grey(v)
        even, odd = deep_boltzmann.mean_field(machine, v, self._config.mean_field_steps)
        nats = deep_boltzmann.bound(machine, v, even, odd)
        if min(len(machine.visible_bias), len(machine.hidden_bias)) <= ENUMERATED:
            return Estimate("bound", (nats - boltzmann.log_partition(machine)).float())
        visible = torch.cat([v, draw(even, self._annealing)], 1)
        return estimate("bound by ais", nats, *self._config.ais.log_partition(machine, visible, self._annealing))

    def _connections(self) -> torch.Tensor:
        """1 where a weight of the machine joins neighbouring layers."""
        connected = torch.zeros_like(self._machine.weight, device="cpu")
        for i in range(len(self._stack)):
            connected[deep_boltzmann.block(self._sizes, i)] = 1
        return connected

    def _composed(self) -> Machine:
        """The pretrained layers as one machine: weights as they are, middle biases the means of their two."""
        machine = Machine(*(torch.zeros_like(parameter) for parameter in self._machine.machine()))
        even, odd = deep_boltzmann.sides(self._sizes)
        layers = [layer.machine() for layer in self._stack]
        for i, layer in enumerate(layers):
            machine.weight[deep_boltzmann.block(self._sizes, i)] = layer.weight if i % 2 == 0 else layer.weight.T
        below = [layers[0].visible_bias, *(layer.hidden_bias for layer in layers)]
        above = [*(layer.visible_bias for layer in layers), layers[-1].hidden_bias]
        for i, (one, other) in enumerate(zip(below, above, strict=True)):
            bias, side = (machine.visible_bias, even) if i % 2 == 0 else (machine.hidden_bias, odd)
            bias[side[i // 2]] = (one + other) / 2
        return machine

    def _now(self) -> Machine:
        pretraining = self._updates.value <= len(self._stack) * self._config.pretraining_steps
        return self._composed() if pretraining else self._machine.machine()

    def _infer(self, v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean field in the precision of products."""
        dtype = torch.bfloat16 if self._compute.bf16 else torch.float32
        machine = self._machine.machine()
        machine = machine._replace(weight=machine.weight.to(dtype))
        return deep_boltzmann.mean_field(machine, v.to(dtype), self._config.mean_field_steps)

    def _inferred(self, v: torch.Tensor) -> list[torch.Tensor]:
        """What mean field says of each hidden layer, bottom to top."""
        even, odd = self._infer(v)
        above, beside = deep_boltzmann.sides(self._sizes)
        pixels = self._sizes[0]
        found = {2 * i: even[:, part.start - pixels : part.stop - pixels] for i, part in enumerate(above) if i}
        found |= {2 * i + 1: odd[:, part] for i, part in enumerate(beside)}
        return [found[i] for i in range(1, len(self._sizes))]

    def _start_network(self) -> None:
        """The network's layers begin as the machine's."""
        machine = self._machine.machine()
        even, odd = deep_boltzmann.sides(self._sizes)
        for i, layer in enumerate(self._network.layers, 1):
            blocks = [machine.weight[deep_boltzmann.block(self._sizes, j)] for j in (i - 1, i) if j < len(self._stack)]
            turned = blocks if i % 2 == 0 else [block.T for block in blocks]
            bias, side = (machine.visible_bias, even) if i % 2 == 0 else (machine.hidden_bias, odd)
            layer.load_state_dict({"weight": torch.cat(turned, 1), "bias": bias[side[i // 2]]})

    def _logits(self, v: torch.Tensor, inferred: list[torch.Tensor]) -> torch.Tensor:
        with self._compute.autocast():
            logits = self._network(v, inferred)
        return logits.float()

    def _pixels(self, images: torch.Tensor) -> torch.Tensor:
        return as_float(images.to(self._compute.device)).flatten(1)

    def _refuse_grey(self, v: torch.Tensor) -> None:
        anew = ", or generator.stream.resample=true (one that is drawn anew for every batch)"
        refuse_grey(v, "generator.name=dbm has binary units", anew)
