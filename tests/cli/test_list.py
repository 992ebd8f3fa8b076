import json
from typing import get_args

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
    for members in found.values():
        for member in members:
            assert list(member) == ["name", "description"]
            assert member["description"]


def test_every_member_is_a_line(sandbox):
    said = sandbox("list")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "envs"
    assert any(line.startswith("  catch ") and "a ball falls" in line for line in lines)


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
    pqn = "PQN on Gymnasium's CartPole-v1."
    assert f"  {'cart_pole_v1_pqn':<34}  {pqn}" in sandbox("list").out.splitlines()
