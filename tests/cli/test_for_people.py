"""Titles, goals, actions and keys in `sandbox show`."""

import json

from sandbox.runs import registry


def test_show_prints_them(sandbox):
    lines = [" ".join(line.split()) for line in sandbox("show", "pong").out.splitlines()]
    start = lines.index("for people")
    assert lines[start + 1 : start + 6] == [
        "title Pong",
        "goal Get the ball past the other paddle. The first player with 21 points wins.",
        "you are the blue paddle on the right",
        "actions 0 stay, 1 up, 2 down",
        "keys up down: move",
    ]


def test_every_environment_without_needed_options_has_them(sandbox):
    for name in registry.names("envs"):
        about = json.loads(sandbox("show", name, "--json").out)
        assert ("for_people" in about) == (name != "gym")
        if name != "gym":
            assert set(about["for_people"]) >= {"title", "goal", "actions", "keys"}
