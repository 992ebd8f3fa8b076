"""The commands of the program `sandbox`, in the order of its help."""

import difflib
import itertools
import shlex
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from sandbox.cli._members import take_members
from sandbox.cli._shell import complete, is_completing, shared_parameters
from sandbox.cli._trust import take_trusted
from sandbox.cli.bench import bench
from sandbox.cli.check import check
from sandbox.cli.classify import classify
from sandbox.cli.doctor import doctor
from sandbox.cli.evaluate import evaluate
from sandbox.cli.export import export
from sandbox.cli.list import list_members
from sandbox.cli.new import new
from sandbox.cli.play import play
from sandbox.cli.prune import prune
from sandbox.cli.push import push
from sandbox.cli.recall import recall
from sandbox.cli.reconstruct import reconstruct
from sandbox.cli.report import report
from sandbox.cli.resume import resume
from sandbox.cli.runs import runs
from sandbox.cli.sample import sample
from sandbox.cli.show import show
from sandbox.cli.sweep import sweep
from sandbox.cli.sync import sync
from sandbox.cli.train import train
from sandbox.cli.translate import translate
from sandbox.cli.traverse import traverse
from sandbox.cli.watch import watch
from sandbox.core.errors import UserError
from sandbox.core.messages import say
from sandbox.core.progress import progress

# Commands that take options of a config, each with an example of a first word.
_EXAMPLES = {
    "train": "catch_dqn",
    "sweep": "catch_dqn",
    "show": "catch_dqn",
    "play": "catch",
    "evaluate": "latest",
    "resume": "latest",
}
# Options of every command that are read before the command's own, as they are often misspelled.
_MISSPELLED = {"--member": "--members", "--module": "--trust"}
_MEMBERS = "With `--members PATH`, a file or a folder, it knows members of your own."
_WITHOUT_MEMBERS = ("sync", "bench", "new", "doctor", "export", "push", "prune")
_QUICK = ("list", "show", "runs")  # commands that usually take less than a second


class _Command(TyperCommand):
    """A command that shows its progress once its options have been read."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters; for completion, also those that every command takes."""
        return [*super().get_params(ctx), *(shared_parameters() if ctx.resilient_parsing else ())]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line.

        Raises:
            UserError: For an option of a config that is written with dashes, or a second word of a command that
                takes a person's own images; with the way to write it.
        """
        if ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        parameters = self.get_params(ctx)
        known = [option for each in parameters for option in (*each.opts, *each.secondary_opts)]
        if misspelled := [word for word in args if word in _MISSPELLED]:
            raise UserError(f"there is no option {misspelled[0]}. Did you mean '{_MISSPELLED[misspelled[0]]}'?")
        for index, word in enumerate(itertools.takewhile(lambda word: word != "--", args)):
            option, _, value = word.partition("=")
            if self.name in _EXAMPLES and option.startswith("--") and option not in known:
                if difflib.get_close_matches(option, known, cutoff=0.8):
                    break  # a misspelled option of the command, which the parser refuses
                first = args[0] if index else _EXAMPLES[self.name]
                value = value or next((each for each in args[index + 1 :][:1] if not each.startswith("--")), "N")
                written = [first, f"{option.strip('-').replace('-', '_')}={value}"]
                raise UserError(
                    f"`sandbox {self.name}` has no option {option}. Options of a config are written without dashes: "
                    f"`sandbox {self.name} {shlex.join(written)}`"
                )
        takes_images = "--from" in known
        ctx.allow_extra_args = ctx.allow_extra_args or takes_images
        rest = super().parse_args(ctx, args)
        if rest and takes_images:
            raise UserError(
                f"`sandbox {self.name}` takes one run, and nothing after it: got '{rest[0]}'. For your own images, a "
                f"file or a folder: `sandbox {self.name} {ctx.params['run']} --from {shlex.quote(rest[0])}`"
            )
        return rest

    def invoke(self, ctx: Any) -> Any:
        if not ctx.params.get("quiet"):
            progress.show(at_once=self.name not in _QUICK)
        return super().invoke(ctx)


app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: boxes break lines in pipes and narrow windows
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COMMANDS: dict[Callable[..., None], str] = {  # each with its line in the list of commands
    list_members: "List environments, agents, generators, data sets, configs.",
    show: "Show a member with its options, a config, or a run.",
    train: "Train an agent or a generator.",
    sweep: "Train several seeds and options, or search for the best.",
    resume: "Go on with a training that was stopped, or train further.",
    evaluate: "Evaluate a run: returns, likelihoods, sample quality.",
    watch: "Watch an agent play, or explore a generator.",
    play: "Play an environment with the keyboard.",
    sample: "Write samples of a generator as an image.",
    reconstruct: "Write test images or your own, encoded and decoded.",
    translate: "Write source images, translated by a generator.",
    traverse: "Write images along each latent of a generator.",
    recall: "Write damaged images, repaired by a generator.",
    classify: "Classify test images with a generator.",
    runs: "List runs, or compare some.",
    report: "Write a report about runs: one HTML page.",
    prune: "Free the disk of what finished runs no longer need.",
    sync: "Upload runs to Weights & Biases that were kept offline.",
    export: "Write a run's weights and card to a folder to hand on.",
    push: "Upload a run to the Hugging Face Hub.",
    bench: "Measure speed, next to other libraries.",
    new: "Write a short member of your own, to start from.",
    check: "Check that a member keeps its contracts.",
    doctor: "Check what this machine can do, and how fast it is.",
}
for _function, _short in _COMMANDS.items():
    _name = "list" if _function is list_members else None
    _epilog = None if _function.__name__ in _WITHOUT_MEMBERS else _MEMBERS
    app.command(_name, cls=_Command, short_help=_short, epilog=_epilog)(_function)


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"rl-sandbox {version('rl-sandbox')}")
        raise typer.Exit


@app.callback()
def _program(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Train agents and generative models, watch them, and play against them.

    \b
    sandbox list                               short; `sandbox list configs` etc.
    sandbox show dqn                           one of them, with its options
    sandbox train catch_dqn                    train: a config by name or file
    sandbox train catch_dqn agent.discount=0.9 with another option
    sandbox watch latest                       watch what it learned
    sandbox runs                               all runs
    sandbox report env=catch                   a report about runs
    """


def run(words: Sequence[str]) -> None:
    """Run a command line, or complete the one that a shell asks about.

    Raises:
        UserError: For a mistake of the user.
    """
    progress.hide()  # a wrong option prints its usage
    if is_completing():
        complete(app)
    sys.argv[1:] = take_members(take_trusted(words))
    app(prog_name="sandbox")
