"""Fixtures that several tests of the command line share."""

import pytest
from own_agent import AGENT


@pytest.fixture
def still(tmp_path):
    """A file with an agent, outside of the working folder."""
    folder = tmp_path.parent / f"{tmp_path.name}_elsewhere"
    folder.mkdir()
    (folder / "still.py").write_text(AGENT)
    return folder / "still.py"
