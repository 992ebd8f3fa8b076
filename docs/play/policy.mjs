// An exported policy: an ONNX model, with its recurrent state if it has one.

const TYPES = { float32: Float32Array, uint8: Uint8Array };

export class Policy {
  // `about` is the metadata of the model; `ort` is onnxruntime-web.
  constructor(ort, session, about) {
    this.ort = ort;
    this.session = session;
    this.inputs = about.inputs;
    this.reset();
  }

  // Begin an episode: the state is zeros.
  reset() {
    this.state = {};
    for (const { name, dtype, shape } of this.inputs.slice(1)) {
      const size = shape.reduce((product, side) => product * side, 1);
      this.state[name] = new this.ort.Tensor(dtype, new TYPES[dtype](size), [1, ...shape]);
    }
  }

  // Return the best action and the value of every action, and go on to the next state.
  async act(observation) {
    const { name, dtype, shape } = this.inputs[0];
    const newest = new this.ort.Tensor(dtype, observation, [1, ...shape]);
    const outputs = await this.session.run({ [name]: newest, ...this.state });
    for (const key of Object.keys(this.state)) this.state[key] = outputs[`next_${key}`] ?? this.state[key];
    return { action: Number(outputs.action.data[0]), values: Array.from(outputs.q_values.data) };
  }

  // Tell the policy what was done and what came of it, for those that look at it.
  learn(action, reward) {
    if ("state_action" in this.state) this.state.state_action.data.fill(0)[action] = 1;
    if ("state_reward" in this.state) this.state.state_reward.data[0] = reward;
  }
}
