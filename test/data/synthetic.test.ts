// The drawn characters: what rlvae sequences must be like, measured on the pictures themselves.

import { describe, expect, test } from "bun:test";
import { extractCyclic, FRAME_VALUES, readSequences, SEQUENCE_VALUES, syntheticSource } from "@cleanloop/data";
import type { SpriteSet } from "@cleanloop/data";

const CHARACTERS = 1296;
const source = syntheticSource(["slash"]);

/** Every 9th character of a direction (0 front, 1 left, 2 right). */
const sample = (direction: number): SpriteSet =>
  readSequences(
    source,
    Array.from({ length: CHARACTERS / 9 }, (_, index) => direction * CHARACTERS + index * 9 + (index % 9)),
  );
const samples = [0, 1, 2].map(sample);

const frameOf = (set: SpriteSet, row: number, time: number) =>
  set.frames.subarray(row * SEQUENCE_VALUES + time * FRAME_VALUES, row * SEQUENCE_VALUES + (time + 1) * FRAME_VALUES);

function stepMse(set: SpriteSet, from: number, to: number): number {
  let sum = 0;
  for (let row = 0; row < set.count; row++) {
    const first = frameOf(set, row, from);
    const second = frameOf(set, row, to);
    for (let index = 0; index < FRAME_VALUES; index++) sum += ((first[index] - second[index]) / set.byteScale) ** 2;
  }
  return sum / (set.count * FRAME_VALUES);
}

/** Pixels that are not pure black, as [x, y], in one frame. */
function foreground(frame: Uint8Array): [number, number][] {
  const pixels: [number, number][] = [];
  for (let pixel = 0; pixel < 4096; pixel++) {
    if (frame[pixel] + frame[pixel + 4096] + frame[pixel + 8192] > 0) pixels.push([pixel % 64, pixel >> 6]);
  }
  return pixels;
}

function bounds(set: SpriteSet, times: number[]) {
  const pixels = Array.from({ length: set.count }, (_, row) =>
    times.flatMap((time) => foreground(frameOf(set, row, time))),
  ).flat();
  const columns = pixels.map(([x]) => x);
  const rows = pixels.map(([, y]) => y);
  const low = (values: number[]) => values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = (values: number[]) => values.reduce((most, value) => Math.max(most, value), -Infinity);
  return { left: low(columns), right: high(columns), top: low(rows), bottom: high(rows) };
}

const within = (value: number, wanted: number, part: number) => Math.abs(value - wanted) <= part * wanted;

describe("the slash, against the statistics of the published sprites", () => {
  // Means over the 1296 published characters: foreground, pixel mean, pixel variance, MSE of the seven steps.
  const published = [
    {
      foreground: 0.252,
      mean: 0.1016,
      variance: 0.05556,
      steps: [0.013, 0.0265, 0.0354, 0.0212, 0.0073, 0.0073, 0.0393],
    },
    {
      foreground: 0.225,
      mean: 0.08788,
      variance: 0.04823,
      steps: [0.0275, 0.0198, 0.0136, 0.017, 0.0023, 0.0023, 0.0355],
    },
    {
      foreground: 0.225,
      mean: 0.08747,
      variance: 0.048,
      steps: [0.0275, 0.0197, 0.0136, 0.0169, 0.0023, 0.0023, 0.0354],
    },
  ];

  test.each([0, 1, 2])("direction %d: foreground, mean and variance within 30 percent", (direction) => {
    const set = samples[direction];
    const values = set.frames.length;
    let sum = 0;
    let squares = 0;
    for (const byte of set.frames) {
      sum += byte / set.byteScale;
      squares += (byte / set.byteScale) ** 2;
    }
    const mean = sum / values;
    let visible = 0;
    for (let frame = 0; frame < set.count * 8; frame++) {
      visible += foreground(set.frames.subarray(frame * FRAME_VALUES, (frame + 1) * FRAME_VALUES)).length;
    }
    expect(within(visible / (set.count * 8 * 4096), published[direction].foreground, 0.3)).toBe(true);
    expect(within(mean, published[direction].mean, 0.3)).toBe(true);
    expect(within(squares / values - mean * mean, published[direction].variance, 0.3)).toBe(true);
  });

  test.each([0, 1, 2])("direction %d: every step within 30 percent, the last one the largest", (direction) => {
    const steps = Array.from({ length: 7 }, (_, time) => stepMse(samples[direction], time, time + 1));
    steps.forEach((step, time) =>
      expect(within(step, published[direction].steps[time], 0.3), `step ${time}: ${step}`).toBe(true),
    );
    expect(Math.max(...steps)).toBe(steps[6]);
  });

  test.each([0, 1, 2])("direction %d: pose order p0 p1 p2 p3 p4 p5 p4 p0, byte for byte", (direction) => {
    const set = samples[direction];
    for (let row = 0; row < set.count; row++) {
      expect(Buffer.compare(frameOf(set, row, 7), frameOf(set, row, 0))).toBe(0);
      expect(Buffer.compare(frameOf(set, row, 6), frameOf(set, row, 4))).toBe(0);
    }
    for (const [first, second] of [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
    ])
      expect(stepMse(set, first, second)).toBeGreaterThan(1e-3);
  });

  test("the figure stands in its box and the arm leaves it by about 12 pixels", () => {
    const standing = samples.map((set) => bounds(set, [0]));
    const reaching = samples.map((set) => bounds(set, [4, 5]));
    for (const { top, bottom, left, right } of standing) {
      expect(top).toBeGreaterThanOrEqual(8);
      expect(top).toBeLessThanOrEqual(13);
      expect(bottom).toBe(62);
      expect(left).toBeGreaterThanOrEqual(16);
      expect(right).toBeLessThanOrEqual(48);
    }
    const arm = [
      reaching[0].right - standing[0].right,
      standing[1].left - reaching[1].left,
      reaching[2].right - standing[2].right,
    ];
    for (const reach of arm) expect(Math.abs(reach - 12)).toBeLessThanOrEqual(2);
  });

  test("a frame has 30 to 60 colours and no half-transparent edges", () => {
    const palette = new Set<number>();
    for (const set of samples) {
      for (let row = 0; row < set.count; row += 5) {
        const frame = frameOf(set, row, 3);
        const colors = new Set(
          Array.from(
            { length: 4096 },
            (_, pixel) => (frame[pixel] << 16) | (frame[pixel + 4096] << 8) | frame[pixel + 8192],
          ),
        );
        expect(colors.size).toBeGreaterThanOrEqual(30);
        expect(colors.size).toBeLessThanOrEqual(60);
        for (const color of colors) palette.add(color);
      }
    }
    // Hard edges: all frames together use the few hundred tones of the palette, no blends.
    expect(palette.size).toBeLessThan(260);
  });

  test("a static guess is far from enough: the own mean frame leaves about what it leaves of the published set", () => {
    let left = 0;
    let count = 0;
    for (const set of samples) {
      for (let row = 0; row < set.count; row++, count++) {
        for (let index = 0; index < FRAME_VALUES; index++) {
          let sum = 0;
          let squares = 0;
          for (let time = 0; time < 8; time++) {
            const value = set.frames[row * SEQUENCE_VALUES + time * FRAME_VALUES + index] / set.byteScale;
            sum += value;
            squares += value * value;
          }
          left += squares - (sum * sum) / 8;
        }
      }
    }
    expect(within(left / count, 1045, 0.3)).toBe(true);
  });
});

test("who somebody is can be read from frame 0: all 3888 first frames differ", () => {
  const seen = new Set<string>();
  const sequence = new Uint8Array(SEQUENCE_VALUES);
  for (let index = 0; index < source.count; index++) {
    source.read(index, sequence, 0);
    seen.add(String(Bun.hash(sequence.subarray(0, FRAME_VALUES))));
  }
  expect(source.count).toBe(3888);
  expect(seen.size).toBe(3888);
});

test("facing right is facing left in a mirror", () => {
  for (let row = 0; row < samples[1].count; row += 7) {
    const left = samples[1].frames.subarray(row * SEQUENCE_VALUES, (row + 1) * SEQUENCE_VALUES);
    const mirrored = left.map((_, index) => left[index - (index % 64) + 63 - (index % 64)]);
    expect(
      Buffer.compare(mirrored, samples[2].frames.subarray(row * SEQUENCE_VALUES, (row + 1) * SEQUENCE_VALUES)),
    ).toBe(0);
  }
});

test("walk and spellcast do not close, so the extractor finds exactly the slash: one third", async () => {
  const all = syntheticSource(["walk", "spellcast", "slash"]);
  const every27 = Array.from({ length: all.count / 27 }, (_, index) => index * 27);
  const { attributes, actions, frames } = readSequences(all, every27);
  const subset = {
    ...all,
    count: every27.length,
    attributes,
    actions,
    read: (index: number, out: Uint8Array, offset: number) =>
      out.set(frames.subarray(index * SEQUENCE_VALUES, (index + 1) * SEQUENCE_VALUES), offset),
  };
  const { indices, mse } = await extractCyclic(subset);
  expect(indices.length * 3).toBe(subset.count);
  expect(Array.from(indices).every((index) => actions?.[index] === 2)).toBe(true);
  const others = Array.from(mse).filter((_, index) => actions?.[index] !== 2);
  expect(Math.min(...others)).toBeGreaterThan(1e-3);
});

test("the pictures do not change unnoticed", () => {
  const hash = new Bun.CryptoHasher("sha256");
  for (const set of samples) hash.update(set.frames);
  expect(hash.digest("hex")).toMatchInlineSnapshot(
    `"7f997cd1ead7be8fe441851a4f30c93efe9580aa456320a27d3a5b7feb7cf34d"`,
  );
});
