"""The program `sandbox`: its commands, and how errors are printed."""

import sys

import typer

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
        app()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except MemoryError as error:
        print(f"error: not enough memory: {error}. Ask for less, such as a smaller replay.capacity.", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        print(f"error: {error}. Check the path, its permissions and the space on the disk.", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
