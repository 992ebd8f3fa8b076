"""`sandbox doctor`: checks what runs need on this machine, and says how to install what is missing."""

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import typer

from sandbox.cli import _print
from sandbox.cli._options import RUNS, Json, Runs
from sandbox.core.errors import UserError
from sandbox.core.progress import progress

_ROOM = 2  # GB of disk; two checkpoints of an agent with 100,000 frames of 84x84 in its replay take 1.4


class Finding(NamedTuple):
    """One line of the output.

    Attributes:
        status: A `problem` stops runs, a `note` does not.
        check: Name of the check.
        found: What was found, as a sentence.
        todo: What to do about it; empty if nothing.
        numbers: Measurements, for programs.
    """

    status: Literal["ok", "note", "problem"]
    check: str
    found: str
    todo: str = ""
    numbers: Mapping[str, float] = {}


def doctor(
    json: Json = False,
    runs: Runs = RUNS,
    speed: Annotated[bool, typer.Option(help="Also train a few configs for half a second each.")] = True,
) -> None:
    """Check what runs need on this machine, and how fast it is.

    Prints a line each for PyTorch, display, video, Weights & Biases, extras and disk, with advice if something is
    missing, and estimates how long some of the shipped configs train here.

    \b
    sandbox doctor
    sandbox doctor --json
    sandbox doctor --no-speed

    The exit code is 1 if there is a problem, else 0.
    """
    progress.now("checking")
    findings = [
        *check_pytorch(),
        check_pygame(),
        check_display(),
        check_wandb(),
        *check_encoders(),
        *check_extras(),
        check_disk(runs),
        check_access(runs),
    ]
    if speed:
        progress.now("measuring speeds")
        findings += check_speeds()
    if json:
        _print.as_json([finding._asdict() for finding in findings])
    else:
        _print.table((each.status, each.check, f"{each.found} {each.todo}".strip()) for each in findings)
    if any(finding.status == "problem" for finding in findings):
        raise typer.Exit(1)


def check_pytorch() -> list[Finding]:
    """Check PyTorch's build, device, bf16 and threads."""
    import torch

    from sandbox.core.compute import bf16_pays, choose

    device = choose().device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "no CUDA device; runs use the CPU"
    units = "has" if bf16_pays(device) else "has no"
    threads, cores = torch.get_num_threads(), _cores()
    many = threads > cores
    cuda = torch.version.cuda
    build = f"built for CUDA {cuda}" if cuda else "built without CUDA"
    idle = cuda is None and shutil.which("nvidia-smi") is not None
    return [
        Finding(
            "note" if idle else "ok",
            "torch",
            f"PyTorch {version('torch')}, {build}, on Python {sys.version.split()[0]}.",
            "There is an NVIDIA driver that it cannot use; see pytorch.org for a build that can." if idle else "",
        ),
        Finding("ok", "device", f"device=auto is {device.type}: {name}."),
        Finding("ok", "bf16", f"{device.type} {units} matrix units for it, which is what precision=auto goes by."),
        Finding(
            "note" if many else "ok",
            "threads",
            f"PyTorch uses {threads} threads on {cores} cores.",
            f"That is slow: give runs threads={cores}." if many else "",
        ),
    ]


def _cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def check_pygame() -> Finding:
    """Check that pygame-ce is installed, and not pygame."""
    match [name for name in ("pygame", "pygame-ce") if _installed(name)]:
        case ["pygame-ce"]:
            return Finding("ok", "pygame", f"pygame-ce {version('pygame-ce')}.")
        case []:
            found = "it is not installed."
        case ["pygame"]:
            found = "pygame is installed instead of pygame-ce."
        case _:
            found = "pygame and pygame-ce are both installed; they write into the same folder and break each other."
    return Finding("problem", "pygame", found, "Run: pip uninstall -y pygame pygame-ce && pip install pygame-ce")


def check_display() -> Finding:
    """Check whether a window can be opened."""
    from sandbox.viewer.display import require_display

    try:
        require_display("Use --web for a browser elsewhere, or `sandbox watch RUN --video out.mp4`.")
    except UserError as error:
        return Finding("note", "display", str(error))
    return Finding("ok", "display", "a window can be opened.")


def check_wandb() -> Finding:
    """Check whether there is a key of Weights & Biases."""
    import wandb

    wandb.setup(wandb.Settings(silent=True))
    mode = os.environ.get("WANDB_MODE")
    said = f" WANDB_MODE={mode} is set." if mode else ""
    if wandb.login(prompt=False, verify=False):
        return Finding("ok", "wandb", f"there is a Weights & Biases key; logger.wandb=auto goes online.{said}")
    keep = "no Weights & Biases key; logger.wandb=auto keeps runs offline."
    return Finding("note", "wandb", f"{keep}{said}", "Run `wandb login` to send them.")


def check_encoders() -> list[Finding]:
    """Check that a video of each format can be written."""
    import numpy as np

    from sandbox.media.video import VideoWriter

    broken = {}
    with tempfile.TemporaryDirectory() as place:
        for suffix in (".mp4", ".webm", ".gif"):
            try:
                with VideoWriter(Path(place, f"video{suffix}"), fps=10) as video:
                    video.write(np.zeros((64, 64, 3), np.uint8))
            except Exception as error:  # whatever a codec raises
                broken[suffix] = f"{error}"
    if not broken:
        return [Finding("ok", "video", f"PyAV {version('av')} writes mp4 (H.264) and webm (VP9), Pillow writes gif.")]
    others = [suffix for suffix in (".mp4", ".webm", ".gif") if suffix not in broken]
    todo = "Run: pip install --force-reinstall av" + (f" (or write videos as {' or '.join(others)})" if others else "")
    return [
        Finding("note", "video", f"no video can be written as {kind}: {why}.", todo) for kind, why in broken.items()
    ]


def check_extras() -> list[Finding]:
    """Check which optional packages are installed."""
    uses = {
        "scikit-learn": ("digits", "data.name=digits"),
        "tensorboard": ("tensorboard", "logger.tensorboard=true"),
        "box2d": ("box2d", "LunarLander and the other Box2D environments"),
        "datasets": ("data", "data.name=hub"),
        "uvicorn": ("web", "--web"),
        "onnxruntime": ("export", "`sandbox export --onnx`"),
        "optuna": ("sweep", "a random or Bayesian search of `sandbox sweep`"),
    }
    return [
        Finding("ok", package, f"{package} {version(package)}, for {use}.")
        if _installed(package)
        else Finding("note", package, f"not installed; {use} needs it.", f"Run: pip install 'rl-sandbox[{extra}]'")
        for package, (extra, use) in uses.items()
    ]


def check_speeds() -> list[Finding]:
    """Measure speeds in a few seconds; they are rough, since other programs and a warm processor change them."""
    import torch

    from sandbox.cli._speed import about, products, speeds

    findings = []
    load, cores = os.getloadavg()[0] if sys.platform != "win32" else 0.0, _cores()
    if load > cores / 2:
        busy = f"other programs are running (load {load:.1f} on {cores} cores); the speeds below are lower for it."
        findings.append(Finding("note", "load", busy, numbers={"load": load, "cores": cores}))
    rates = {"fp32": products(torch.float32), "bf16": products(torch.bfloat16)}
    told = ", ".join(f"{rate:,.0f} in {name}" for name, rate in rates.items())
    findings.append(Finding("ok", "products", f"of matrices, in GFLOP/s: {told}.", numbers=rates))
    for each in speeds():
        found = (
            f"{about(each.seconds)} for {each.to_do:,} steps, within a factor of 1.5: {each.steps:,.0f} steps and "
            f"{each.updates:,.1f} updates per second; without evaluations."
        )
        numbers = {"steps_per_second": each.steps, "updates_per_second": each.updates, "seconds": each.seconds}
        findings.append(Finding("ok", each.name, found, numbers=numbers))
    return findings


def check_disk(runs: Path) -> Finding:
    """Check the free space for runs."""
    free = shutil.disk_usage(_existing(runs)).free / 1e9
    if free < _ROOM:
        todo = "Make room, or keep runs elsewhere with --runs DIR."
        return Finding("problem" if free < _ROOM / 10 else "note", "disk", f"{free:.1f} GB free for {runs}.", todo)
    return Finding("ok", "disk", f"{free:.0f} GB free for {runs}.")


def check_access(runs: Path) -> Finding:
    """Check whether runs can be written."""
    place = _existing(runs)
    try:
        with tempfile.TemporaryFile(dir=place):
            return Finding("ok", "runs", f"{runs} can be written.")
    except OSError as error:
        todo = "Give yourself write access, or keep runs elsewhere with --runs DIR."
        return Finding("problem", "runs", f"{place} cannot be written: {error.strerror}.", todo)


def _existing(path: Path) -> Path:
    """Return `path`, or the nearest existing folder above it."""
    return next(place for place in (path, *path.absolute().parents) if place.exists())


def _installed(package: str) -> bool:
    return any(True for _ in distributions(name=package))
