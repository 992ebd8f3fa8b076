"""Options that several agents have, each with its description."""

from typing import Annotated

from pydantic import Field

from sandbox.config.numbers import Depth, Length, Positive, Steps
from sandbox.config.schedules import EpsilonSchedule, LinearProbability
from sandbox.networks.backbone import AnyBackbone
from sandbox.optimizers.choice import AnyOptimizer

Backbone = Annotated[AnyBackbone, Field(description="network from observations to features")]
Optimizer = Annotated[AnyOptimizer, Field(description="optimizer of the network")]
FrameStackSize = Annotated[Depth, Field(description="number of latest observations that the network sees at once")]
NStep = Annotated[Length, Field(description="number of rewards before a return is bootstrapped")]
Discount = Annotated[float, Field(ge=0, le=1, description="discount of one step (gamma)")]
TargetPeriod = Annotated[Steps, Field(description="the target network is copied every so many updates")]
Exploration = Annotated[EpsilonSchedule, Field(description="epsilon while exploring, by agent steps")]
LinearExploration = Annotated[LinearProbability, Field(description="epsilon while exploring, by agent steps")]
EvaluationEpsilon = Annotated[float, Field(ge=0, le=1, description="epsilon in evaluation; 0 is greedy")]
_REWARD_CLIP = """rewards are clipped to [-reward_clip, reward_clip] in the loss; replay and reported returns keep raw \
rewards; null disables clipping"""
RewardClip = Annotated[Positive | None, Field(description=_REWARD_CLIP)]
_ERROR_CLIP = """threshold of the Huber loss, the largest gradient of an error; beyond it the loss is linear and fits \
the median instead of the mean, so raise it when returns are large"""
ErrorClip = Annotated[Positive, Field(description=_ERROR_CLIP)]
