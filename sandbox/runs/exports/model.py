"""The decoder of a generator, the translation of a translator, or the prediction of a classifier, as a graph."""

from collections.abc import Callable, Iterator

import torch

from sandbox.core.errors import UserError
from sandbox.interfaces.capabilities import HasEncoder, HasLabeledDecoder, HasLatents, HasTranslation
from sandbox.interfaces.classifier import Classifier
from sandbox.runs.exports.graph import Comparison, Function, Graph, Port, Runner
from sandbox.runs.generator_run import BuiltGeneratorRun

_EXAMPLES = 3  # not 1, which `torch.export` would take for a constant
_COUNTS = (1, 5, 16)  # images of each comparison
_IMAGES = "floats from 0 to 1"
_LATENTS = "latent codes; their distribution is in docs/export.md"

Inputs = Callable[[int], tuple[torch.Tensor, ...]]  # draws inputs of so many rows


def model_graph(built: BuiltGeneratorRun) -> Graph:
    """Return the graph of a generator or classifier.

    Raises:
        UserError: If it has neither a decoder nor a translation nor predictions, or does not have them yet.
    """
    learner, spec, name = built.learner, built.facts.spec, built.config.generator.name
    generator = torch.Generator().manual_seed(0)

    def images(count: int, shape: tuple[int, ...] = spec.shape) -> torch.Tensor:
        return torch.rand(count, *shape, generator=generator).round()  # binary ones, which every member takes

    decoded = "images" if len(spec.shape) == 3 else "points"
    match learner:
        case HasLabeledDecoder():
            labels = torch.arange(_COUNTS[-1]) % learner.num_classes()
            meanings = {"codes": _LATENTS, "labels": f"classes, from 0 to {learner.num_classes() - 1}"}
            return _graph(
                built, "decoder", learner.decode_as, lambda n: (learner.latents(n), labels[:n]), meanings, decoded
            )
        case HasLatents():
            meanings = {"codes": _LATENTS}
            return _graph(built, "decoder", learner.decode, lambda n: (learner.latents(n),), meanings, decoded)
        case HasEncoder():
            meanings = {"codes": "latent codes, as the encoder of the run returns them"}
            return _graph(built, "decoder", learner.decode, lambda n: (learner.encode(images(n)),), meanings, decoded)
        case Classifier():
            meanings = {"images": f"images, {_IMAGES}"}
            output = "probabilities" if spec.num_classes else "numbers"
            return _graph(built, "classifier", learner.predict, lambda n: (images(n),), meanings, output)
        case HasTranslation():
            meanings = {"sources": f"source images, {_IMAGES}"}
            source = spec.source_shape or spec.shape
            return _graph(built, "translator", learner.translate, lambda n: (images(n, source),), meanings, "images")
    raise UserError(
        f"{name} cannot be exported: {type(learner).__name__} has no decoder, no translation and no predictions (see "
        "sandbox/interfaces/capabilities.py)."
    )


def _graph(
    built: BuiltGeneratorRun,
    kind: str,
    function: Callable[..., torch.Tensor],
    draw: Inputs,
    meanings: dict[str, str],
    output: str,
) -> Graph:
    """Return the graph of a function from inputs, whose meanings are given by name, to one output."""

    def call(*inputs: torch.Tensor) -> tuple[torch.Tensor]:
        return (function(*inputs).float(),)

    def compare(run: Runner) -> Iterator[Comparison]:
        for count in _COUNTS:
            inputs = draw(count)
            with torch.no_grad():
                ours = function(*inputs)
            yield Comparison(output, ours, run(dict(zip(meanings, inputs, strict=True)))[output])

    examples = [part.detach().clone() for part in draw(_EXAMPLES)]
    inputs = [Port(name, meanings[name], example) for name, example in zip(meanings, examples, strict=True)]
    module = Function(call, built.learner, inputs)
    meaning = {"images": f"images, {_IMAGES}", "probabilities": "the probability of each class"}.get(output, output)
    facts = {"classes": list(built.facts.classes)} if built.facts.classes else {}
    return Graph(kind, module, inputs, [Port(output, meaning, module.examples[0])], compare, facts)
