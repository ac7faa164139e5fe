// Bytes to batches: exact values, layout, ranges.

import { expect, test } from "bun:test";
import {
  DataError,
  fillBatch,
  fillFrames,
  firstLastMse,
  FRAME_VALUES,
  joinSources,
  Random,
  readSequences,
  SEQUENCE_VALUES,
  syntheticSource,
} from "@cleanloop/data";
import type { SpriteSet } from "@cleanloop/data";

function randomSet(count: number, byteScale: 255 | 256): SpriteSet {
  const random = new Random(count);
  const frames = Uint8Array.from({ length: count * SEQUENCE_VALUES }, () => random.int(256));
  return { frames, count, byteScale, attributes: null, actions: null };
}

test.each([255, 256] as const)(
  "a batch holds byte / %d, correctly rounded to float32, in the order asked for",
  (byteScale) => {
    const set = randomSet(4, byteScale);
    const out = fillBatch(set, [3, 0, 3], new Float32Array(3 * SEQUENCE_VALUES));
    [3, 0, 3].forEach((sequence, row) => {
      for (let index = 0; index < SEQUENCE_VALUES; index += 37) {
        expect(out[row * SEQUENCE_VALUES + index]).toBe(
          Math.fround(set.frames[sequence * SEQUENCE_VALUES + index] / byteScale),
        );
      }
    });
  },
);

test("a frame index is sequence * 8 + time", () => {
  const set = randomSet(3, 256);
  const out = fillFrames(set, new Int32Array([2 * 8 + 5, 7]), new Float32Array(2 * FRAME_VALUES));
  expect(out[10]).toBe(set.frames[2 * SEQUENCE_VALUES + 5 * FRAME_VALUES + 10] / 256);
  expect(out[FRAME_VALUES + 10]).toBe(set.frames[7 * FRAME_VALUES + 10] / 256);
});

test("first-last MSE in closed form: d levels everywhere are (d / scale)^2", () => {
  const frames = new Uint8Array(2 * SEQUENCE_VALUES).fill(100);
  frames.fill(103, SEQUENCE_VALUES + 7 * FRAME_VALUES);
  const mse = firstLastMse({ frames, count: 2, byteScale: 255, attributes: null, actions: null });
  expect(mse[0]).toBe(0);
  expect(mse[1]).toBeCloseTo((3 / 255) ** 2, 15);
});

test("indices out of range and outputs too small are refused, naming what was wanted", () => {
  const set = randomSet(2, 256);
  expect(() => fillBatch(set, [2], new Float32Array(SEQUENCE_VALUES))).toThrow("got index 2, wanted one from 0 to 1");
  expect(() => fillFrames(set, [16], new Float32Array(FRAME_VALUES))).toThrow("got index 16, wanted one from 0 to 15");
  expect(() => fillBatch(set, [0, 1], new Float32Array(SEQUENCE_VALUES))).toThrow(DataError);
});

test("joined sources keep their order and refuse to mix value scales", () => {
  const slash = syntheticSource(["slash"]);
  const walk = syntheticSource(["walk"]);
  const both = joinSources(slash, walk);
  expect(both.count).toBe(7776);
  expect(readSequences(both, [3890]).frames).toEqual(readSequences(walk, [2]).frames);
  expect(Array.from(readSequences(both, [3890]).attributes ?? [])).toEqual([0, 0, 0, 2, 0, 2]);
  expect(Array.from(readSequences(both, [0, 3890]).actions ?? [])).toEqual([2, 0]);
  expect(() => joinSources(slash, { ...walk, byteScale: 255 })).toThrow("wanted the same kind of values");
});
