// The rules of Catch, as in envs/catch.py; a test plays both side by side.

export const ROWS = 10;
export const COLUMNS = 5;
export const LEFT = 0, STAY = 1, RIGHT = 2;

const SIDE = 84; // of the image that the agent sees, in pixels
const CELL = Math.floor((SIDE - 2) / ROWS);
const TOP = Math.floor((SIDE - ROWS * CELL) / 2);
const LEFT_EDGE = Math.floor((SIDE - COLUMNS * CELL) / 2);
const BALL_GRAY = 255, PADDLE_GRAY = 160, SIDE_GRAY = 64;

export class Catch {
  // `observe` is "pixels" or "features"; with `blind`, only the first observation of an episode shows the ball.
  constructor({ observe = "pixels", blind = false } = {}) {
    this.observe = observe;
    this.blind = blind;
    this.reset();
  }

  // Put the ball into a column of the top row, a random one by default, and the paddle into the middle.
  reset(column = Math.floor(Math.random() * COLUMNS)) {
    this.ballY = 0;
    this.ballX = column;
    this.paddle = Math.floor(COLUMNS / 2);
  }

  // Move the paddle, drop the ball by one row; the episode terminates when it lands.
  step(action) {
    this.paddle = Math.min(Math.max(this.paddle + action - STAY, 0), COLUMNS - 1);
    this.ballY += 1;
    const terminated = this.ballY === ROWS - 1;
    const reward = terminated ? (this.paddle === this.ballX ? 1 : -1) : 0;
    return { reward, terminated };
  }

  get showsBall() {
    return !this.blind || this.ballY === 0;
  }

  // What the agent sees: 84 x 84 gray bytes, or the 50 cells as floats.
  observation() {
    return this.observe === "pixels" ? this.pixels() : this.features();
  }

  features() {
    const cells = new Float32Array(ROWS * COLUMNS);
    cells[(ROWS - 1) * COLUMNS + this.paddle] = 1;
    if (this.showsBall) cells[this.ballY * COLUMNS + this.ballX] = 1;
    return cells;
  }

  pixels() {
    const image = new Uint8Array(SIDE * SIDE);
    fill(image, TOP, LEFT_EDGE - 1, ROWS * CELL, 1, SIDE_GRAY);
    fill(image, TOP, LEFT_EDGE + COLUMNS * CELL, ROWS * CELL, 1, SIDE_GRAY);
    fill(image, TOP + (ROWS - 1) * CELL, LEFT_EDGE + this.paddle * CELL, CELL, CELL, PADDLE_GRAY);
    if (this.showsBall) fill(image, TOP + this.ballY * CELL, LEFT_EDGE + this.ballX * CELL, CELL, CELL, BALL_GRAY);
    return image;
  }
}

function fill(image, top, left, height, width, gray) {
  for (let row = top; row < top + height; row++) image.fill(gray, row * SIDE + left, row * SIDE + left + width);
}
