"""The README.md in a run folder: results, learning curve, video, and the commands to reproduce and to continue."""

from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.report import markdown
from sandbox.report.build import build_report
from sandbox.report.document import Code, Document
from sandbox.report.run_record import RunRecord
from sandbox.storage.run_folder import RunFolder


def write_readme(folder: RunFolder) -> None:
    """Write the README of a run in its present state, in place of an earlier one.

    A README that cannot be written is no reason to end a training: a note then says why.
    """
    try:
        markdown.write(run_readme(RunRecord.read(folder)), folder.readme)
    except (OSError, UserError) as error:
        note(f"{folder.readme} was not written: {error}")


def run_readme(record: RunRecord) -> Document:
    """Return the report on one run, followed by the commands that use the run."""
    report = build_report([record], title=record.name)
    commands = ["watch", "evaluate", "resume"] if record.is_agent else ["sample", "evaluate", "resume"]
    lines = "\n".join(f"sandbox {command} {record.name}" for command in commands)
    return Document(record.name, [*report.blocks, Code("Commands for this run", lines, "shell")], report.left_out)
