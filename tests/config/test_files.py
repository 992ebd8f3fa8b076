from pathlib import Path

import pytest

from sandbox.config.files import is_option, load, split, to_yaml
from sandbox.core.errors import UserError
from sandbox.optimizers.adam import Adam


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a file into the current folder, so that messages show its bare name."""
    monkeypatch.chdir(tmp_path)

    def write(name, text):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return name

    return write


def refused(files, overrides=(), known=None):
    with pytest.raises(UserError) as error:
        load(files, overrides, known or {})
    return str(error.value)


def test_split():
    words = ["catch_dqn", "a=b/c.yaml", "agent.lr=3e-4", "x/a=b.yaml", "seed"]
    assert split(words) == (["catch_dqn", "x/a=b.yaml", "seed"], ["a=b/c.yaml", "agent.lr=3e-4"])


def test_what_exists_is_no_option(write, tmp_path):
    write("lr=0.1.yaml", "steps: 1\n")
    (tmp_path / "sweep" / "lr=0.1" / "dqn").mkdir(parents=True)
    (tmp_path / "runs" / "lr=2").mkdir(parents=True)
    assert split(["lr=0.1.yaml", "lr=0.2.yaml"]) == (["lr=0.1.yaml"], ["lr=0.2.yaml"])
    words = ["sweep/lr=0.1/dqn", "sweep/lr=0.2/dqn", "lr=0.1.yaml", "lr=2", "lr=3", "env=catch", "data.root=/a/b"]
    options = [word for word in words if is_option(word, tmp_path / "runs")]
    assert options == ["lr=3", "env=catch", "data.root=/a/b"]


def test_files_merge_left_to_right_and_everything_but_mappings_is_replaced(write):
    write("a.yaml", "seed: 1\nagent:\n  lr: 0.1\n  betas: [1, 2]\n  deep: {x: 1, y: 2}\n")
    write("b.yaml", "agent:\n  betas: [3]\n  deep: {y: 5}\n")
    raw, origins = load(["a.yaml", "b.yaml"], [], {})
    assert raw == {"seed": 1, "agent": {"lr": 0.1, "betas": [3], "deep": {"x": 1, "y": 5}}}
    where = {".".join(map(str, path)): str(origin) for path, origin in origins.items()}
    assert where == {
        "": "a.yaml + b.yaml",
        "seed": "a.yaml:1",
        "agent": "a.yaml:2",
        "agent.lr": "a.yaml:3",
        "agent.betas": "b.yaml:2",
        "agent.betas.0": "b.yaml:2",
        "agent.deep": "a.yaml:5",
        "agent.deep.x": "a.yaml:5",
        "agent.deep.y": "b.yaml:3",
    }


def test_overrides_come_last_and_are_yaml(write):
    write("a.yaml", "agent: {lr: 0.1, sizes: [1, 2]}\nname: old\n")
    raw, origins = load(
        ["a.yaml"], ["agent.lr=3e-4", "agent.sizes=[5, 6]", "name=", "logger.wandb=off", "x={y: 1}"], {}
    )
    assert raw == {"agent": {"lr": 3e-4, "sizes": [5, 6]}, "name": None, "logger": {"wandb": "off"}, "x": {"y": 1}}
    assert str(origins["agent", "lr"]) == "command line: agent.lr=3e-4"
    assert str(origins["agent", "sizes", 1]) == "command line: agent.sizes=[5, 6]"
    assert str(origins["x", "y"]) == "command line: x={y: 1}"


@pytest.mark.parametrize("overrides", [["agent.name=drqn", "agent.lr=2"], ["agent.lr=2", "agent.name=drqn"]])
def test_another_member_replaces_the_section_whole_in_any_order(write, overrides):
    write("a.yaml", "name: mine\nagent: {name: dqn, stack: 4, lr: 1, backbone: {name: mlp, hidden: [3]}}\n")
    raw, origins = load(["a.yaml"], overrides, {})
    assert raw == {"name": "mine", "agent": {"name": "drqn", "lr": 2}}
    assert ("agent", "stack") not in origins


def test_the_same_member_keeps_its_options_and_the_runs_own_name_is_no_member(write):
    write("a.yaml", "name: mine\nagent: {name: dqn, lr: 1}\n")
    write("b.yaml", "name: yours\nagent: {name: dqn, stack: 2}\n")
    raw, _ = load(["a.yaml", "b.yaml"], [], {})
    assert raw == {"name": "yours", "agent": {"name": "dqn", "lr": 1, "stack": 2}}


def test_an_inner_member_is_replaced_too(write):
    write("a.yaml", "agent: {name: dqn, backbone: {name: nature, channels: [1, 2, 3]}}\n")
    raw, _ = load(["a.yaml"], ["agent.backbone.name=mlp"], {})
    assert raw == {"agent": {"name": "dqn", "backbone": {"name": "mlp"}}}


WRAPPERS = "env: {wrappers: [{noise: {std: 0.1}}, {flicker: {p: 0.5, q: 1}}, {limit: {steps: 9}}]}\n"


@pytest.mark.parametrize("key", ["env.wrappers.flicker.p", "env.wrappers.1.flicker.p"])
def test_an_item_of_a_list_is_found_by_its_only_key_or_its_index(write, key):
    write("a.yaml", WRAPPERS)
    raw, origins = load(["a.yaml"], [f"{key}=0.9"], {})
    assert raw["env"]["wrappers"] == [{"noise": {"std": 0.1}}, {"flicker": {"p": 0.9, "q": 1}}, {"limit": {"steps": 9}}]
    where = ("env", "wrappers", 1, "flicker")
    assert str(origins[*where, "p"]) == f"command line: {key}=0.9"
    assert str(origins[*where, "q"]) == "a.yaml:1"
    assert not any("flicker" in path and path[: len(where)] != where for path in origins)


def test_plain_items_and_several_at_once(write):
    write("a.yaml", "betas: [0.9, 0.999]\n" + WRAPPERS)
    raw, _ = load(["a.yaml"], ["betas.1=0.5", "env.wrappers={noise: {std: 1}, limit: {steps: 2}}"], {})
    assert raw["betas"] == [0.9, 0.5]
    assert raw["env"]["wrappers"] == [{"noise": {"std": 1}}, {"flicker": {"p": 0.5, "q": 1}}, {"limit": {"steps": 2}}]


def test_a_list_is_replaced_where_a_key_finds_nothing(write):
    write("a.yaml", WRAPPERS)
    assert load(["a.yaml"], ["env.wrappers.3.noise=1"], {})[0] == {"env": {"wrappers": {"3": {"noise": 1}}}}
    assert load(["a.yaml"], ["env.wrappers.p=1"], {})[0] == {"env": {"wrappers": {"p": 1}}}


def test_two_items_of_one_name(write):
    write("a.yaml", "env: {wrappers: [{flicker: {p: 0}}, {noise: {}}, {flicker: {p: 1}}]}\n")
    assert refused(["a.yaml"], ["env.wrappers.flicker.p=1"]) == (
        "command line: env.wrappers.flicker.p=1: env.wrappers has 2 items called flicker; "
        "say which one: env.wrappers.0.flicker or env.wrappers.2.flicker."
    )


def test_a_known_name_is_its_file_and_a_path_is_a_path(write, tmp_path):
    write("shipped.yaml", "seed: 1\n")
    write("catch.yaml", "seed: 2\n")
    known = {"catch": tmp_path / "shipped.yaml"}
    assert load(["catch"], [], known)[0] == {"seed": 1}
    assert load(["catch.yaml"], [], known)[0] == {"seed": 2}
    assert load(["./catch.yaml"], [], known)[0] == {"seed": 2}
    assert str(load(["catch"], [], known)[1]["seed",]) == "shipped.yaml:1"


def test_a_byte_order_mark_is_no_part_of_the_first_key(write):
    write("a.yaml", b"\xef\xbb\xbfseed: 1\n")
    assert load(["a.yaml"], [], {})[0] == {"seed": 1}


def test_files_that_are_none(write, tmp_path):
    known = {"catch_dqn": tmp_path / "x.yaml", "pong_dqn": tmp_path / "y.yaml"}
    write("run", "")
    end = "See `sandbox list configs`. Options are written key=value."
    assert refused(["cacth_dqn"], known=known) == f"no config is called 'cacth_dqn'. Did you mean 'catch_dqn'? {end}"
    assert refused(["../catch_dqm.yml"], known=known) == (
        f"no config file '../catch_dqm.yml'. Did you mean 'catch_dqn'? {end}"
    )
    assert refused(["seed"], known=known) == f"no config is called 'seed'. {end}"
    assert refused(["x" * 5_000 + ".yaml"]).startswith("no config file 'xxxxx")
    assert refused(["a\0.yaml"]).startswith("no config file 'a\\x00.yaml'.")


def test_a_folder_is_no_config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("one").mkdir()
    assert refused(["one"]) == "one is a folder."
    Path("one/config.yaml").touch()
    assert refused(["one"]) == "one is a folder. Did you mean 'one/config.yaml'?"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"seed: 1\n\x89PNG\r\n", "f.yaml:2: byte 0x89 is not UTF-8 text. Is this YAML?"),
        (b"seed: 1\nx\0\0", "f.yaml:2: character 0x00 is not allowed in YAML."),
        (b"", "f.yaml: a config is a mapping of options, such as `steps: 1000`, but this is empty."),
        (b"# later\n", "f.yaml: a config is a mapping of options, such as `steps: 1000`, but this is empty."),
        (b"- a\n", "f.yaml: a config is a mapping of options, such as `steps: 1000`, but this is a list."),
        (b"hello\n", "f.yaml: a config is a mapping of options, such as `steps: 1000`, but this is a single value."),
        (b"a: 1\n\tb: 2\n", "f.yaml:2:1: not YAML: found character '\\t' that cannot start any token."),
    ],
)
def test_files_that_are_no_config(write, text, message):
    write("f.yaml", text)
    assert refused(["f.yaml"]) == message


def test_a_file_that_cannot_be_read(write, monkeypatch):
    write("f.yaml", "seed: 1\n")

    def deny(path, mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", deny)
    assert refused(["f.yaml"]) == "f.yaml: cannot be read: Permission denied."


@pytest.mark.parametrize("word", ["agent..lr=3", ".lr=3", "lr"])
def test_overrides_that_are_none(word):
    message = f"command line: {word}: an option is written key=value, such as agent.optimizer.lr=3e-4."
    assert refused([], [word]) == message


def test_overrides_whose_value_is_no_yaml():
    assert refused([], ["a=[1"]) == "command line: a=[1: not YAML: expected ',' or ']', but got '<stream end>'."
    assert refused([], ["a={b: 1, b: 2}"]) == "command line: a={b: 1, b: 2}: the key 'b' comes twice."


def test_a_config_is_written_with_all_its_defaults():
    text = "name: adam\nlr: 0.0003\nbetas: [0.9, 0.999]\neps: 1.0e-08\nclip_norm: null\nlr_decay_steps: null\n"
    assert to_yaml(Adam(lr=3e-4)) == text
