"""The page that plays an exported policy in the browser: the rules of its Catch, its server, and what it refuses."""

import importlib.util
import json
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from onnx import TensorProto, helper

from sandbox.envs.catch import COLUMNS, CatchConfig

PLAY = Path(__file__).parents[2] / "docs" / "play"
NODE = shutil.which("node")

# Plays recorded episodes by the page's rules and prints what came of them.
REPLAY = """
const { Catch } = await import(process.argv[1]);
const { options, column, actions } = JSON.parse(process.argv[2]);
const game = new Catch(options);
game.reset(column);
const steps = [{ seen: Array.from(game.observation()) }];
for (const action of actions) steps.push({ ...game.step(action), seen: Array.from(game.observation()) });
console.log(JSON.stringify(steps));
"""

# A policy with a state, in front of a model that returns what it was given.
STATEFUL = """
const { Policy } = await import(process.argv[1]);
class Tensor { constructor(type, data, dims) { Object.assign(this, { type, data, dims }); } }
const seen = [];
const session = { run: async (inputs) => {
  const given = Object.entries(inputs);
  seen.push(Object.fromEntries(given.map(([name, part]) => [name, [part.type, part.dims, [...part.data]]])));
  return {
    action: { data: [1n] }, q_values: { data: [0.5, 2] },
    next_state_recurrent_0: new Tensor("float32", new Float32Array([seen.length]), [1, 1]),
    next_state_action: new Tensor("float32", new Float32Array([0, 1]), [1, 2]),
  };
} };
const port = (name, dtype, shape) => ({ name, dtype, shape });
const inputs = [port("observation", "uint8", [2]), port("state_recurrent_0", "float32", [1]),
  port("state_action", "float32", [2]), port("state_reward", "float32", [])];
const policy = new Policy({ Tensor }, session, { inputs });
const thought = await policy.act(new Uint8Array([3, 4]));
policy.learn(0, -1);
await policy.act(new Uint8Array([5, 6]));
policy.reset();
await policy.act(new Uint8Array([7, 8]));
console.log(JSON.stringify({ thought, seen }));
"""


def node(script: str, *words: str) -> object:
    if NODE is None:
        pytest.skip("Node.js is not installed")
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", script, *words], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("observe", ["pixels", "features"])
@pytest.mark.parametrize("blind", [False, True], ids=["seeing", "blind"])
def test_the_pages_catch_is_ours(observe, blind):
    """On recorded episodes from two columns: the same observations, rewards and ends."""
    env, shown = CatchConfig(observe=observe, blind=blind).make(1), CatchConfig(observe="features").make(1)
    rng = np.random.default_rng(0)
    played = set()
    for seed in range(20):
        observations, _ = env.reset(seed=seed)
        column = int(shown.reset(seed=seed)[0][0, :COLUMNS].argmax())
        if column in played or len(played) == 2:
            continue
        played.add(column)
        actions, rows = [], [{"seen": observations[0].ravel().tolist()}]
        while not rows[-1].get("terminated"):
            actions.append(int(rng.integers(3)))
            observations, rewards, terminated, _, _ = env.step(np.array(actions[-1:]))
            rows.append({"reward": rewards[0], "terminated": terminated[0], "seen": observations[0].ravel().tolist()})
        options = {"observe": observe, "blind": blind}
        game = json.dumps({"options": options, "column": column, "actions": actions})
        assert node(REPLAY, (PLAY / "catch.mjs").as_uri(), game) == rows
    assert len(played) == 2


def test_the_page_carries_the_state_of_a_policy():
    found = node(STATEFUL, (PLAY / "policy.mjs").as_uri())
    assert found["thought"] == {"action": 1, "values": [0.5, 2]}
    first, second, third = found["seen"]
    assert first == {
        "observation": ["uint8", [1, 2], [3, 4]],
        "state_recurrent_0": ["float32", [1, 1], [0]],
        "state_action": ["float32", [1, 2], [0, 0]],
        "state_reward": ["float32", [1], [0]],
    }
    assert second["state_recurrent_0"][2] == [1]
    assert second["state_action"][2] == [1, 0]  # as was done, not as the policy wanted
    assert second["state_reward"][2] == [-1]
    assert third == first | {"observation": ["uint8", [1, 2], [7, 8]]}


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"play_{name}", PLAY / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_server_gives_its_files_to_those_who_know_the_address(tmp_path):
    serve = script("serve")
    for name in serve.TYPES:
        (tmp_path / name).write_text(name)
    (tmp_path / "secret").write_text("secret")
    server, address = serve.server(0, tmp_path)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def status(url, host=None):
        request = urllib.request.Request(url, headers={} if host is None else {"Host": host})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode(), answer.headers["Content-Type"]
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    try:
        assert server.server_address[0] == "127.0.0.1"
        assert status(address) == (200, "index.html", "text/html")
        assert status(address + "policy.onnx") == (200, "policy.onnx", "application/octet-stream")
        assert status(address + "secret") == 404
        assert status(address + "../secret") == 404
        root = address.rsplit("/", 2)[0]
        assert status(root + "/index.html") == 403
        assert status(root + "/guess/index.html") == 403
        assert status(address, host="evil.example") == 403
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_policy_of_another_environment_is_refused():
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    model = helper.make_model(helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [x], [y]))
    helper.set_model_props(model, {"kind": "policy", "env": '{"name": "pong", "wrappers": []}'})
    with pytest.raises(SystemExit, match=r"^error: the page plays policies of Catch without wrappers: "):
        script("build").described(model.SerializeToString())
    helper.set_model_props(model, {"kind": "policy", "env": '{"name": "catch", "wrappers": []}', "actions": '["left"]'})
    about = script("build").described(model.SerializeToString())
    assert (about["env"]["name"], about["actions"]) == ("catch", ["left"])


def test_without_npm_the_builder_says_what_is_needed(tmp_path, monkeypatch):
    build = script("build")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SystemExit) as stop:
        build.bring_runtime(tmp_path)
    assert str(stop.value) == (
        "error: npm is not installed; it brings onnxruntime-web. Install Node.js (https://nodejs.org)."
    )


def test_the_page_and_its_server_name_the_same_files():
    build, serve = script("build"), script("serve")
    assert set(serve.TYPES) == {*build.PAGE, *build.RUNTIME, "policy.onnx", "policy.json"}
