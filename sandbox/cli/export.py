"""`sandbox export`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._options import RUNS, Run, Runs
from sandbox.core.messages import say
from sandbox.core.progress import progress


def export(
    run: Run = "latest",
    runs: Runs = RUNS,
    onnx: Annotated[bool, typer.Option("--onnx", help="Write the learner as an ONNX model.")] = False,
    torch: Annotated[bool, typer.Option("--torch", help="Write the learner as a program of torch.export.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder or file to make; by default exports/NAME, exports/NAME.onnx or exports/NAME.pt2."),
    ] = None,
) -> None:
    """Write a run's weights, config, log and model card to a folder that can be handed on, or its learner to a file.

    The folder holds the newest good checkpoint in safetensors and JSON, never pickle. It is itself a valid run folder:
    `sandbox watch`, `evaluate` and `sample` take its path. State that only `sandbox resume` needs is left out.

    The files of `--onnx` and `--torch` run without this package. They hold an agent's greedy policy with its recurrent
    state as inputs and outputs, a generator's decoder, or a classifier; see docs/export.md. Each is written only if it
    computes what the run does.

    \b
    sandbox export latest
    sandbox export pong_dqn_s0 --out pong && sandbox watch ./pong
    sandbox export catch_dqn_s0 --onnx
    sandbox export digits_vae_s0 --torch --out decoder.pt2
    """
    from sandbox.core.errors import UserError
    from sandbox.storage.run_folder import RunFolder

    if onnx and torch:
        raise UserError("--onnx and --torch write one file each: give one of the two options")
    folder = RunFolder.find(runs, run)
    if onnx or torch:
        from sandbox.runs.exports.write import export_graph

        option, ending = ("--onnx", ".onnx") if onnx else ("--torch", ".pt2")
        place = out or Path("exports") / f"{folder.name}{ending}"
        if place.suffix != ending:
            raise UserError(f"--out {place} is no name for a file of {option}: it must end in {ending}")
        export_graph(folder, place)
    else:
        from sandbox.report.export import export as make

        place = out or Path("exports") / folder.name
        progress.now("copying")
        make(folder, place)
    say(place)
