import subprocess
import sys

import pytest

from sandbox.cli import main as program


def test_the_program_starts_without_pytorch():
    code = (
        "import sys; sys.argv = ['sandbox', '--help']\n"
        "from sandbox.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code\n"
        "heavy = {'torch', 'gymnasium', 'wandb', 'pygame', 'matplotlib', 'av'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "sandbox train catch_dqn" in done.stdout


def test_a_users_mistake_is_one_message_and_exit_code_2(program):
    said = program("show", "nowhere.yaml")
    assert (said.code, said.out) == (2, "")
    *_, last = said.err.splitlines()  # after lines about the progress
    assert last == ("error: no config file 'nowhere.yaml'. See `sandbox list configs`. Options are written key=value.")


def test_an_unknown_command(sandbox):
    said = sandbox("shwo")
    assert said.code == 2
    assert said.err.endswith("Error: No such command 'shwo'. Did you mean 'show'?\n")


def test_an_unknown_option(sandbox):
    said = sandbox("runs", "--jsn")
    assert said.code == 2
    assert "No such option: --jsn (Possible options: --json)" in said.err


def test_own_images_without_their_option(sandbox):
    said = sandbox("reconstruct", "latest", "my scans", "more.png")
    assert said.code == 2
    assert said.err == (
        "error: `sandbox reconstruct` takes one run, and nothing after it: got 'my scans'. For your own images, a file "
        "or a folder: `sandbox reconstruct latest --from 'my scans'`\n"
    )


def test_no_words_print_the_help(sandbox):
    said = sandbox()
    assert "sandbox train catch_dqn" in said.out + said.err


def test_an_interrupt_is_130(monkeypatch):
    def interrupted(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr("sandbox.cli._app.app", interrupted)
    with pytest.raises(SystemExit) as stop:
        program.main()
    assert stop.value.code == 130


@pytest.mark.parametrize(
    "command",
    [
        "list",
        "show",
        "train",
        "sweep",
        "resume",
        "evaluate",
        "watch",
        "play",
        "sample",
        "reconstruct",
        "traverse",
        "recall",
        "classify",
        "runs",
        "bench",
        "doctor",
    ],
)
def test_every_commands_help_has_an_example(sandbox, command):
    said = sandbox(command, "--help")
    assert said.code == 0
    assert f"\n  sandbox {command}" in said.out
