"""Two processes that share each batch compute what one process does: gradients, priorities, chains and metrics."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from launched import CONTEXT
from torch import distributed

from sandbox.agents.dqn import DQNConfig
from sandbox.agents.iqn import IQNConfig
from sandbox.agents.rainbow import RainbowConfig
from sandbox.buffers.priorities import Prioritized
from sandbox.buffers.replay import Transitions
from sandbox.core.compute import Compute
from sandbox.core.processes import ALONE, Processes, ProcessGroup
from sandbox.core.rng import Rng
from sandbox.generators._adversarial.regularizers import ExponentialDecay, Regularizers
from sandbox.generators._boltzmann.rbm_layer import (
    ContrastiveDivergence,
    GaussianUnits,
    PersistentChains,
    RBMTraining,
)
from sandbox.generators.classifier import ClassifierConfig
from sandbox.generators.gan import GANConfig
from sandbox.generators.rbm import RBMConfig
from sandbox.generators.vae import VAEConfig
from sandbox.interfaces.learner import Learner
from sandbox.interfaces.learner_config import LearnerConfig
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.split import Split
from sandbox.networks.mlp import MLP
from sandbox.optimizers.base import Optimizer
from sandbox.streams.labeled import Labeled
from sandbox.training.shared_learner import SharedLearner

ROWS, UPDATES = 12, 3
SMALL = MLP(hidden=(16,))
AGENTS = Spec((5,), is_bytes=False, num_actions=3)
IMAGES = Spec((1, 4, 4), num_classes=3)


def transitions(seed: int) -> Transitions:
    rng = np.random.default_rng(seed)
    before, after = (torch.from_numpy(rng.normal(size=(ROWS, 5)).astype(np.float32)) for _ in range(2))
    actions = torch.from_numpy(rng.integers(3, size=ROWS))
    rewards = torch.from_numpy(rng.normal(size=(ROWS, 1)).astype(np.float32))
    steps = torch.ones(ROWS, dtype=torch.int64)
    return Transitions(before, actions, rewards, torch.ones(ROWS, 1), steps, after)


def prioritized(seed: int) -> Prioritized:
    weights = torch.from_numpy(np.random.default_rng(seed).random(ROWS).astype(np.float32))
    return Prioritized(transitions(seed), weights, torch.full((ROWS,), -1.0))


def images(seed: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(2, size=(ROWS, 1, 4, 4)).astype(np.uint8) * 255)


def labeled(seed: int) -> Labeled:
    return Labeled(images(seed), torch.from_numpy(np.random.default_rng(seed).integers(3, size=ROWS)))


def agent(config: type[Any], **options: Any) -> LearnerConfig:
    return config(backbone=SMALL, frame_stack=1, n_step=1, **options)


NOISY = Regularizers(instance_noise=ExponentialDecay(), historical_averaging=0.1)
CHAINS = RBMTraining(chains=PersistentChains(count=8), centering=0.1)
CASES: dict[str, tuple[LearnerConfig, Spec, Callable[[int], Any]]] = {
    "dqn": (agent(DQNConfig), AGENTS, transitions),
    "iqn": (agent(IQNConfig), AGENTS, transitions),
    "rainbow": (agent(RainbowConfig), AGENTS, prioritized),
    "vae": (VAEConfig(backbone=SMALL, latent_size=3, bound_samples=2), IMAGES, images),
    "gan": (GANConfig(backbone=SMALL, latent_size=4, regularizers=NOISY), IMAGES, images),
    "rbm": (RBMConfig(learning=CHAINS), IMAGES, images),
    "rbm_cd": (
        RBMConfig(visible=GaussianUnits(), learning=RBMTraining(chains=ContrastiveDivergence(steps=2))),
        IMAGES,
        images,
    ),
    "classifier": (ClassifierConfig(backbone=SMALL), IMAGES, labeled),
}


# Measurements for the log, of each process's rows; those of contrastive divergence draw numbers for these alone.
MEASURED = {"state/measured/loss", "state/measured/reconstruction_error", "state/measured/hidden_on"}


def tensors(value: Any, name: str) -> dict[str, np.ndarray]:
    """The tensors of a state, by their places in it."""
    if isinstance(value, torch.Tensor):
        return {name: value.detach().numpy().copy()}
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    return {place: found for key, part in pairs for place, found in tensors(part, f"{name}/{key}").items()}


def trained(name: str, processes: Processes) -> dict[str, np.ndarray]:
    """Gradients, metrics, priorities and the whole state after a few updates."""
    config, spec, batches = CASES[name]
    split = config.split()
    assert isinstance(split, Split)
    if isinstance(processes, ProcessGroup):
        processes.reduction = split.reduction
    compute = Compute(torch.device("cpu"), processes=processes)
    learner: Learner = config.make(spec, Rng(1), compute, NO_RUNS)
    found: dict[str, np.ndarray] = {}
    for part, optimizer in learner.parts().items():
        if isinstance(optimizer, Optimizer):
            optimizer.observer = lambda gradients, part=part: found.update(
                tensors(list(gradients), f"gradient of {part} {len(found)}")
            )
    shared = learner if processes is ALONE else SharedLearner(learner, compute.processes)
    for update in range(UPDATES):
        batch = batches(update)
        found |= {f"{key} {update}": np.asarray(value) for key, value in shared.update(batch).items()}
        if isinstance(batch, Prioritized):
            found[f"priorities {update}"] = batch.priorities.numpy()
    return found | tensors({key: part.state_dict() for key, part in learner.parts().items()}, "state")


def work(rank: int, folder: str) -> None:
    """Train all cases in one of two processes."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    for name in CASES:
        np.savez(f"{folder}/{name}_{rank}.npz", **trained(name, ProcessGroup(rank, 2)))
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("halves")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GLOO_SOCKET_IFNAME", "lo")
        both = [CONTEXT.Process(target=work, args=(rank, str(folder))) for rank in range(2)]
        for process in both:
            process.start()
        for process in both:
            process.join(100)
    assert [process.exitcode for process in both] == [0, 0]
    return folder


@pytest.mark.parametrize("name", CASES)
def test_two_processes_compute_what_one_does(name: str, halves: Path) -> None:
    one = trained(name, ALONE)
    for rank in range(2):
        with np.load(halves / f"{name}_{rank}.npz") as two:
            assert set(two) == set(one)
            without = {*MEASURED, *([f"loss {update}" for update in range(UPDATES)] if name == "rbm_cd" else [])}
            for place in set(two) - without:
                np.testing.assert_allclose(two[place], one[place], rtol=1e-6, atol=1e-6, err_msg=place)
