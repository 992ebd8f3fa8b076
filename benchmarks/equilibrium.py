"""Where adversarial training should end, on lines whose answers are known: D = 1/2 and JS = 0; W1 from a critic.

    python benchmarks/equilibrium.py            # 3 seeds of everything
    python benchmarks/equilibrium.py --seeds 1

The game: real points are sigmoid(a + b n), n normal; the generator is one linear layer before its sigmoid, so it can
be exactly that. Its density is known, too (a normal one before the sigmoid, which changes no divergence): JS and the
means of the best possible discriminator p / (p + q) on real and fake points are integrals. D is the trained one's
mean over the last quarter of the updates.

The critics, of weights clipped and of penalised slopes, learn between two fixed distributions, and then
E f(real) - E f(fake) on 20,000 new points each is set against the exact W1, the area between their distribution
functions. What a critic says is in units of its own steepest slope, which clipping leaves unknown: it is divided by
the largest slope on a grid over all the points, and then is a lower bound of W1 (Kantorovich and Rubinstein).
The penalty weighs 0.1 in the first quarter of the updates, 10 from then on: on a line, a penalty of 10 is a wall
between the slopes -1 and 1, and a critic whose first weights happen to rise the wrong way never gets over it.
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
from sandbox.generators.wgan import WGANConfig
from sandbox.networks.mlp import MLP
from sandbox.ops.adversarial import NON_SATURATING, WASSERSTEIN, Critic, gradient_penalty

HERE = Compute(torch.device("cpu"))
BATCH, MEAN, DEVIATION = 256, 0.5, 0.7
Mixture = list[tuple[float, float]]  # mean and deviation of each normal part, alike in weight
PAIRS: dict[str, tuple[Mixture, Mixture]] = {
    "shifted": ([(0.35, 0.05)], [(0.6, 0.05)]),
    "split": ([(0.25, 0.05), (0.75, 0.05)], [(0.5, 0.05)]),  # the best critic is a V
}


def game(seed: int, updates: int) -> dict[str, float]:
    """D on real and fake, JS in nats, and what the best discriminator would say."""
    torch.manual_seed(seed)
    config = GANConfig.model_validate(
        {
            "discriminator_optimizer": {"lr": 2e-3, "betas": [0.0, 0.99]},
            "generator_optimizer": {"lr": 1e-3, "betas": [0.0, 0.99]},
            "average_decay": 0.99,
        }
    )
    generator = nn.Linear(4, 1)
    duel = AdversarialTrainer(
        config, NON_SATURATING, generator, Discriminator(MLP(hidden=(32, 32)), (1,), Regularizers()), Rng(seed), HERE
    )
    seen = []
    for update in range(updates):
        real = torch.sigmoid(MEAN + DEVIATION * torch.randn(BATCH, 1))
        metrics = duel.play(real, lambda: torch.sigmoid(duel.generator(torch.randn(BATCH, 4))))
        if update >= updates * 3 // 4:
            seen.append([float(metrics["d_real"]), float(metrics["d_fake"])])
    d_real, d_fake = torch.tensor(seen).mean(0).tolist()
    layer = duel.average
    assert isinstance(layer, nn.Linear)
    x = torch.linspace(-8, 8, 20_001, dtype=torch.float64)
    p = normal(x, MEAN, DEVIATION)
    q = normal(x, float(layer.bias.detach()), float(layer.weight.detach().norm()))
    middle, step = (p + q) / 2, float(x[1] - x[0])
    js = float((torch.xlogy(p, p / middle) + torch.xlogy(q, q / middle)).nansum()) / 2 * step
    best = p / (p + q).clamp_min(1e-300)
    found = {"best_on_real": float((p * best).sum()) * step, "best_on_fake": float((q * best).sum()) * step}
    return {"d_real": d_real, "d_fake": d_fake, "js": js, **found}


def normal(x: torch.Tensor, mean: float, deviation: float) -> torch.Tensor:
    """The density."""
    return torch.exp(-((x - mean) ** 2) / (2 * deviation**2)) / (deviation * math.sqrt(2 * math.pi))


def draw(mixture: Mixture, count: int) -> torch.Tensor:
    """Points [count, 1]."""
    parts = torch.tensor(mixture)[torch.randint(len(mixture), (count,))]
    return (parts[:, 0] + parts[:, 1] * torch.randn(count))[:, None]


def exact(left: Mixture, right: Mixture) -> float:
    """W1 on the line: the area between the distribution functions."""
    x = torch.linspace(-1, 2, 30_001, dtype=torch.float64)

    def below(mixture: Mixture) -> torch.Tensor:
        return torch.stack([torch.special.ndtr((x - m) / s) for m, s in mixture]).mean(0)

    return float((below(left) - below(right)).abs().sum() * (x[1] - x[0]))


def critic(kind: str, pair: tuple[Mixture, Mixture], seed: int, updates: int) -> dict[str, float]:
    """What a critic says of the distance, as it is and in units of its steepest slope, and what is right."""
    torch.manual_seed(seed)
    adam = {"lr": 1e-3, "betas": [0.0, 0.9], "lr_decay_steps": updates}
    config = WGANConfig.model_validate({"discriminator_optimizer": adam, "generator_optimizer": adam})
    judge = Discriminator(MLP(hidden=(64, 64)), (1,), Regularizers())
    weight = 0.1

    def penalty(judge: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        return weight * gradient_penalty(judge, real, fake, torch.rand(len(real)))

    duel = AdversarialTrainer(
        config, WASSERSTEIN, nn.Linear(1, 1), judge, Rng(seed), HERE, penalty if kind == "wgan_gp" else None
    )
    for update in range(updates):
        weight = 0.1 if update < updates // 4 else 10.0
        duel.discriminate(draw(pair[0], BATCH), draw(pair[1], BATCH))
        if kind == "wgan":
            with torch.no_grad():
                for parameter in judge.parameters():
                    parameter.clamp_(-0.1, 0.1)
    real, fake = draw(pair[0], 20_000), draw(pair[1], 20_000)
    with torch.no_grad():
        said = float(judge(real).logits.mean() - judge(fake).logits.mean())
    low, high = torch.cat([real, fake]).aminmax()
    grid = torch.linspace(float(low), float(high), 2_001)[:, None].requires_grad_()
    (slopes,) = torch.autograd.grad(judge(grid).logits.sum(), grid)
    steepest = float(slopes.abs().max())
    return {"estimate": said, "steepest": steepest, "normalised": said / steepest, "exact": exact(*pair)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--updates", type=int, default=2_000)
    parser.add_argument("--critics", nargs="*", default=["wgan", "wgan_gp"])
    options = parser.parse_args()
    torch.set_num_threads(1)
    runs: dict[str, Callable[[int], dict[str, float]]] = {"game": lambda seed: game(seed, options.updates)}
    for kind in options.critics:
        for name, pair in PAIRS.items():
            runs[f"{kind} {name}"] = partial(_critic, kind, pair, options.updates)
    for what, run in runs.items():
        for seed in range(options.seeds):
            print(json.dumps({"what": what, "seed": seed} | {k: round(v, 4) for k, v in run(seed).items()}), flush=True)


def _critic(kind: str, pair: tuple[Mixture, Mixture], updates: int, seed: int) -> dict[str, float]:
    return critic(kind, pair, seed, updates)


if __name__ == "__main__":
    main()
