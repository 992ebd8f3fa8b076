"""The reading of pages: fences, directives, and commands with comments, quotation marks and several lines."""

from docs.pages import Block, Command, Page

TEXT = """# Title

Type `OMP_NUM_THREADS=1 sandbox bench envs`, not `sand` or `a sandbox`.

```
# a comment
A=1 make setup && sandbox train catch_dqn env='{name: catch}' \\
    steps=5    # five steps
```

:::{note}
```console
$ sandbox list
catch    a small game
```
:::

````{tip}
| a | b |
|---|---|
| `sandbox show dqn` | c |

```{code-block} python
:caption: envs/mine.py

x = 1
```
````

Save it as `my_envs.py`:

```python
y = 2
```

```text
sandbox nothing
```
"""


def test_commands_and_blocks_of_a_page() -> None:
    page = Page("page.md", TEXT)
    assert page.commands == [
        Command(3, ("sandbox", "bench", "envs"), True),
        Command(7, ("make", "setup"), False),
        Command(7, ("sandbox", "train", "catch_dqn", "env={name: catch}", "steps=5"), False),
        Command(13, ("sandbox", "list"), False),
        Command(21, ("sandbox", "show", "dqn"), True),
    ]
    assert page.snippets == [
        Block("python", "x = 1\n", 26, "envs/mine.py"),
        Block("python", "y = 2\n", 33, "my_envs.py"),
    ]
    assert TEXT.splitlines()[25] == "x = 1"
