"""What goes on in an agent, as panels: what it sees, expects, remembers and looks at, and what its values hang on."""

from collections.abc import Container

import numpy as np
import torch
from torch.nn import functional as F

from sandbox.interfaces.agent import Explains
from sandbox.interfaces.environment import Controls
from sandbox.interfaces.state import RecurrentState
from sandbox.viewer.episode import Decision, PlayerSlot
from sandbox.viewer.view import Bars, Images, Panel, Strip

PANELS = ("values", "memory", "sees", "attention", "saliency")
_BARS = 12  # numbers that have a bar each; more are a strip
_EVEN = 4.0  # attention that is as strong everywhere glows a quarter as much as it could
_PLANES = 16  # images of a stack that have room


class AgentPanels:
    """Of the agent in `seat`. Ranges of bars grow within an episode, so that they can be compared over time.

    The best value's bar is always full; what another one lacks is what it would cost, of the most it did so far.
    """

    def __init__(self, seat: PlayerSlot, controls: Controls) -> None:
        self._seat, self._controls = seat, controls
        self.refresh()

    def refresh(self) -> None:
        """An episode starts: ranges are forgotten."""
        self._ranges: dict[str, tuple[float, float]] = {}

    def offered(self) -> list[str]:
        """Those of `PANELS` that this agent has something for."""
        thought, explains = self._seat.thought, isinstance(self._seat.agent, Explains)
        if thought is None:
            return []
        there = {
            "sees": True,
            "values": explains,
            "memory": bool(memory_of(thought.after)),
            "attention": attention_of(thought.after) is not None,
            "saliency": explains,
        }
        return [panel for panel in PANELS if there[panel]]

    def panels(self, wanted: Container[str]) -> list[Panel]:
        """What is wanted of what is offered, of the newest thought."""
        thought = self._seat.thought
        return [] if thought is None else [self._panel(name, thought) for name in self.offered() if name in wanted]

    def epsilon(self, explore: bool) -> float | None:
        """How often the agent acts at random, if it knows."""
        agent = self._seat.agent
        return agent.epsilon(explore=explore) if isinstance(agent, Explains) else None

    def _panel(self, name: str, thought: Decision) -> Panel:
        agent, seen = self._seat.agent, self._seen(thought)
        if name == "memory":
            return Strip(name, memory_of(thought.after))
        if name == "attention" and (looked := attention_of(thought.after)) is not None:
            return Images(name, _planes(seen[-1:]), looked[None] / max(looked.max(), _EVEN / looked.size))
        if name == "values" and isinstance(agent, Explains):
            values = values_of(agent, thought)
            names, best = action_names(self._controls, len(values)), float(values.max())
            low, _ = self._range(name, values - best)
            return Bars(name, names, values, best + 1.05 * low, best, thought.action, from_low=True)
        if name == "saliency" and isinstance(agent, Explains):
            slopes = saliency(agent, thought)
            if seen.ndim == 3:
                return Images(name, _planes(seen), _even(slopes[-_PLANES:]))
            self._ranges.setdefault(name, (0.0, 0.0))
            return self._numbers(name, slopes)
        return Images(name, _planes(seen)) if seen.ndim == 3 else self._numbers(name, seen)

    def _seen(self, thought: Decision) -> np.ndarray:
        agent = self._seat.agent
        if isinstance(agent, Explains):
            return agent.seen(thought.observations, thought.before)[0].detach().float().cpu().numpy()
        seen: np.ndarray = thought.observations[0]
        return seen.astype(np.float32) / (255 if seen.dtype == np.uint8 else 1)

    def _numbers(self, title: str, values: np.ndarray) -> Panel:
        """Few numbers as bars, many as a strip."""
        values = values.ravel()
        low, high = self._range(title, values)
        if len(values) <= _BARS:
            return Bars(title, [str(number) for number in range(len(values))], values, low, high)
        return Strip(title, [values / max(abs(low), abs(high), 1e-9)])

    def _range(self, title: str, values: np.ndarray) -> tuple[float, float]:
        low, high = self._ranges.get(title, (np.inf, -np.inf))
        self._ranges[title] = min(low, float(values.min())), max(high, float(values.max()))
        return self._ranges[title]


@torch.no_grad()
def values_of(agent: Explains, thought: Decision) -> np.ndarray:
    """[A], what the agent expects of each action."""
    return agent.values(agent.seen(thought.observations, thought.before), thought.before)[0].float().cpu().numpy()


def saliency(agent: Explains, thought: Decision) -> np.ndarray:
    """|d max_a Q / d input|, of the shape of what the agent sees: what its best value hangs on.

    Simonyan et al. 2014, "Deep Inside Convolutional Networks". Zeros for a table, which has no slope.
    """
    with torch.enable_grad():
        seen = agent.seen(thought.observations, thought.before).detach().clone().requires_grad_()
        best = agent.values(seen, thought.before).max(1).values.sum()
        slopes = torch.autograd.grad(best, seen)[0] if best.requires_grad else torch.zeros_like(seen)
    return slopes[0].abs().float().cpu().numpy()


def memory_of(state: RecurrentState) -> list[np.ndarray]:
    """What a recurrent agent remembers, [size] each in [-1, 1]; empty for the others."""
    match state:
        case {"recurrent": recurrent}:
            return memory_of(recurrent)
        case tuple():
            return [np.tanh(part[0].detach().float().cpu().numpy().ravel()) for part in state]
    return []


def attention_of(state: RecurrentState) -> np.ndarray | None:
    """Where it looked, [h, w], if it is one that looks."""
    match state:
        case {"attention": looked}:
            weights: np.ndarray = looked[0].detach().float().cpu().numpy()
            return weights
    return None


def action_names(controls: Controls, num_actions: int) -> list[str]:
    """Each action's key, `idle` for what happens without one, else its number."""
    names = {action: key for key, action in reversed(list(controls.keys.items()))}
    if controls.idle is not None:
        names.setdefault(controls.idle, "idle")
    return [names.get(action, str(action)) for action in range(num_actions)]


def _even(slopes: np.ndarray) -> np.ndarray:
    """[C, H, W] -> heat in [0, 1]: means over 5 by 5 pixels, for convolutions with strides make slopes speckled."""
    smooth = F.avg_pool2d(torch.from_numpy(slopes), 5, 1, padding=2).numpy()
    return smooth / max(float(smooth.max()), 1e-12)


def _planes(images: np.ndarray) -> np.ndarray:
    """The newest of [C, H, W] floats in [0, 1] as bytes."""
    return (images[-_PLANES:].clip(0, 1) * 255).round().astype(np.uint8)
