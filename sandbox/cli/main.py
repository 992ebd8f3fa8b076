"""The program `sandbox`: its commands, and how errors are printed."""

import sys

import typer

from sandbox.cli._trust import take_trusted
from sandbox.cli.bench import bench
from sandbox.cli.classify import classify
from sandbox.cli.doctor import doctor
from sandbox.cli.evaluate import evaluate
from sandbox.cli.export import export
from sandbox.cli.list import list_everything
from sandbox.cli.play import play
from sandbox.cli.push import push
from sandbox.cli.recall import recall
from sandbox.cli.reconstruct import reconstruct
from sandbox.cli.report import report
from sandbox.cli.runs import runs
from sandbox.cli.sample import sample
from sandbox.cli.show import show
from sandbox.cli.sync import sync
from sandbox.cli.train import resume, train
from sandbox.cli.translate import translate
from sandbox.cli.traverse import traverse
from sandbox.cli.watch import watch
from sandbox.core.errors import UserError
from sandbox.core.messages import say

app = typer.Typer(
    help="""Train agents and generative models, watch them, and play against them.

    \b
    sandbox list                               all members and configs
    sandbox show dqn                           one of them, with its options
    sandbox train catch_dqn                    train: a config by name or file
    sandbox train catch_dqn agent.discount=0.9 with another option
    sandbox watch latest                       watch what it learned
    sandbox runs                               all runs
    sandbox report env=catch                   a report about runs
    """,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: boxes break lines in pipes and narrow windows
)
app.command("list")(list_everything)
for _command in (
    show,
    train,
    resume,
    evaluate,
    watch,
    play,
    sample,
    reconstruct,
    translate,
    traverse,
    recall,
    classify,
    runs,
    report,
    sync,
    export,
    push,
    bench,
    doctor,
):
    app.command()(_command)


def main() -> None:
    """Run a command line; a user's mistake gives one message on standard error and exit code 2."""
    try:
        sys.argv[1:] = take_trusted(sys.argv[1:])
        app()
    except UserError as error:
        say(f"error: {error}", err=True)
        sys.exit(2)
    except (MemoryError, OverflowError, RuntimeError) as error:
        from sandbox.core.allocations import is_allocation_error

        if not is_allocation_error(error):
            raise
        say(f"error: not enough memory: {' '.join(str(error).split())}. Ask for less.", err=True)
        sys.exit(2)
    except OSError as error:
        say(f"error: {error}. Check the path, its permissions and the space on the disk.", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
