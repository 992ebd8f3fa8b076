"""Numbers of configs: the defaults, which the docs and the papers name, and the first value on either side of a bound.

A member without a row here is not checked; a number that is not in its row may have any default.
"""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from sandbox.agents import _options
from sandbox.config.base import Config
from sandbox.config.schedules import Linear
from sandbox.generators._adversarial.regularizers import ExponentialDecay, MinibatchDiscrimination, Regularizers
from sandbox.generators._boltzmann.annealing import Annealing
from sandbox.generators._boltzmann.conv_coupling import convolutions
from sandbox.generators._boltzmann.conv_rbm_layer import Sparsity
from sandbox.generators._boltzmann.coupling import sigmoids
from sandbox.generators._boltzmann.rbm_layer import ContrastiveDivergence, GaussianUnits, InputScales, RBMTraining
from sandbox.generators._boltzmann.softmax_classifier import SoftmaxConfig
from sandbox.generators.dbn import UpDown
from sandbox.networks.base import BackboneConfig
from sandbox.networks.impala import Impala
from sandbox.networks.lenet import LeNet
from sandbox.networks.mlp import MLP
from sandbox.networks.nature import Nature
from sandbox.runs import registry

REPLAY = "replay.num_envs=8 replay.capacity=100000 replay.warmup=1000 replay.update_period=4 stream.batch_size=32"
UPDATES = f"{REPLAY} discount=0.99 target_period=2500 evaluation_epsilon=0 optimizer.lr=0.00025 reward_clip=None"
Q_NETWORK = f"{UPDATES} exploration.start=1 exploration.end=0.1 exploration.steps=1000000"
TABLE = (
    "stream.num_envs=8 stream.length=1 discount=0.99 step_size.start=1 step_size.power=0.7 exploration.start=1 "
    "exploration.end=0.1 exploration.steps=100000 evaluation_epsilon=0"
)
AGENTS = {
    "dqn": f"{Q_NETWORK} frame_stack=4 n_step=1 error_clip=1",  # Mnih et al. 2015, but for the replay
    "double_dqn": f"{Q_NETWORK} frame_stack=4 n_step=1 error_clip=1",
    "drqn": f"{Q_NETWORK} replay.capacity=400000 stream.length=10 recurrent.size=512 error_clip=1 "
    "optimizer.clip_norm=10 backbone.hidden=None",  # Hausknecht & Stone 2015
    "darqn": f"{Q_NETWORK} replay.capacity=400000 stream.length=4 attention.size=256 recurrent.size=256 "
    "backbone.channels=32,64,256 backbone.hidden=None optimizer.clip_norm=10",
    "iqn": f"{Q_NETWORK} num_taus=64 num_target_taus=64 num_policy_taus=32 kappa=1 embedding_size=64 hidden_size=512 "
    "frame_stack=4 n_step=1 optimizer.lr=5e-5 optimizer.eps=3.125e-4",  # Dabney et al. 2018
    "rainbow": f"{UPDATES} stream.priority_exponent=0.5 importance_exponent.start=0.4 importance_exponent.end=1 "
    "importance_exponent.steps=1000000 exploration.sigma=0.5 double=True frame_stack=4 n_step=3 target_period=2000 "
    "optimizer.lr=6.25e-5 optimizer.eps=4.8e-3",  # Hessel et al. 2018
    "r2d2": f"{UPDATES} stream.batch_size=64 stream.length=80 stream.period=40 stream.burn_in=40 recurrent.size=512 "
    "stream.priority_exponent=0.9 importance_exponent.start=0.6 importance_exponent.end=0.6 replay.warmup=5000 "
    "importance_exponent.steps=1000000 last_action_reward=True double=True n_step=5 discount=0.997 rescale=0.001 "
    "exploration.base=0.4 exploration.exponent=7 optimizer.lr=1e-4 optimizer.eps=1e-3 optimizer.clip_norm=40",
    "pqn": "stream.num_envs=8 stream.length=16 frame_stack=4 discount=0.99 q_lambda=0.65 num_epochs=2 "
    "num_minibatches=4 exploration.start=1 exploration.end=0.001 exploration.steps=1000000 evaluation_epsilon=0 "
    "optimizer.lr=2.5e-4 optimizer.clip_norm=10",  # Gallici et al. 2024
    "q_learning": TABLE,
    "sarsa": TABLE,
    "random": "stream.num_envs=8 stream.length=1",
    "sb3": "stream.num_envs=8 total_steps=100000",
}

REGULARIZERS = (
    "regularizers.label_smoothing=0 regularizers.pack_size=1 regularizers.feature_matching=0 "
    "regularizers.historical_averaging=0 regularizers.minibatch_discrimination=None regularizers.instance_noise=None"
)
ADAMS = (
    "discriminator_optimizer.lr=2e-4 discriminator_optimizer.betas=0.5,0.999 generator_optimizer.lr=2e-4 "
    "generator_optimizer.betas=0.5,0.999"  # Radford et al. 2016
)
GAN = f"stream.batch_size=100 average_decay=0.999 discriminator_steps=1 {ADAMS} {REGULARIZERS}"
TRANSLATION = f"stream.batch_size=16 average_decay=0.99 {ADAMS}"
CODE = "stream.batch_size=100 optimizer.lr=0.001"
LEARNING = (
    "learning.chains.count=100 learning.chains.steps=1 learning.lr.start=0.05 learning.lr.end=0 "
    "learning.momentum.start=0.5 learning.momentum.end=0.9 learning.momentum.steps=1000 learning.weight_decay=0 "
    "learning.centering=0 sample_steps=500 ais.num_chains=100 ais.num_temperatures=14500 ais.burn_in=500"
)
CONVOLUTIONS = (
    "backbone.kernel=3 backbone.padding=1 learning.chains.steps=1 learning.lr.start=0.5 "
    "learning.lr.end=0 learning.lr.steps=5000 learning.momentum.start=0.5 learning.momentum.end=0.9 "
    "learning.momentum.steps=1000 learning.weight_decay=0 learning.sparsity.target=0.02 learning.sparsity.cost=5 "
    "sample_steps=500"
)
GENERATORS = {
    "gan": f"{GAN} latent_size=32",
    "dcgan": f"{GAN} latent_size=100",
    "lsgan": f"{GAN} latent_size=100",
    "sngan": f"{GAN} latent_size=100 discriminator_steps=1",
    "cgan": f"{GAN} latent_size=100",
    "wgan": f"{GAN} latent_size=100 discriminator_steps=5 clip=0.01 discriminator_optimizer.lr=5e-5 "
    "generator_optimizer.lr=5e-5 discriminator_optimizer.betas=0,0.99 generator_optimizer.betas=0,0.99",
    "wgan_gp": f"{GAN} latent_size=100 discriminator_steps=5 penalty=10 discriminator_optimizer.lr=1e-4 "
    "generator_optimizer.lr=1e-4 discriminator_optimizer.betas=0,0.9 generator_optimizer.betas=0,0.9",
    "infogan": f"{GAN} generator_optimizer.lr=1e-3 num_categories=10 num_codes=2 noise_size=62 category_weight=1 "
    "code_weight=0.1 recognizer_size=128",
    "lapgan": f"{GAN} latent_size=32 detail_channels=32,32",
    "stackgan": f"{GAN} stage_one_steps=10000 stage_one.channels=64 latent_size=64 condition_size=16 kl_weight=0.05 "
    "channels=32",
    "context_encoder": f"{GAN} average_decay=0.99 latent_size=100 side=0.5 reconstruction_weight=999",
    "pix2pix": f"{TRANSLATION} channels=32,64,128 patch_channels=32,64,128 l1_weight=100 dropout=0.5",
    "cyclegan": f"{TRANSLATION} channels=16,32 num_blocks=3 patch_channels=32,64 cycle_weight=10 identity_weight=5 "
    "pool_size=50",
    "autoencoder": f"{CODE} latent_size=16",
    "denoising_autoencoder": f"{CODE} latent_size=16 noise.fraction=0.3",
    "contractive_autoencoder": f"{CODE} latent_size=128 contraction=0.1 probes=1",
    "sparse_autoencoder": f"{CODE} latent_size=128 activation=0.05 sparsity=3",
    "stacked_autoencoder": "backbone.hidden=256,64 pretraining_steps=1000 label_weight=10 "
    "pretraining_optimizer.lr=0.001 fine_tuning_optimizer.lr=0.001",
    "vae": f"{CODE} latent_size=16 beta=1 bound_samples=1 importance_samples=500",
    "vq_vae": f"{CODE} num_codes=64 positions=16 code_size=8 commitment=0.25 decay=0.99 smoothing=1e-5 "
    "restart_below=0.5",
    "rbm": f"{LEARNING} learning.lr.steps=20000 backbone.hidden=16",
    "dbn": f"{LEARNING} learning.lr.steps=5000 backbone.hidden=64,64 pretraining_steps=5000 bound_samples=20",
    "dbm": f"{LEARNING} learning.lr.start=0.01 learning.lr.steps=10000 backbone.hidden=32,32 "
    "pretraining.chains.steps=1 pretraining.lr.start=0.05 pretraining.lr.end=0 pretraining.lr.steps=20000 "
    "pretraining_steps=2000 "
    "learning_steps=10000 mean_field_steps=10 optimizer.lr=0.001",
    "conv_rbm": f"{CONVOLUTIONS} ais.num_chains=100 ais.num_temperatures=14500 ais.burn_in=500 backbone.channels=16",
    "conv_dbn": f"{CONVOLUTIONS} backbone.channels=16,32 pretraining_steps=5000 down_steps=20",
    "boltzmann_machine": "hidden_size=8 num_chains=100 temperatures=3,2,1.5,1,1,1 lr.start=0.05 lr.end=0.005 "
    "lr.steps=5000 weight_decay=0 recall_steps=500",
    "sigmoid_belief_net": "backbone.hidden=64,16 lr.start=0.1 lr.end=0 lr.steps=20000 importance_samples=500",
    "hopfield": "patterns=10",
    "modern_hopfield": "patterns=100 beta=1 recall_steps=1",
}
ROWS = [*(("agents", *row) for row in AGENTS.items()), *(("generators", *row) for row in GENERATORS.items())]


def numbers(tree: Any, path: str = "") -> dict[str, str]:
    """Return numbers, tuples of numbers and None by path, as texts; the replay is at `replay`, not `stream.replay`."""
    if isinstance(tree, dict):
        parts = (numbers(part, f"{path}.{name}".strip(".")) for name, part in tree.items())
        return {name: text for part in parts for name, text in part.items()}
    short = path.removeprefix("stream.") if path.count(".") == 2 else path
    return {short: written(tree)}


def written(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(written, value))
    return str(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


@pytest.mark.parametrize(("family", "name", "row"), ROWS, ids=[name for _, name, _ in ROWS])
def test_defaults(family: str, name: str, row: str) -> None:
    found = numbers(registry.config_class(family, name)().model_dump())
    expected = dict(word.split("=") for word in row.split())  # a later word wins
    plain = ("None", "True", "False")
    expected = {
        path: text if text in plain else ",".join(written(float(part)) for part in text.split(","))
        for path, text in expected.items()
    }
    assert {path: found.get(path) for path in expected} == expected


def member(family: str, name: str) -> type[Config]:
    return registry.config_class(family, name)


LEFT_OF_0, RIGHT_OF_1 = -1e-9, 1 + 1e-9
BOUNDS: list[tuple[Any, str, list[Any], list[Any]]] = [
    (Sparsity, "target", [1e-9, 1 - 1e-9], [0, 1]),
    (Sparsity, "cost", [0], [LEFT_OF_0]),
    (member("agents", "dqn"), "discount", [0, 1], [LEFT_OF_0, RIGHT_OF_1]),
    (member("agents", "dqn"), "evaluation_epsilon", [0, 1], [LEFT_OF_0, RIGHT_OF_1]),
    (member("agents", "pqn"), "q_lambda", [0, 1], [LEFT_OF_0, RIGHT_OF_1]),
    (type(member("agents", "q_learning")().step_size), "start", [1e-9, 100], [0, 100.1]),
    (type(member("agents", "q_learning")().step_size), "power", [0, 1], [LEFT_OF_0, RIGHT_OF_1]),
    (member("generators", "boltzmann_machine"), "temperatures", [(1.0,), (2.0, 1.0)], [(), (2.0,)]),
    (member("generators", "context_encoder"), "side", [1e-9, 0.999], [0, 1]),
    (member("generators", "cyclegan"), "channels", [(8,)], [()]),
    (member("generators", "cyclegan"), "patch_channels", [(8,)], [()]),
    (member("generators", "pix2pix"), "channels", [(8,)], [()]),
    (member("generators", "pix2pix"), "patch_channels", [(8,)], [()]),
    (member("generators", "pix2pix"), "dropout", [0, 0.999], [LEFT_OF_0, 1]),
    (type(member("generators", "denoising_autoencoder")().noise), "fraction", [0, 0.999], [LEFT_OF_0, 1]),
    (member("generators", "infogan"), "num_categories", [2, 4_096], [1, 4_097]),
    (member("generators", "sparse_autoencoder"), "activation", [1e-9, 0.999], [0, 1]),
    (member("generators", "stackgan"), "channels", [1, 512], [0, 513]),
    (member("generators", "vae"), "importance_samples", [500, 1_000_000], [499, 1_000_001]),
    (member("generators", "vq_vae"), "num_codes", [2, 4_096], [1, 4_097]),
    (member("generators", "vq_vae"), "code_size", [1, 256], [0, 257]),
    (member("generators", "vq_vae"), "decay", [0, 0.999], [LEFT_OF_0, 1]),
    (member("generators", "vq_vae"), "restart_below", [0, 0.999], [LEFT_OF_0, 1]),
    (member("generators", "gan"), "average_decay", [0, 0.9999], [LEFT_OF_0, 1]),
    (MinibatchDiscrimination, "num_kernels", [1, 512], [0, 513]),
    (MinibatchDiscrimination, "kernel_size", [1, 512], [0, 513]),
    (Regularizers, "label_smoothing", [0, 0.499], [LEFT_OF_0, 0.5]),
    (Regularizers, "feature_matching", [0, 1], [LEFT_OF_0, RIGHT_OF_1]),
    (Annealing, "num_chains", [2, 10_000], [1, 10_001]),
    (SoftmaxConfig, "input_dropout", [0, 0.999], [LEFT_OF_0, 1]),
    (SoftmaxConfig, "hidden_dropout", [0, 0.999], [LEFT_OF_0, 1]),
    (RBMTraining, "centering", [0, 1], [LEFT_OF_0, RIGHT_OF_1]),
]


@pytest.mark.parametrize(("config", "option", "good", "bad"), BOUNDS)
def test_bounds(config: type[Config], option: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert numbers(config.model_validate({option: value}).model_dump())[option] == written(value)
    for value in bad:
        with pytest.raises(ValidationError):
            config.model_validate({option: value})


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("rbm", [sigmoids(2)], [sigmoids(2, 3), sigmoids(), MLP(hidden=(2,)), Nature()]),
        ("dbn", [sigmoids(2), sigmoids(2, 3)], [sigmoids(), MLP(), Impala()]),
        ("dbm", [sigmoids(2, 2), sigmoids(2, 3, 4)], [sigmoids(2), sigmoids()]),
        ("conv_rbm", [convolutions(2, kernel=3)], [convolutions(2, 3, kernel=3), LeNet(), Nature()]),
        ("conv_dbn", [convolutions(2, kernel=3), convolutions(2, 3, kernel=5)], [LeNet(), MLP()]),
        ("sigmoid_belief_net", [sigmoids(2)], [sigmoids(), MLP(activation="tanh")]),
        ("stacked_autoencoder", [sigmoids(2)], [sigmoids(), MLP(activation="sigmoid", norm="layer")]),
    ],
)
def test_backbones_of_machines(name: str, good: list[BackboneConfig], bad: list[BackboneConfig]) -> None:
    for backbone in good:
        assert dict(member("generators", name).model_validate({"backbone": backbone}))["backbone"] == backbone
    for backbone in bad:
        with pytest.raises(ValidationError):
            member("generators", name).model_validate({"backbone": backbone})


def test_defaults_of_parts() -> None:
    assert ExponentialDecay().model_dump() == {"start": 0.1, "end": 0.001, "steps": 10_000}
    assert MinibatchDiscrimination().model_dump() == {"num_kernels": 16, "kernel_size": 8}
    assert ContrastiveDivergence().steps == 1
    assert GaussianUnits().std == 0.3
    assert (UpDown().steps, UpDown().lr) == (10_000, Linear(start=0.01, end=0.0, steps=10_000))
    assert (InputScales().hidden, InputScales().visible) == (1.0, 1.0)
    assert TypeAdapter(_options.RewardClip).validate_python(1e-9) == 1e-9
