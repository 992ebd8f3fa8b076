"""Every member is exported, or refused by name with the reason."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_members import CATCH, EVERY, FEATURES, made

from sandbox.core.errors import UserError
from sandbox.interfaces.agent import Exportable
from sandbox.interfaces.capabilities import HasDecoder, HasTranslation
from sandbox.interfaces.classifier import Classifier
from sandbox.interfaces.learner import RefusesExport
from sandbox.interfaces.state import advance_state, map_state
from sandbox.runs import registry
from sandbox.runs.build import build
from sandbox.runs.contracts.learners import go
from sandbox.runs.exports import formats
from sandbox.runs.exports.model import model_graph
from sandbox.runs.exports.policy import policy_graph
from sandbox.runs.exports.write import graph_of
from sandbox.runs.resolve import resolve
from sandbox.training.batch_norm import freeze_batch_norms

CAN = {"agent": Exportable, "generator": (HasDecoder, HasTranslation, Classifier)}
REFUSED = {
    "random": "it draws its actions at random, without a network",
    "sb3": 'its policy belongs to Stable-Baselines3, whose documentation exports it ("Exporting models")',
    "boltzmann_machine": "it samples by a Gibbs chain, and has no decoder",
    "hopfield": "it recalls stored patterns, and has no decoder",
    "modern_hopfield": "it recalls stored patterns, and has no decoder",
    "pix2pix": "its dropout is the noise of a translation (generator.dropout=0 has none)",
}


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_a_member_can_be_exported_or_says_why_not(kind: str, name: str, tmp_path: Path) -> None:
    able = name in registry.able(f"{kind}s", CAN[kind])
    built = made(kind, name, tmp_path)
    if name not in REFUSED:
        assert able
        assert not (isinstance(built.learner, RefusesExport) and built.learner.no_export)
        return
    assert not able or name == "pix2pix"
    with pytest.raises(UserError) as refused:
        graph_of(built)
    assert str(refused.value) == f"{name} cannot be exported as a graph: {REFUSED[name]}."


def test_the_documentation_names_every_member_and_what_becomes_of_it() -> None:
    page = (Path(__file__).parents[3] / "docs" / "export.md").read_text()
    rows = [row.split(" | ", 1) for row in page.partition("## Members")[2].partition("## Trust")[0].splitlines()]
    told = {name: row[1] for row in rows if len(row) == 2 for name in re.findall(r"`(\w+)`", row[0])}
    assert sorted(told) == sorted(name for _, name in EVERY)
    refused = {name: text.removesuffix(" |") for name, text in told.items() if text.startswith("refused: ")}
    assert refused.keys() == REFUSED.keys() - {"pix2pix"}
    assert "refused, since its dropout is the noise" in told["pix2pix"]
    for name in ("random", "boltzmann_machine"):
        assert refused[name] == f"refused: {REFUSED[name]}"


def test_options_that_draw_at_random_are_refused(tmp_path: Path) -> None:
    """And exported without them."""
    hard = ["agent={name: darqn, attention: {name: hard}}", "env.name=catch", "steps=9"]
    with pytest.raises(UserError) as refused:
        graph_of(build(resolve([], hard), tmp_path))
    assert str(refused.value) == (
        "darqn cannot be exported as a graph: hard attention (attention.name=hard) draws places at random."
    )
    without = ["generator={name: pix2pix, dropout: 0}", "data={name: edges, count: 60, shrink: 4}", "steps=9"]
    formats.torch_file(graph_of(build(resolve([], without), tmp_path)), {})


def test_a_member_without_a_graph_and_without_a_reason_is_refused_as_well(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        policy_graph(made("agent", "random", tmp_path))
    assert str(refused.value) == (
        "random cannot be exported: Random is not Exportable (see sandbox/interfaces/agent.py)."
    )
    with pytest.raises(UserError) as refused:
        model_graph(made("generator", "hopfield", tmp_path))
    assert str(refused.value) == (
        "hopfield cannot be exported: Hopfield has no decoder, no translation and no predictions (see "
        "sandbox/interfaces/capabilities.py)."
    )


@pytest.mark.parametrize("name", registry.able("agents", Exportable))
def test_a_greedy_step_is_what_acting_and_the_viewer_do(name: str, tmp_path: Path) -> None:
    """Over episodes: the same values as the viewer's, the same state as that of `act`, and the best action."""
    built = made("agent", name, tmp_path)
    agent, env = built.learner, built.config.env.make(4)
    for part in agent.parts().values():
        if isinstance(part, torch.nn.Module):
            for parameter in part.parameters():
                parameter.data.mul_(3)  # so that values differ clearly
    if "table" in agent.parts():
        table = agent.parts()["table"].state_dict()
        agent.parts()["table"].load_state_dict(table | {"q": torch.randn(table["q"].shape, dtype=torch.float64)})
    observations, _ = env.reset(seed=0)
    state, best = agent.initial_state(4), []
    for _ in range(12):
        with torch.no_grad():
            shown = agent.q_values(agent.network_input(observations, state), state)
            q, greedy = agent.greedy_step(torch.from_numpy(observations), state)
        assert torch.equal(q, shown)
        actions, after = agent.act(observations, state, explore=False)
        best += (q.argmax(1).numpy() == actions).tolist()
        map_state(lambda a, b: torch.testing.assert_close(a, b, atol=1e-6, rtol=0), *_same_action(greedy, after))
        observations, rewards, terminated, truncated, _ = env.step(actions)
        state = advance_state(after, rewards, ended := terminated | truncated)
        if ended.any():
            observations, _ = env.reset(options={"reset_mask": ended})
    assert np.mean(best) > 0.8  # iqn draws its quantiles when it acts, and a table's ties are broken at random


def _same_action(greedy: Any, after: Any) -> tuple[Any, Any]:
    """Two states, of which both hold the action that was taken, if they hold any."""
    return (
        (greedy | {"action": after["action"]}, after)
        if isinstance(after, dict) and "action" in after
        else (
            greedy,
            after,
        )
    )


@pytest.mark.attack
@pytest.mark.parametrize("name", list(registry.backbones()))
def test_every_backbone_is_exported(name: str, tmp_path: Path) -> None:
    """For batches of any size, which code that takes a batch's length for a number would not be."""
    source = FEATURES if name == "mlp" else CATCH
    words = ["agent.name=dqn", f"agent.backbone.name={name}", source, "steps=9", "device=cpu"]
    formats.onnx_file(graph_of(build(resolve([], words), tmp_path)), {})


@pytest.mark.attack
@pytest.mark.parametrize("small", [True, False], ids=["small", "defaults"])
@pytest.mark.parametrize(("kind", "name"), [pair for pair in EVERY if pair[1] not in REFUSED])
def test_every_graph_computes_what_its_learner_does(kind: str, name: str, small: bool, tmp_path: Path) -> None:
    """Written by both exporters, which compare it over a whole sequence or many images."""
    built = made(kind, name, tmp_path, small=small)
    go(built.ready_to_resume(), 12)
    freeze_batch_norms(built.learner)
    graph = graph_of(built)
    for export in (formats.onnx_file, formats.torch_file):
        content = export(graph, {})
        assert b"/tests/" not in content
        assert str(Path(__file__).parents[3]).encode() not in content
