"""Panels for an agent: Q-values, recurrent state, network input, attention, saliency, filters and feature maps."""

from collections.abc import Container

import numpy as np
import torch
from torch.nn import functional as F

from sandbox.interfaces.agent import Inspectable
from sandbox.interfaces.environment import Controls
from sandbox.interfaces.state import RecurrentState
from sandbox.networks.layers.rest import at_rest
from sandbox.viewer.convolution import first_convolution, networks_in
from sandbox.viewer.episode import Decision, PlayerSlot
from sandbox.viewer.view import Bars, Images, Panel, Strip

PANELS = ("Q-values", "recurrent state", "network input", "attention", "saliency", "filters", "feature maps")
_MAX_BARS = 12  # longer vectors are shown as a strip
_UNIFORM_SCALE = 4.0  # uniform attention is shown with 1 / 4 of the full intensity
_MAX_IMAGES = 16  # images of a stack that a panel shows


class AgentPanels:
    """Panels for the agent of a slot.

    Scales of bars only grow during an episode, so that bars are comparable over time. That of the Q-values includes 0,
    where the bars start: their lengths are in proportion to the values.

    Args:
        slot: The slot of the agent.
        controls: The keys of the agent's player, for the names of actions.
    """

    def __init__(self, slot: PlayerSlot, controls: Controls) -> None:
        self._slot = slot
        self._controls = controls
        self._convolution = first_convolution(slot.agent)
        self.start_episode()

    def start_episode(self) -> None:
        """Reset the scales of the bars."""
        self._ranges: dict[str, tuple[float, float]] = {}

    def available(self) -> list[str]:
        """Return the panels, of `PANELS`, that exist for this agent."""
        decision = self._slot.decision
        if decision is None:
            return []
        inspectable = isinstance(self._slot.agent, Inspectable)
        exists = {
            "Q-values": inspectable,
            "recurrent state": bool(recurrent_state_of(decision.next_state)),
            "network input": True,
            "attention": attention_of(decision.next_state) is not None,
            "saliency": inspectable,
            "filters": self._convolution is not None,
            "feature maps": self._convolution is not None,
        }
        return [name for name in PANELS if exists[name]]

    def panels(self, names: Container[str]) -> list[Panel]:
        """Return the available panels among `names`, for the newest decision."""
        decision = self._slot.decision
        return [] if decision is None else [self._panel(name, decision) for name in self.available() if name in names]

    def epsilon(self, explore: bool) -> float | None:
        """Return the probability of a random action, if the agent has one."""
        agent = self._slot.agent
        return agent.epsilon(explore=explore) if isinstance(agent, Inspectable) else None

    def _panel(self, name: str, decision: Decision) -> Panel:
        agent = self._slot.agent
        network_input = self._network_input(decision)
        if name == "recurrent state":
            return Strip(name, recurrent_state_of(decision.next_state))
        if name == "attention" and (weights := attention_of(decision.next_state)) is not None:
            heatmap = weights[None] / max(weights.max(), _UNIFORM_SCALE / weights.size)
            return Images(name, _as_bytes(network_input[-1:]), heatmap)
        if name == "Q-values" and isinstance(agent, Inspectable):
            values = q_values_of(agent, decision)
            low, high = self._range(name, np.append(values, 0.0))
            names = action_names(self._controls, len(values))
            return Bars(name, names, values, low, high, int(decision.action))
        if self._convolution is not None and name == "filters":
            return Images(name, self._convolution.filters())
        if self._convolution is not None and name == "feature maps":
            return Images(name, self._convolution.maps(decision))
        if name == "saliency" and isinstance(agent, Inspectable):
            gradients = saliency(agent, decision)
            if network_input.ndim == 3:
                return Images(name, _as_bytes(network_input), _smoothed(gradients[-_MAX_IMAGES:]))
            self._ranges.setdefault(name, (0.0, 0.0))
            return self._vector(name, gradients)
        return Images(name, _as_bytes(network_input)) if network_input.ndim == 3 else self._vector(name, network_input)

    def _network_input(self, decision: Decision) -> np.ndarray:
        agent = self._slot.agent
        if isinstance(agent, Inspectable):
            return agent.network_input(decision.observations, decision.state)[0].detach().float().cpu().numpy()
        observation: np.ndarray = decision.observations[0]
        return observation.astype(np.float32) / (255 if observation.dtype == np.uint8 else 1)

    def _vector(self, title: str, values: np.ndarray) -> Panel:
        """Return a short vector as bars, a long one as a strip."""
        values = values.ravel()
        low, high = self._range(title, values)
        if len(values) <= _MAX_BARS:
            return Bars(title, [str(number) for number in range(len(values))], values, low, high)
        return Strip(title, [values / max(abs(low), abs(high), 1e-9)])

    def _range(self, title: str, values: np.ndarray) -> tuple[float, float]:
        """Extend the scale of a panel by `values`, and return it."""
        low, high = self._ranges.get(title, (np.inf, -np.inf))
        self._ranges[title] = min(low, float(values.min())), max(high, float(values.max()))
        return self._ranges[title]


@torch.no_grad()
def q_values_of(agent: Inspectable, decision: Decision) -> np.ndarray:
    """Return the agent's Q-values [A] for a decision."""
    network_input = agent.network_input(decision.observations, decision.state)
    return agent.q_values(network_input, decision.state)[0].float().cpu().numpy()


def saliency(agent: Inspectable, decision: Decision) -> np.ndarray:
    """Return |d max_a Q / d input|, of the shape of the network's input.

    Simonyan et al. 2014, "Deep Inside Convolutional Networks". Zeros for tabular agents, which have no gradient.
    """
    with torch.enable_grad(), at_rest(networks_in(agent)):
        network_input = agent.network_input(decision.observations, decision.state).detach().clone().requires_grad_()
        best = agent.q_values(network_input, decision.state).max(1).values.sum()
        if not best.requires_grad:
            return torch.zeros_like(network_input)[0].float().cpu().numpy()
        gradients = torch.autograd.grad(best, network_input)[0]
    return gradients[0].abs().float().cpu().numpy()


def recurrent_state_of(state: RecurrentState) -> list[np.ndarray]:
    """Return the vectors of a recurrent core's state, [size] each in [-1, 1]; empty for agents without one."""
    match state:
        case {"recurrent": recurrent}:
            return recurrent_state_of(recurrent)
        case tuple():
            return [np.tanh(part[0].detach().float().cpu().numpy().ravel()) for part in state]
    return []


def attention_of(state: RecurrentState) -> np.ndarray | None:
    """Return the attention weights [h, w] in an agent's state; None for agents without attention."""
    match state:
        case {"attention": attention}:
            weights: np.ndarray = attention[0].detach().float().cpu().numpy()
            return weights
    return None


def action_names(controls: Controls, num_actions: int) -> list[str]:
    """Return the name of each action, or else its key, or else its number."""
    names = {action: key for key, action in reversed(list(controls.keys.items()))}
    names |= dict(enumerate(controls.actions))
    return [names.get(action, str(action)) for action in range(num_actions)]


def _smoothed(gradients: np.ndarray) -> np.ndarray:
    """Return gradients [C, H, W] as a heatmap in [0, 1]: means over 5 x 5 pixels.

    Strided convolutions make gradients speckled; the means remove that.
    """
    smooth = F.avg_pool2d(torch.from_numpy(gradients), 5, 1, padding=2).numpy()
    return smooth / max(float(smooth.max()), 1e-12)


def _as_bytes(images: np.ndarray) -> np.ndarray:
    """Return the newest images of a stack [C, H, W] in [0, 1] as uint8."""
    return (images[-_MAX_IMAGES:].clip(0, 1) * 255).round().astype(np.uint8)
