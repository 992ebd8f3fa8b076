"""Questions of a shell to the completion of the command line, asked in this process."""

import contextlib
import io
import os
from unittest import mock

import pytest

from sandbox.cli._app import app
from sandbox.cli._shell import complete
from sandbox.runs.own_members import own

# A member of somebody's own, which must not be imported.
MEMBER = """from sandbox.interfaces.agent import AgentConfig
raise AssertionError("it was imported")

class MineConfig(AgentConfig):
    name: Literal["mine"] = "mine"
    mode: typing.Literal["fast", "slow"] = "fast"
    is_greedy: bool = False
    discount: float = 0.9
"""


def answers(variables):
    """Ask in this process, and return the answers; anything else that is printed is a failure."""
    out, err = io.StringIO(), io.StringIO()
    own.forget()
    with (
        mock.patch.dict(os.environ, variables),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit),
    ):
        complete(app)
    assert err.getvalue() == ""
    return out.getvalue().rstrip("\n").split("\n") if out.getvalue() else []


def of_bash(*parts):
    """Ask as bash does, which breaks words at `=`, `:` and `@`."""
    words = "\n".join(["sandbox", *parts])
    return answers({"_SANDBOX_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(parts))})


def of_zsh(line, shell="zsh"):
    """Ask as zsh and fish do, with the line up to the cursor."""
    return answers({"_SANDBOX_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": f"sandbox {line}"})
