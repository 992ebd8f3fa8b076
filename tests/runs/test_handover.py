"""Encoders that one half of the sandbox has learned and the other begins with."""

from pathlib import Path

import pytest
import torch
from torch import nn

from sandbox.core.errors import UserError
from sandbox.interfaces.learner import Learner
from sandbox.runs.build import build_new, restore
from sandbox.runs.resolve import resolve
from sandbox.runs.start import start, with_name
from sandbox.storage.run_folder import RunFolder

FRAMES = ["data={name: frames, env: {name: catch}, count: 40, binarize: threshold}", "generator.stream.batch_size=8"]
ONE = "{name: mlp, hidden: [6], activation: sigmoid}"
TWO = "{name: mlp, hidden: [6, 5], activation: sigmoid}"
ONE_MAP = (
    "{name: lenet, activation: sigmoid, pooling: probabilistic_max, channels: [2], kernel: 5, padding: 0, hidden: []}"
)
TWO_MAPS = ONE_MAP.replace("[2]", "[2, 3]")
QUIET = ["logger.wandb=off", "log_period=2", "evaluate_period=0", "media_period=0", "threads=1"]
MACHINES = {
    "rbm": [*FRAMES, f"generator={{name: rbm, backbone: {ONE}}}"],
    "dbn": [*FRAMES, f"generator={{name: dbn, pretraining_steps: 2, backbone: {TWO}}}"],
    "dbm": [*FRAMES, f"generator={{name: dbm, pretraining_steps: 1, learning_steps: 9, backbone: {TWO}}}"],
    "sigmoid_belief_net": [*FRAMES, f"generator={{name: sigmoid_belief_net, backbone: {TWO}}}"],
    "stacked_autoencoder": [*FRAMES, f"generator={{name: stacked_autoencoder, pretraining_steps: 2, backbone: {TWO}}}"],
    "conv_rbm": [*FRAMES, f"generator={{name: conv_rbm, backbone: {ONE_MAP}}}"],
    "conv_dbn": [*FRAMES, f"generator={{name: conv_dbn, pretraining_steps: 2, backbone: {TWO_MAPS}}}"],
}
BACKBONES = {"rbm": ONE, "conv_rbm": ONE_MAP, "conv_dbn": TWO_MAPS}  # of the machines that do not have `TWO`
OTHERS = {
    "dqn": ["env.name=catch", "agent={name: dqn, frame_stack: 1, backbone: %s}", "agent.stream.replay={warmup: 20}"],
    "vae": [*FRAMES, "generator={name: vae, latent_size: 2, backbone: %s}"],
    "gan": [*FRAMES, "generator={name: gan, latent_size: 2, backbone: %s}"],
}


def encoder_of(learner: Learner) -> dict[str, torch.Tensor]:
    """Return the weights of the first encoder."""
    for part in learner.parts().values():
        for module in part.modules() if isinstance(part, nn.Module) else ():
            if any(name == "encoder" for name, _ in module.named_children()):
                return dict(module.get_submodule("encoder").state_dict())
    raise AssertionError("no encoder")


def trained(words: list[str], runs: Path, name: str, steps: int = 6) -> Learner:
    config = with_name(resolve([], [*words, *QUIET, f"steps={steps}", f"name={name}"]), [])
    folder, _ = start(config, runs, ["sandbox"], quiet=True)
    return restore(RunFolder.find(runs, folder.name))[0].learner


def begun(words: list[str], runs: Path, source: str) -> Learner:
    return build_new(resolve([], [*words, *QUIET, "steps=6", f"encoder_from={source}"]), runs).learner


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_begins_and_is_begun(name: str, tmp_path: Path) -> None:
    backbone = BACKBONES.get(name, TWO)
    machine = trained(MACHINES[name], tmp_path, "machine")
    for other, words in OTHERS.items():
        options = [word % backbone if "%s" in word else word for word in words]
        handed = encoder_of(begun(options, tmp_path, "machine"))
        assert handed.keys() == encoder_of(machine).keys()
        assert all(torch.equal(value, encoder_of(machine)[key]) for key, value in handed.items()), other
        if other == "dqn":
            agent = trained(options, tmp_path, "agent", 40)
            taken = encoder_of(begun(MACHINES[name], tmp_path, "agent"))
            assert all(torch.equal(value, encoder_of(agent)[key]) for key, value in taken.items())


@pytest.mark.parametrize("name", ["rbm", "dbn", "dbm", "stacked_autoencoder", "conv_rbm", "conv_dbn"])
def test_the_forward_pass_of_the_backbone_is_the_pass_upwards(name: str, tmp_path: Path) -> None:
    machine = trained(MACHINES[name], tmp_path, "machine", 12)
    images = torch.randint(2, (5, 1, 84, 84), generator=torch.Generator().manual_seed(0)).to(torch.uint8) * 255
    network = next(
        module.get_submodule("encoder")
        for part in machine.parts().values() if isinstance(part, nn.Module)
        for module in part.modules() if any(child == "encoder" for child, _ in module.named_children())
    )  # fmt: skip
    with torch.no_grad():
        upwards = network(images)
        if name == "dbm":
            rbm, v = machine.rbm(), images.float().flatten(1) / 255
            first = torch.sigmoid(2 * v @ rbm.weight[: v.shape[1]] + rbm.hidden_bias)
            codes = torch.sigmoid(first @ rbm.weight[v.shape[1] :].T + rbm.visible_bias[v.shape[1] :])
        else:
            codes = machine.encode(images)
    torch.testing.assert_close(upwards, codes)


def test_a_deep_boltzmann_machine_begins_its_pretraining_with_the_backbone(tmp_path: Path) -> None:
    trained(["env.name=catch", f"agent={{name: dqn, frame_stack: 1, backbone: {TWO}}}",
             "agent.stream.replay={warmup: 20}"], tmp_path, "agent", 40)  # fmt: skip
    machine = begun([*MACHINES["dbm"], "generator.pretraining.lr={start: 1e-30, end: 1e-30}"], tmp_path, "agent")
    given = encoder_of(machine)
    batch = torch.randint(2, (8, 1, 84, 84), generator=torch.Generator().manual_seed(0)).to(torch.uint8) * 255
    from sandbox.streams.labeled import Labeled

    machine.update(Labeled(batch, None))
    stack = machine.parts()["layer_1"], machine.parts()["layer_2"]
    torch.testing.assert_close(stack[0].weight, given["layers.0.weight"].T / 2)
    torch.testing.assert_close(stack[1].weight, given["layers.2.weight"].T)


def test_other_pooling_is_refused(tmp_path: Path) -> None:
    """It has no weights, and shapes that agree."""
    trained(MACHINES["conv_dbn"], tmp_path, "machine")
    mean = TWO_MAPS.replace("probabilistic_max", "mean")
    with pytest.raises(UserError) as refused:
        begun(["env.name=catch", f"agent={{name: dqn, frame_stack: 1, backbone: {mean}}}"], tmp_path, "machine")
    assert str(refused.value) == (
        "encoder_from=machine: its encoder has the pooling probabilistic_max, probabilistic_max, and this one has "
        "mean, mean. Give both the same backbone."
    )


def test_other_activations_are_refused(tmp_path: Path) -> None:
    trained(MACHINES["rbm"], tmp_path, "machine")
    relu = ["env.name=catch", "agent={name: dqn, frame_stack: 1, backbone: {name: mlp, hidden: [6]}}"]
    with pytest.raises(UserError, match=r"its encoder has the activations sigmoid, and this one has relu"):
        begun(relu, tmp_path, "machine")


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        ("{name: nature}", "the layers of nature cannot be coupled to a Boltzmann machine; those of mlp can"),
        ("{name: mlp, hidden: [6], activation: relu}", "the units of this machine are sigmoids"),
        ("{name: mlp, hidden: [6], norm: layer}", "leave out norm, dropout, spectral_norm and fourier_octaves"),
        ("{name: mlp, hidden: [6, 5]}", "rbm couples one layer, but hidden=[6, 5] has 2"),
        ("{name: mlp, hidden: []}", "hidden needs at least one layer"),
    ],
)
def test_backbones_that_cannot_be_coupled_are_named(backbone: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        resolve([], [*FRAMES, f"generator={{name: rbm, backbone: {backbone}}}", "steps=5"])
    assert message in str(error.value)


def test_a_backbone_without_a_named_activation_is_one_of_sigmoids() -> None:
    config = resolve([], [*FRAMES, "generator.name=dbn", "generator.backbone={hidden: [6, 5]}", "steps=5"])
    assert dict(config.learner)["backbone"].model_dump()["activation"] == "sigmoid"


DIGITS, EDGES = "data={name: digits, binarize: threshold}", "data={name: edges, count: 40, shrink: 4}"
CONNECTED = "every unit is connected with all others, without layers"
WITHOUT = {
    "boltzmann_machine": (DIGITS, CONNECTED),
    "hopfield": (DIGITS, CONNECTED),
    "modern_hopfield": (DIGITS, "it stores patterns, and has no layers"),
    "pix2pix": (EDGES, "its networks are those of its paper, not backbones"),
    "cyclegan": (EDGES, "its networks are those of its paper, not backbones"),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_members_without_an_encoder_are_named(name: str, tmp_path: Path) -> None:
    data, reason = WITHOUT[name]
    channels = ["generator.channels=[8, 16]"] if name == "cyclegan" else []
    words = [f"generator.name={name}", data, *channels]
    trained(words, tmp_path, "giver", 1)
    with pytest.raises(UserError) as refused:
        begun(["env.name=catch", "agent.name=dqn"], tmp_path, "giver")
    assert str(refused.value) == (
        f"encoder_from=giver: that run trains {name}, which has no encoder to copy: {reason}."
    )
    trained(MACHINES["rbm"], tmp_path, "machine", 1)
    with pytest.raises(UserError) as refused:
        begun(words, tmp_path, "machine")
    assert str(refused.value) == (
        f"encoder_from=machine: this run trains {name}, which has no encoder to initialize: {reason}."
    )


def test_stacked_frames_and_a_stacking_agent_begin_each_other(tmp_path: Path) -> None:
    stacked = [FRAMES[0].replace("count", "stack: 2, count"), *FRAMES[1:]]
    machine = trained(
        [*stacked, f"generator={{name: conv_dbn, pretraining_steps: 2, backbone: {TWO_MAPS}}}"], tmp_path, "machine"
    )
    dqn = ["env.name=catch", f"agent={{name: dqn, frame_stack: 2, backbone: {TWO_MAPS}}}", OTHERS["dqn"][2]]
    agent = begun(dqn, tmp_path, "machine")
    assert encoder_of(agent)["convolutions.0.weight"].shape == (2, 2, 5, 5)
    assert all(torch.equal(value, encoder_of(machine)[key]) for key, value in encoder_of(agent).items())
    agent = trained(dqn, tmp_path, "agent", 40)
    vae = begun([*stacked, f"generator={{name: vae, latent_size: 2, backbone: {TWO_MAPS}}}"], tmp_path, "agent")
    assert all(torch.equal(value, encoder_of(agent)[key]) for key, value in encoder_of(vae).items())
    with pytest.raises(UserError, match=r"\(2, 2, 5, 5\) against \(2, 1, 5, 5\)\)\. Give both .*\(agent\.frame_stack"):
        begun([FRAMES[0], *FRAMES[1:], f"generator={{name: vae, backbone: {TWO_MAPS}}}"], tmp_path, "agent")


@pytest.mark.parametrize("labels", ["false", "true"])
def test_a_deep_belief_net_is_unrolled_to_an_autoencoder(labels: str, tmp_path: Path) -> None:
    """The decoder's layers above the code pass downwards as the net does; the code's own layers begin at random."""
    data = FRAMES if labels == "false" else ["data={name: digits, binarize: threshold}", FRAMES[1]]
    options = f"pretraining_steps: 2, labels: {labels}, backbone: {TWO}, up_down: {{steps: 2}}"
    net = trained([*data, f"generator={{name: dbn, {options}}}"], tmp_path, "machine", 8)
    words = [*data, f"generator={{name: autoencoder, latent_size: 3, backbone: {TWO}}}"]
    coder, alone = (
        begun(words, tmp_path, "machine"),
        build_new(resolve([], [*words, *QUIET, "steps=6"]), tmp_path).learner,
    )
    first, *rest = (layer for layer in coder.parts()["network"].decoder.layers if isinstance(layer, nn.Linear))
    h = torch.rand(4, 5, generator=torch.Generator().manual_seed(0))
    x = h
    with torch.no_grad():
        for layer in rest:
            x = torch.sigmoid(layer(x))
    torch.testing.assert_close(x, net.decode(h).flatten(1))
    assert torch.equal(first.weight, alone.parts()["network"].decoder.layers[0].weight)
    assert torch.equal(coder.parts()["network"].code.weight, alone.parts()["network"].code.weight)
    images = torch.zeros(2, *net.sample(1).shape[1:])
    torch.testing.assert_close(coder.parts()["network"].encoder(images), net.encode(images))


def test_a_deep_belief_net_whose_top_layer_has_not_begun_is_not_unrolled(tmp_path: Path) -> None:
    options = f"pretraining_steps: 100, backbone: {TWO}"
    trained([*FRAMES, f"generator={{name: dbn, {options}}}"], tmp_path, "machine", 8)
    with pytest.raises(UserError) as caught:
        begun([*FRAMES, f"generator={{name: autoencoder, latent_size: 3, backbone: {TWO}}}"], tmp_path, "machine")
    assert str(caught.value) == (
        "encoder_from=machine: this dbn has no weights of its top layer yet: it learns them after update 100. Train "
        "that run further first."
    )


def test_other_encoders_leave_the_decoder_as_it_is(tmp_path: Path) -> None:
    trained(MACHINES["sigmoid_belief_net"], tmp_path, "machine")
    words = [*FRAMES, f"generator={{name: autoencoder, latent_size: 3, backbone: {TWO}}}"]
    coder, alone = (
        begun(words, tmp_path, "machine"),
        build_new(resolve([], [*words, *QUIET, "steps=6"]), tmp_path).learner,
    )
    for ours, theirs in zip(
        coder.parts()["network"].decoder.parameters(), alone.parts()["network"].decoder.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)


CAPSULES = "{name: capsules, channels: 4, primary: 2, primary_size: 3, capsule_size: 4, hidden: [6]}"
PROBE = [
    "data={name: frames, env: {name: catch}, count: 40, numbers: true}",
    "generator={name: classifier, targets: numbers, backbone: {name: compact, channels: 2, hidden: 5}}",
    "generator.stream.batch_size=8",
]


@pytest.mark.parametrize(
    ("classifier", "others"),
    [
        (
            ["data.name=digits", f"generator={{name: capsnet, backbone: {CAPSULES}}}", "generator.stream.batch_size=8"],
            [["data.name=digits", f"generator={{name: vae, latent_size: 2, backbone: {CAPSULES}}}"]],
        ),
        (
            PROBE,
            [
                ["env.name=catch", "agent={name: dqn, frame_stack: 1, backbone: {name: compact}}",
                 "agent.backbone={name: compact, channels: 2, hidden: 5}", "agent.stream.replay={warmup: 20}"],
                [*FRAMES, "generator={name: gan, latent_size: 2, backbone: {name: compact, channels: 2, hidden: 5}}"],
            ],
        ),
    ],
    ids=["capsnet", "classifier"],
)  # fmt: skip
def test_a_classifier_begins_and_is_begun(classifier: list[str], others: list[list[str]], tmp_path: Path) -> None:
    known = encoder_of(trained(classifier, tmp_path, "known"))
    for number, words in enumerate(others):
        handed = encoder_of(begun(words, tmp_path, "known"))
        assert handed.keys() == known.keys()
        assert all(torch.equal(value, known[key]) for key, value in handed.items())
        other = encoder_of(trained(words, tmp_path, f"other{number}", 40))
        taken = encoder_of(begun(classifier, tmp_path, f"other{number}"))
        assert all(torch.equal(value, other[key]) for key, value in taken.items())


def test_dropout_and_its_random_numbers_are_not_handed_over(tmp_path: Path) -> None:
    """An encoder with dropout begins with the weights of one without, and keeps its own random numbers."""
    plain, dropping = PROBE, [*PROBE, "generator.backbone.dropout=0.5"]
    known = encoder_of(trained(plain, tmp_path, "known"))
    handed = encoder_of(begun(dropping, tmp_path, "known"))
    assert all(torch.equal(handed[key], value) for key, value in known.items())
    alone = encoder_of(build_new(resolve([], [*dropping, *QUIET, "steps=6"]), tmp_path).learner)
    assert {key for key in handed.keys() - known.keys() if torch.equal(handed[key], alone[key])} == (
        handed.keys() - known.keys()
    )
