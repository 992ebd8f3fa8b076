"""Writes the array script that trains a sweep on SLURM, and submits it.

Each task of the array is `sandbox sweep FOLDER/sweep.yaml --at-most 1`. The locks of the sweep's folder and the file of
Optuna keep the tasks apart, so SLURM only decides where and when a task runs.
"""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.core.errors import UserError
from sandbox.runs.sweeps.sweep_folder import SweepFolder
from sandbox.storage.files import write_whole

SCRIPT = "slurm.sh"
_OPTION = re.compile(r"--[a-z][a-z0-9-]*(=[A-Za-z0-9_.,:/@+*%()\[\]&|=-]+)?")
_OURS = ("array", "chdir", "error", "open-mode", "output", "requeue", "no-requeue", "signal", "wrap")
_HOW = "write --name=value, such as --slurm='--partition=gpu --gres=gpu:1 --time=4:00:00'"


def slurm_options(text: str) -> list[str]:
    """Return the options of `sbatch` in a text, each checked to be one line of a script.

    Raises:
        UserError: For anything else than `--name=value`, or an option that the script gives.
    """
    if re.search(r"[\r\n]", text):
        raise UserError(f"--slurm: it has a line break; {_HOW}")
    words = text.split()
    for word in words:
        if not _OPTION.fullmatch(word):
            raise UserError(f"--slurm: {word!r} is no option of sbatch; {_HOW}")
        if word.partition("=")[0][2:] in _OURS:
            raise UserError(f"--slurm: {word}: the script gives {word.partition('=')[0]} itself; leave it out")
    return words


def write_script(
    folder: SweepFolder, runs: Path, tasks: int, jobs: int, threads: int, options: Sequence[str], words: Sequence[str]
) -> Path:
    """Write the script into the sweep's folder, and return its path.

    Args:
        folder: The sweep.
        runs: Folder of the run folders.
        tasks: Number of tasks.
        jobs: Number of tasks at a time.
        threads: CPU threads of a run.
        options: Options of `sbatch`.
        words: Further words of each task's command.
    """
    given = list(options)
    if not any(option.startswith(("--cpus-per-task=", "--exclusive")) for option in options):
        given.insert(0, f"--cpus-per-task={threads}")
    if not any(option.startswith("--job-name=") for option in options):
        given.insert(0, f"--job-name={folder.name}")
    ours = [f"--array=0-{tasks - 1}%{jobs}", "--requeue", "--signal=B:TERM@120", "--output=/dev/null"]
    logs = folder.path.absolute() / "logs"
    task = [sys.executable, "-m", "sandbox", "sweep", str(folder.definition.absolute()), "--at-most", "1"]
    task += ["--runs", str(runs.absolute()), *words]
    lines = [
        "#!/bin/bash",
        *(f"#SBATCH {option}" for option in [*ours, *given]),
        f"mkdir -p {shlex.quote(str(logs))}",
        f'exec >>{shlex.quote(str(logs))}/"slurm_${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}.txt" 2>&1',
        f"cd {shlex.quote(str(Path.cwd()))} || exit 1",
        f"exec {shlex.join(task)}",  # so that the signal reaches it
    ]
    write_whole(folder.path / SCRIPT, "\n".join(lines) + "\n")
    return folder.path / SCRIPT


def submit(script: Path) -> str:
    """Submit the script, and return what `sbatch` printed.

    Raises:
        UserError: If there is no `sbatch`, or it refuses the script.
    """
    if shutil.which("sbatch") is None:
        raise UserError(
            f"--submit: there is no sbatch on this machine. On a machine of the cluster: "
            f"sbatch {shlex.quote(str(script))}"
        )
    done = subprocess.run(["sbatch", str(script)], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"sbatch refused {script}: {done.stderr.strip()[-2000:] or f'code {done.returncode}'}")
    return done.stdout.strip()
