import math
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.config.yaml_text import dump, parse, scalar
from sandbox.core.errors import UserError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3e-4", 3e-4),
        ("1e6", 1_000_000),
        ("2.5e3", 2_500),
        ("20_000", 20_000),
        ("-7", -7),
        ("010", 10),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e20", 1e20),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("1:30", "1:30"),
        ("2020-01-01", "2020-01-01"),
        ("0x10", "0x10"),
        ("1__0", "1__0"),
        ("_1", "_1"),
        ("e5", "e5"),
        ("inf", "inf"),
        (".inf", math.inf),
        ("9" * 5_000, "9" * 5_000),
    ],
)
def test_scalars(text, value):
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


def test_quotes_make_text():
    assert parse("""{a: "3", b: '3e-4', c: "true"}""", "x")[0] == {"a": "3", "b": "3e-4", "c": "true"}


def test_keys_are_text():
    assert parse("{3: a, on: b, null: c}", "x")[0] == {"3": "a", "on": "b", "null": "c"}


def test_every_key_and_item_remembers_its_line():
    _, origins = parse("a: 1\nb:\n  c:\n    2\n  d: [3,\n    4]\n", "f.yaml")
    lines = {path: str(origin) for path, origin in origins.items()}
    assert lines == {
        ("a",): "f.yaml:1",
        ("b",): "f.yaml:2",
        ("b", "c"): "f.yaml:3",
        ("b", "d"): "f.yaml:5",
        ("b", "d", 0): "f.yaml:5",
        ("b", "d", 1): "f.yaml:6",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key 'a' comes twice; first on line 1."),
        ("a: b: c\n", "f.yaml:1:5: not YAML: mapping values are not allowed here."),
        ("a: [1, 2\nb: 3\n", "f.yaml:2:2: not YAML: expected ',' or ']', but got ':'."),
        ("a: !!python/object:os.system x\n", "f.yaml:1:4: tags (!!python/object:os.system) are not supported."),
        ("a: !!int '3'\n", "f.yaml:1:4: tags (!!int) are not supported."),
        ("a: &x 1\nb: *x\n", "f.yaml:1:4: aliases (*name) are not supported; write the value again."),
        ("a: &x [*x]\n", "f.yaml:1:4: aliases (*name) are not supported; write the value again."),
        ("? [a]\n: 1\n", "f.yaml:1:3: a key must be a single word."),
        ("a: 1\nb: \0\n", "f.yaml:2: character 0x00 is not allowed in YAML."),
        ("a: 1\n--- \nb: 2\n", "f.yaml:2:1: not YAML: but found another document."),
        ("[" * 5_000, "f.yaml: nested too deeply for a config."),
    ],
)
def test_what_is_not_our_yaml(text, message):
    with pytest.raises(UserError) as error:
        parse(text, "f.yaml")
    assert str(error.value) == message


_text = st.text(alphabet=string.printable + "äßλ✓", max_size=12)
_plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4),
    max_leaves=12,
)


@given(_plain)
def test_dump_is_read_back(value):
    back, _ = parse(dump({"top": value}), "x")
    assert back == {"top": value}
    assert repr(back["top"]) == repr(value) or isinstance(value, dict | list)  # 1 is not True, nor 1.0


@pytest.mark.parametrize(
    "text", ["3e-4", "1e6", "no", "off", "null", "1_000", "", "2020-01-01", "a\nb", " a", "#", "*x"]
)
def test_text_that_looks_like_something_else_is_read_back(text):
    assert parse(dump([text]), "x")[0] == [text]


def test_dump_puts_the_name_first_and_lists_on_one_line():
    assert dump({"b": 1, "s": {"x": (2.5, None), "name": "m"}}) == "b: 1\ns:\n  name: m\n  x: [2.5, null]\n"
