"""ONNX models and `.pt2` files: what they compute, what they say about themselves, and refusals."""

import json
import sys
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from test_members import made

from sandbox.core.errors import UserError
from sandbox.interfaces.state import reset_where
from sandbox.runs.exports import formats
from sandbox.runs.exports.graph import Comparison, Graph, MismatchError, Port, Runner
from sandbox.runs.exports.policy import flat, policy_graph
from sandbox.runs.exports.write import without_folders

BATCH = torch.arange(6.0).view(3, 2)


class Doubled(torch.nn.Module):
    def forward(self, *x: torch.Tensor) -> tuple[torch.Tensor]:
        return (2 * x[0],)


def graph_of(module: torch.nn.Module, expected: float = 2.0) -> Graph:
    def compare(run: Runner) -> Iterator[Comparison]:
        yield Comparison("y", expected * BATCH, run({"x": BATCH})["y"])

    return Graph("decoder", module, [Port("x", "a", BATCH)], [Port("y", "b", BATCH)], compare, {"classes": ["0"]})


@pytest.fixture(scope="module")
def drqn(tmp_path_factory):
    """A DRQN, its graph and its ONNX model."""
    built = made("agent", "drqn", tmp_path_factory.mktemp("drqn"))
    for parameter in built.learner.parts()["network"].parameters():
        parameter.data.mul_(3)  # so that the state matters
    graph = policy_graph(built)
    return built, graph, formats.onnx_file(graph, {"run": "mine"})


@pytest.mark.parametrize("count", [1, 4])
def test_a_recurrent_policy_in_onnx_acts_as_the_agent_over_episodes(drqn, count):
    built, _, content = drqn
    agent, env = built.learner, built.config.env.make(count)
    session = onnxruntime.InferenceSession(content)
    state = agent.initial_state(count)
    theirs = {key: part.numpy() for key, part in flat(state).items()}
    assert [given.name for given in session.get_inputs()] == ["observation", *theirs]
    observations, _ = env.reset(seed=5)
    for _ in range(20):
        q = agent.q_values(agent.network_input(observations, state), state)
        actions, state = agent.act(observations, state, explore=False)
        chosen, values, *after = session.run(None, {"observation": observations, **theirs})
        np.testing.assert_allclose(values, q.detach().numpy(), atol=1e-5, rtol=0)
        assert (chosen == actions).all()
        observations, _, terminated, truncated, _ = env.step(actions)
        ended = terminated | truncated
        state = reset_where(state, ended)
        theirs = {key: part * ~ended[:, None] for key, part in zip(theirs, after, strict=True)}
        if ended.any():
            observations, _ = env.reset(options={"reset_mask": ended})


def test_a_graph_that_forgets_is_refused(drqn):
    """The comparison runs over a sequence, so that a state that is not handed on is noticed."""
    _, graph, _ = drqn

    class Forgetful(torch.nn.Module):
        def forward(self, *inputs):
            action, q, *after = graph.module(*inputs)
            return (action, q, *(0 * part for part in after))

    with pytest.raises(MismatchError, match=r"^the exported policy is not the run's: state_0 after step 0 differs by "):
        formats.torch_file(replace(graph, module=Forgetful()), {})


def test_a_graph_that_does_not_look_at_the_reward_is_refused(tmp_path):
    """The comparison makes rewards up, since those of Catch are 0 within an episode."""
    built = made("agent", "r2d2", tmp_path)
    for parameter in built.learner.parts()["network"].parameters():
        parameter.data.mul_(3)
    graph = policy_graph(built)
    assert [port.name for port in graph.inputs[-2:]] == ["state_action", "state_reward"]

    class Deaf(torch.nn.Module):
        def forward(self, *inputs):
            return graph.module(*inputs[:-1], 0 * inputs[-1])

    with pytest.raises(MismatchError, match=r"^the exported policy is not the run's: q_values at step 1 differs by "):
        formats.torch_file(replace(graph, module=Deaf()), {})


def test_an_onnx_model_describes_itself_and_names_no_place_on_this_machine(drqn):
    _, _, content = drqn
    model = onnx.load(BytesIO(content))
    onnx.checker.check_model(model)
    about = {entry.key: entry.value for entry in model.metadata_props}
    assert {key: about[key] for key in ("kind", "run")} == {"kind": "policy", "run": "mine"}
    assert json.loads(about["actions"]) == ["left", "stay", "right"]
    observation, state, _ = json.loads(about["inputs"])
    assert observation == {
        "name": "observation",
        "dtype": "float32",
        "shape": [50],
        "meaning": "the newest observation of the environment",
    }
    assert state["meaning"] == "zeros at an episode's start, then next_state_0 of the last step"
    assert [output["name"] for output in json.loads(about["outputs"])] == [
        "action",
        "q_values",
        "next_state_0",
        "next_state_1",
    ]
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert str(Path(__file__).parents[3]).encode() not in content
    assert b".py" not in content


def test_a_pt2_file_is_loaded_by_pytorch_and_holds_no_pickle_and_no_path():
    content = formats.torch_file(graph_of(Doubled()), {"run": "mine"})
    extra = {"metadata.json": ""}
    program = torch.export.load(BytesIO(content), extra_files=extra)
    assert torch.equal(program.module()(torch.ones(7, 2))[0], torch.full((7, 2), 2.0))
    about = json.loads(extra["metadata.json"])
    assert about["run"] == "mine"
    assert about["classes"] == ["0"]
    with zipfile.ZipFile(BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert not any(b"PROTO" in part or part.startswith((b"\x80", b"PK")) for part in parts.values())
    assert not any(b".py" in part for part in parts.values())


@pytest.mark.parametrize("export", [formats.onnx_file, formats.torch_file])
def test_what_differs_is_refused(export):
    with pytest.raises(MismatchError) as refused:
        export(graph_of(Doubled(), expected=2.001), {})
    assert str(refused.value) == (
        "the exported decoder is not the run's: y differs by 0.005, where values reach 10. Nothing was written. Please "
        "report this, with the run's config.yaml."
    )


def test_not_a_number_is_refused():
    graph = graph_of(Doubled())
    with pytest.raises(MismatchError):
        graph.require_equal(lambda inputs: {"y": 2 * BATCH.where(BATCH > 0, torch.nan)})
    graph.require_equal(lambda inputs: {"y": 2 * BATCH + 9e-5})  # within 1e-5 of the largest value, 10


def test_code_that_looks_at_numbers_is_refused_in_one_line():
    class Branching(torch.nn.Module):
        def forward(self, *x: torch.Tensor) -> tuple[torch.Tensor]:
            return (2 * x[0] if x[0].sum() > 0 else x[0],)

    with pytest.raises(UserError) as refused:
        formats.torch_file(graph_of(Branching()), {})
    said = str(refused.value)
    assert said.startswith("this decoder cannot be exported: torch.export says GuardOnDataDependentSymNode: Could not ")
    assert said.endswith(
        "Its code must not turn tensors or their batch size into Python's numbers, as `float(x)`, `if x:` and "
        "`len(x)` do."
    )
    assert "\n" not in said


def test_without_the_packages_onnx_says_how_to_get_them(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError) as refused:
        formats.onnx_file(graph_of(Doubled()), {})
    assert str(refused.value) == "ONNX needs onnx, onnxruntime and onnxscript: pip install 'rl-sandbox[export]'"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("/home/me and you/my.yaml", "my.yaml"),
        ("demos=/home/me/demo.npz", "demos=demo.npz"),
        ("data={root: /home/me/images, size: 8}", "data={root: images, size: 8}"),
        ("data.root=~/images", "data.root=images"),
        (r"data.root=C:\Users\me\images", "data.root=images"),
        (json.dumps({"root": r"C:\Users\me\images", "module": "/a/b.py"}), '{"root": "images", "module": "b.py"}'),
        ("configs/my.yaml", "configs/my.yaml"),
        ("../mine.yaml", "../mine.yaml"),
        ("agent.optimizer={lr: 1e-3}", "agent.optimizer={lr: 1e-3}"),
        ("ALE/Pong-v5", "ALE/Pong-v5"),
    ],
)
def test_absolute_paths_lose_their_folders(text, left):
    assert without_folders(text) == left


def test_a_model_that_is_too_large_is_refused_before_anything_is_done(monkeypatch):
    monkeypatch.setattr(formats, "_LARGEST", 23)
    with pytest.raises(UserError) as refused:
        formats.onnx_file(graph_of(torch.nn.Linear(2, 2)), {})
    assert str(refused.value) == ("an ONNX model holds 2 GB of weights at most, and these are 0.0 GB: use --torch")


def test_nothing_is_printed(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        formats.onnx_file(graph_of(Doubled()), {})
    assert capfd.readouterr() == ("", "")
