"""The end of adversarial training where the answer is known: D = 1/2 and JS = 0 for a GAN, W1 for the critics.

    python benchmarks/equilibrium.py            # 3 seeds of everything
    python benchmarks/equilibrium.py --seeds 1

The GAN: real points are sigmoid(a + b n) with normal n; the generator is one linear layer before a sigmoid, so it can
represent them exactly. Its density is known (normal before the sigmoid, which changes no divergence), and so JS and the
means of the best discriminator p / (p + q) on real and generated points are integrals. D is the mean of the trained
discriminator over the last quarter of the updates.

The critics, with clipped weights and with a gradient penalty, are trained between two fixed distributions. Then
E f(real) - E f(fake) on 20,000 new points each is compared with the exact W1, the area between the distribution
functions. A critic's estimate is in units of its own steepest gradient, which weight clipping leaves unknown: it is
divided by the largest gradient on a grid over all the points, and then is a lower bound of W1 (Kantorovich and
Rubinstein). The penalty has weight 0.1 in the first quarter of the updates, and 10 afterwards: on a line, a penalty of
10 is a wall between the gradients -1 and 1, which a critic that starts with the wrong sign never crosses.
"""

import argparse
import json
import math
from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.generators._adversarial.discriminator import Discriminator
from sandbox.generators._adversarial.regularizers import Regularizers
from sandbox.generators._adversarial.training import AdversarialTrainer
from sandbox.generators.gan import GANConfig
from sandbox.generators.wgan import WGANConfig, clip_weights
from sandbox.networks.mlp import MLP
from sandbox.ops.adversarial import NON_SATURATING, WASSERSTEIN, gradient_penalty

CPU = Compute(torch.device("cpu"))
BATCH, MEAN, DEVIATION = 256, 0.5, 0.7
Mixture = list[tuple[float, float]]  # mean and standard deviation of each normal component, all of equal weight
PAIRS: dict[str, tuple[Mixture, Mixture]] = {
    "shifted": ([(0.35, 0.05)], [(0.6, 0.05)]),
    "split": ([(0.25, 0.05), (0.75, 0.05)], [(0.5, 0.05)]),  # the best critic is V-shaped
}


def train_gan(seed: int, updates: int) -> dict[str, float]:
    """Train a GAN; return D on real and generated points, JS in nats, and the best discriminator's means."""
    torch.manual_seed(seed)
    config = GANConfig.model_validate(
        {
            "discriminator_optimizer": {"lr": 2e-3, "betas": [0.0, 0.99]},
            "generator_optimizer": {"lr": 1e-3, "betas": [0.0, 0.99]},
            "average_decay": 0.99,
        }
    )
    generator = nn.Linear(4, 1)
    discriminator = Discriminator(MLP(hidden=(32, 32)), (1,), Regularizers())
    trainer = AdversarialTrainer(config, NON_SATURATING, generator, discriminator, Rng(seed), CPU)
    outputs_of_d = []
    for update in range(updates):
        real = torch.sigmoid(MEAN + DEVIATION * torch.randn(BATCH, 1))
        fake = trainer.generate(torch.randn(BATCH, 4))
        metrics = trainer.discriminator_step(trainer.discriminate(real, fake.detach()))
        trainer.generator_step(trainer.discriminate_fake(fake))
        if update >= updates * 3 // 4:
            outputs_of_d.append([float(metrics["d_real"]), float(metrics["d_fake"])])
    d_real, d_fake = torch.tensor(outputs_of_d).mean(0).tolist()
    layer = trainer.average.network
    assert isinstance(layer, nn.Linear)
    x = torch.linspace(-8, 8, 20_001, dtype=torch.float64)
    p = normal_density(x, MEAN, DEVIATION)
    q = normal_density(x, float(layer.bias.detach()), float(layer.weight.detach().norm()))
    middle, step = (p + q) / 2, float(x[1] - x[0])
    js = float((torch.xlogy(p, p / middle) + torch.xlogy(q, q / middle)).nansum()) / 2 * step
    best = p / (p + q).clamp_min(1e-300)
    best_means = {"best_on_real": float((p * best).sum()) * step, "best_on_fake": float((q * best).sum()) * step}
    return {"d_real": d_real, "d_fake": d_fake, "js": js, **best_means}


def normal_density(x: torch.Tensor, mean: float, deviation: float) -> torch.Tensor:
    """Return the density of N(mean, deviation^2)."""
    return torch.exp(-((x - mean) ** 2) / (2 * deviation**2)) / (deviation * math.sqrt(2 * math.pi))


def draw(mixture: Mixture, count: int) -> torch.Tensor:
    """Draw points [count, 1]."""
    components = torch.tensor(mixture)[torch.randint(len(mixture), (count,))]
    return (components[:, 0] + components[:, 1] * torch.randn(count))[:, None]


def exact_w1(left: Mixture, right: Mixture) -> float:
    """Return W1 on the line: the area between the distribution functions."""
    x = torch.linspace(-1, 2, 30_001, dtype=torch.float64)

    def distribution(mixture: Mixture) -> torch.Tensor:
        return torch.stack([torch.special.ndtr((x - m) / s) for m, s in mixture]).mean(0)

    return float((distribution(left) - distribution(right)).abs().sum() * (x[1] - x[0]))


def train_critic(kind: str, pair: tuple[Mixture, Mixture], updates: int, seed: int) -> dict[str, float]:
    """Train a critic; return its estimate of the distance, raw and per steepest gradient, and the exact one.

    Args:
        kind: `wgan` or `wgan_gp`.
        pair: The distributions of real and of generated points.
        updates: Length of the training.
        seed: Seed of the weights and the points.
    """
    torch.manual_seed(seed)
    adam = {"lr": 1e-3, "betas": [0.0, 0.9], "lr_decay_steps": updates}
    config = WGANConfig.model_validate({"discriminator_optimizer": adam, "generator_optimizer": adam})
    critic = Discriminator(MLP(hidden=(64, 64)), (1,), Regularizers())
    trainer = AdversarialTrainer(config, WASSERSTEIN, nn.Linear(1, 1), critic, Rng(seed), CPU)
    for update in range(updates):
        outputs = trainer.discriminate(draw(pair[0], BATCH), draw(pair[1], BATCH))
        if kind == "wgan":
            trainer.discriminator_step(outputs)
            clip_weights(critic, 0.1)
        else:
            real, fake = outputs.real_images, outputs.fake_images
            penalty = gradient_penalty(lambda x: critic(x).logits, real, fake, torch.rand(BATCH))
            weight = 0.1 if update < updates // 4 else 10.0
            trainer.discriminator_step(outputs, extra_loss=weight * penalty)
    real, fake = draw(pair[0], 20_000), draw(pair[1], 20_000)
    with torch.no_grad():
        estimate = float(critic(real).logits.mean() - critic(fake).logits.mean())
    low, high = torch.cat([real, fake]).aminmax()
    grid = torch.linspace(float(low), float(high), 2_001)[:, None].requires_grad_()
    (gradients,) = torch.autograd.grad(critic(grid).logits.sum(), grid)
    steepest = float(gradients.abs().max())
    normalized = estimate / steepest
    return {"estimate": estimate, "steepest": steepest, "normalized": normalized, "exact": exact_w1(*pair)}


def main() -> None:
    """Print one line of JSON for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--updates", type=int, default=2_000)
    parser.add_argument("--critics", nargs="*", default=["wgan", "wgan_gp"])
    options = parser.parse_args()
    torch.set_num_threads(1)
    runs: dict[str, Callable[[int], dict[str, float]]] = {"gan": lambda seed: train_gan(seed, options.updates)}
    for kind in options.critics:
        for name, pair in PAIRS.items():
            runs[f"{kind} {name}"] = partial(train_critic, kind, pair, options.updates)
    for name, run in runs.items():
        for seed in range(options.seeds):
            rounded = {key: round(value, 4) for key, value in run(seed).items()}
            print(json.dumps({"run": name, "seed": seed} | rounded), flush=True)


if __name__ == "__main__":
    main()
