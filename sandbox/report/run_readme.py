"""The card of a run: a README.md in its folder with what it came to, its curve, its film, and how to do it again."""

from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.report import markdown
from sandbox.report.build import build_report
from sandbox.report.document import Code, Document
from sandbox.report.run_record import RunRecord
from sandbox.storage.run_folder import RunFolder


def write_readme(folder: RunFolder) -> None:
    """Write it as the run is now, in place of an earlier one; if that cannot be, a note says so, and nothing ends."""
    try:
        markdown.write(run_readme(RunRecord.read(folder)), folder.readme)
    except (OSError, UserError) as error:
        note(f"{folder.readme} was not written: {error}")


def run_readme(record: RunRecord) -> Document:
    """A report on one run, and the commands that go on with it."""
    report = build_report([record], title=record.name)
    look = ["watch", "evaluate"] if record.is_agent else ["sample", "evaluate"]
    words = "\n".join(f"sandbox {command} {record.name}" for command in [*look, "resume"])
    return Document(record.name, [*report.blocks, Code("To go on with it", words, "shell")], report.left_out)
