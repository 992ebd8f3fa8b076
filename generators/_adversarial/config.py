"""Options that the adversarial members share."""

from typing import Annotated

from pydantic import Field

from sandbox.config.numbers import Repeats, Units
from sandbox.generators._adversarial.regularizers import PackedRegularizers, Regularizers
from sandbox.interfaces.generator import GeneratorConfig
from sandbox.optimizers.adam import Adam
from sandbox.optimizers.choice import AnyOptimizer

ADAM = Adam(lr=2e-4, betas=(0.5, 0.999))  # Radford et al. 2016

AverageDecay = Annotated[
    float,
    Field(
        ge=0.0,
        lt=1.0,
        description="decay, per update, of the moving average of the generator's weights, which makes the samples",
    ),
]
DiscriminatorSteps = Annotated[
    Repeats, Field(description="updates of the discriminator for each update of the generator")
]
DiscriminatorOptimizer = Annotated[AnyOptimizer, Field(description="optimizer of the discriminator")]
GeneratorOptimizer = Annotated[AnyOptimizer, Field(description="optimizer of the generator")]
LatentSize = Annotated[Units, Field(description="number of normal latents Z of an image")]


class AdversarialConfig(GeneratorConfig):
    """Options of a generator that is trained against one discriminator."""

    average_decay: AverageDecay = 0.999
    discriminator_steps: DiscriminatorSteps = 1
    discriminator_optimizer: DiscriminatorOptimizer = ADAM
    generator_optimizer: GeneratorOptimizer = ADAM
    regularizers: PackedRegularizers = Regularizers()
