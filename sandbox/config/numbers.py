"""Types of numeric options: each has a bound, so that no number can take the whole memory or a lifetime.

A bound is generous but finite: far above what is of use, and low enough that one option alone does not exhaust a
machine. `sandbox.runs.memory` adds up what all options need together.
"""

from typing import Annotated

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

LARGEST_FLOAT = 3e38
"""A little less than the largest number in single precision."""

# Numbers of things in memory
Count = Annotated[PositiveInt, Field(le=1_000_000)]
CountOrZero = Annotated[NonNegativeInt, Field(le=1_000_000)]
BatchSize = Annotated[PositiveInt, Field(le=65_536)]
NumEnvs = Annotated[PositiveInt, Field(le=16_384)]
NumChains = Annotated[PositiveInt, Field(le=10_000)]
NumImages = Annotated[PositiveInt, Field(le=100_000)]
Capacity = Annotated[PositiveInt, Field(le=1_000_000_000)]

# Shapes of networks
Width = Annotated[PositiveInt, Field(le=2_048)]
Units = Annotated[PositiveInt, Field(le=4_096)]
UnitsOrZero = Annotated[NonNegativeInt, Field(le=4_096)]
StateSize = Annotated[PositiveInt, Field(le=2_048)]
Channels = Annotated[PositiveInt, Field(le=1_024)]
Depth = Annotated[PositiveInt, Field(le=64)]

# Durations
Steps = Annotated[PositiveInt, Field(le=10**12)]
StepsOrZero = Annotated[NonNegativeInt, Field(le=10**12)]
Length = Annotated[PositiveInt, Field(le=10_000)]
LengthOrZero = Annotated[NonNegativeInt, Field(le=10_000)]
Repeats = Annotated[PositiveInt, Field(le=1_000_000)]

# Real numbers
Exponent = Annotated[NonNegativeFloat, Field(le=100)]
Probability = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[PositiveFloat, Field(le=LARGEST_FLOAT)]
NonNegative = Annotated[NonNegativeFloat, Field(le=LARGEST_FLOAT)]
Real = Annotated[float, Field(ge=-1e30, le=1e30)]

LARGEST_SEED = 2**32 - 1
Seed = Annotated[NonNegativeInt, Field(le=LARGEST_SEED)]
