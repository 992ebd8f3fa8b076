// The page: the game, who plays it, and the policy's values. Everything runs here in the browser.

import * as ort from "./ort.wasm.bundle.min.mjs";
import { Catch, COLUMNS, LEFT, RIGHT, ROWS, STAY } from "./catch.mjs";
import { Policy } from "./policy.mjs";

const CELL = 80, MARGIN = 40; // of the drawn game, in pixels
const KEYS = { ArrowLeft: LEFT, a: LEFT, ArrowRight: RIGHT, d: RIGHT };
const PAUSE = 600; // milliseconds between episodes

const byId = (id) => document.getElementById(id);
const held = [];
const scores = { agent: { caught: 0, games: 0 }, person: { caught: 0, games: 0 } };
let player = "agent";

ort.env.wasm.numThreads = 1; // more need headers that isolate the page, and gain nothing here
ort.env.wasm.wasmPaths = { wasm: new URL("ort-wasm-simd-threaded.wasm", import.meta.url).href };

async function start() {
  const about = await (await fetch("policy.json")).json();
  const session = await ort.InferenceSession.create("policy.onnx");
  const game = new Catch(about.env);
  const policy = new Policy(ort, session, about);
  byId("about").textContent = `${about.run}, step ${about.step}: ${about.command}`;
  choose("agent");
  for (;;) await episode(game, policy, about.actions);
}

async function episode(game, policy, actions) {
  game.reset();
  policy.reset();
  const who = player;
  for (let terminated = false; !terminated; ) {
    draw(game);
    const thought = await policy.act(game.observation());
    showValues(thought, actions);
    await wait(1000 / Number(byId("speed").value));
    if (who !== player) return; // somebody else plays the next episode
    const action = player === "agent" ? thought.action : (held.at(-1) ?? STAY);
    const result = game.step(action);
    policy.learn(action, result.reward);
    terminated = result.terminated;
    if (terminated) count(who, result.reward > 0);
  }
  draw(game);
  await wait(PAUSE);
}

function draw(game) {
  const context = byId("game").getContext("2d");
  const rectangle = (x, y, width, height, color) => {
    context.fillStyle = color;
    context.fillRect(x, y, width, height);
  };
  rectangle(0, 0, 2 * MARGIN + COLUMNS * CELL, 2 * MARGIN + ROWS * CELL, "#2c3654");
  rectangle(MARGIN, MARGIN, COLUMNS * CELL, ROWS * CELL, "#0f1428");
  if (player === "agent" || game.showsBall) {
    rectangle(MARGIN + game.ballX * CELL + 16, MARGIN + game.ballY * CELL + 16, 48, 48, "#ff7f66");
  }
  rectangle(MARGIN + game.paddle * CELL, MARGIN + (ROWS - 1) * CELL + 52, CELL, 28, "#5caaff");
  const gray = game.pixels();
  const seen = new ImageData(84, 84);
  gray.forEach((value, place) => seen.data.set([value, value, value, 255], 4 * place));
  byId("seen").getContext("2d").putImageData(seen, 0, 0);
}

// Bars from -1 to 1, the worst and the best return.
function showValues({ action, values }, actions) {
  byId("bars").replaceChildren(...values.map((value, number) => {
    const row = document.createElement("div");
    row.className = number === action ? "bar best" : "bar";
    const width = (100 * (Math.min(Math.max(value, -1), 1) + 1)) / 2;
    row.innerHTML = '<span></span><svg><rect height="100%"></rect></svg><output></output>';
    row.querySelector("span").textContent = actions[number];
    row.querySelector("rect").setAttribute("width", `${width}%`);
    row.querySelector("output").textContent = value.toFixed(2);
    return row;
  }));
}

function count(who, caught) {
  scores[who].games += 1;
  scores[who].caught += caught ? 1 : 0;
  byId(`${who}-games`).textContent = scores[who].games;
  byId(`${who}-caught`).textContent = scores[who].caught;
}

function choose(who) {
  player = who;
  held.length = 0;
  for (const name of ["agent", "person"]) byId(name).setAttribute("aria-pressed", String(name === who));
  byId("help").textContent = who === "agent" ? "Press an arrow key, or the game, to take over." :
    "Move with the arrow keys, or press the left or the right half of the game.";
}

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function press(action) {
  if (player !== "person") choose("person");
  if (!held.includes(action)) held.push(action);
}

function release(action) {
  const place = held.indexOf(action);
  if (place >= 0) held.splice(place, 1);
}

byId("agent").addEventListener("click", () => choose("agent"));
byId("person").addEventListener("click", () => choose("person"));
addEventListener("keydown", (event) => {
  if (!(event.key in KEYS) || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  press(KEYS[event.key]);
});
addEventListener("keyup", (event) => event.key in KEYS && release(KEYS[event.key]));
addEventListener("blur", () => { held.length = 0; });
byId("game").addEventListener("pointerdown", (event) => press(2 * event.offsetX < event.target.clientWidth ? LEFT : RIGHT));
addEventListener("pointerup", () => { held.length = 0; });

start().catch((error) => { byId("help").textContent = `The policy cannot be loaded: ${error.message}`; });
