import json
from typing import get_args

import pytest

from sandbox.cli._config_header import ConfigHeader
from sandbox.networks.backbone import AnyBackbone
from sandbox.runs import registry


def test_json_has_every_member_with_a_line_about_it(sandbox):
    said = sandbox("list", "--json")
    found = json.loads(said.out)
    assert list(found) == ["envs", "wrappers", "agents", "generators", "backbones", "datasets", "configs"]
    names = {group: [member["name"] for member in members] for group, members in found.items()}
    assert names["envs"] == registry.names("envs")
    assert names["wrappers"] == registry.names("wrappers")
    assert names["agents"] == registry.names("agents")
    assert names["generators"] == registry.names("generators")
    assert names["datasets"] == registry.names("data")
    assert names["configs"] == sorted(registry.configs())
    union = get_args(get_args(AnyBackbone)[0])
    assert names["backbones"] == sorted(config().name for config in union)
    for group, members in found.items():
        for member in members:
            assert list(member) == ["name", "description", *(["time", "needs"] if group == "configs" else [])]
            assert member["description"]


def test_all_names_fit_on_a_screen(sandbox):
    said = sandbox("list")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == f"environments ({len(registry.names('envs'))}; `sandbox list envs`)"
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 80
    everything = {name for files in (registry.configs(), registry.backbones()) for name in files}
    everything |= {name for family in registry.FAMILIES for name in registry.names(family)}
    assert everything <= set(said.out.replace(",", " ").split())


@pytest.mark.parametrize("group", ["envs", "env", "environments", "Agents", "datasets", "backbones", "configs"])
def test_a_group_has_a_line_for_each(sandbox, group):
    lines = sandbox("list", group).out.splitlines()
    assert all("  " in line for line in lines)
    assert len(lines) >= 4


def test_filters_are_words_of_a_line(sandbox):
    lines = sandbox("list", "configs", "drqn", "pong", "single").out.splitlines()
    assert [line.split()[0] for line in lines] == ["config", "atari_flicker_pong_drqn", "flicker_pong_drqn"]
    assert lines[1].split("  ")[1:3] == ["7 min on a GPU", "a GPU"]
    assert "  catch " in sandbox("list", "ball").out
    said = sandbox("list", "configs", "tetris")
    assert (said.code, said.err) == (2, "error: nothing among configs has tetris. See `sandbox list`.\n")
    assert "Did you mean 'agents'" in sandbox("list", "agnets").err


@pytest.mark.parametrize(
    ("header", "time"),
    [
        ("# Time: 2 h 22 min (seed 0) and 2 h 48 min (seed 1) on two cores.", "2 h 22 min"),
        ("# Time: 3.5 to 4.7 s to train, 7 to 8 s with the start.", "3.5 to 4.7 s"),
        ("# Time: about 22 min of one core", "22 min"),
        ("# Time: 7 min for the steps on one NVIDIA H200 that others shared.", "7 min on a GPU"),
        ("# Notes: 3 s", None),
    ],
)
def test_times_come_from_the_headers(tmp_path, header, time):
    file = tmp_path / "some.yaml"
    file.write_text(f"# A net.\n{header}\nsteps: 1\n# Time: 9 s\n")
    assert ConfigHeader.read(file).time == time


@pytest.mark.parametrize("name", ["catch_dqn", "pong_dqn"])
def test_configs_that_the_readme_times_say_it_too(name):
    assert ConfigHeader.read(registry.configs()[name]).time


def test_needs_come_from_the_files():
    needs = {name: ConfigHeader.read(file).needs for name, file in registry.configs().items()}
    assert needs["mnist_vae"] == ["MNIST"]
    assert needs["lunar_lander_rainbow"] == ["box2d"]
    assert needs["catch_dqn"] == []


def test_of_a_config_the_whole_first_sentence_is_shown(sandbox, tmp_path):
    """The sentence may span several lines; results and the command are left to `sandbox show`."""
    file = tmp_path / "some.yaml"
    file.write_text(
        "# A net of Vogel et al. 2019 (p = 0.25, one\n# seed) on points. Seen: much.\n#   sandbox train it\nsteps: 1\n"
    )
    assert registry.headline(file) == "A net of Vogel et al. 2019 (p = 0.25, one seed) on points."
    for name, config in registry.configs().items():
        assert registry.headline(config).endswith("."), name
        assert "sandbox " not in registry.headline(config), name
    pqn = next(line for line in sandbox("list", "configs").out.splitlines() if line.startswith("cart_pole_v1_pqn "))
    assert pqn.endswith("  3.5 to 4.7 s    -      PQN on Gymnasium's CartPole-v1.")
