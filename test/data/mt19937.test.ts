// NumPy's legacy generator against values printed by NumPy 1.24 itself.

import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { DataError, NumpyRandomState } from "@cleanloop/data";

const draws = (count: number, draw: () => number) => Array.from({ length: count }, draw);

test("RandomState(423).permutation(1296) is the published character order", () => {
  const order = new NumpyRandomState(423).permutation(1296);
  expect(Array.from(order.subarray(0, 8))).toEqual([1116, 1135, 17, 469, 1293, 491, 869, 961]);
  expect(Array.from(order.subarray(1000, 1005))).toEqual([884, 1285, 252, 297, 947]);
  const bytes = new Uint8Array(order.buffer);
  expect(createHash("sha256").update(bytes).digest("hex")).toBe(
    "25182c6aa46bb5bfa73e5a07e9a6483caea565761b1573555ce1143b7b19daa4",
  );
});

test("RandomState(0): permutation, randint and random_sample in one stream", () => {
  const random = new NumpyRandomState(0);
  expect(Array.from(random.permutation(12))).toEqual([6, 11, 4, 10, 2, 8, 1, 7, 9, 3, 0, 5]);
  expect(draws(6, () => random.randint(0, 1000))).toEqual([600, 396, 314, 705, 486, 551]);
  expect(draws(4, () => random.randomSample())).toEqual([
    0.5288949197529045, 0.5680445610939323, 0.925596638292661, 0.07103605819788694,
  ]);
  expect(draws(4, () => random.randint(0, 10))).toEqual([9, 4, 3, 0]); // choice(10, 4) draws the same
  expect(Array.from(random.permutation(10).subarray(0, 4))).toEqual([4, 8, 1, 7]); // choice(10, 4, replace=False)
  expect(Array.from(random.permutation(5))).toEqual([0, 1, 2, 4, 3]);
  expect(draws(3, () => random.randint(0, 2 ** 31 - 1))).toEqual([600956192, 352272321, 615697673]);
  expect(draws(8, () => random.randint(-5, 5))).toEqual([4, -5, -1, 2, -2, -3, 2, -3]);
});

test("the largest seed, and a range of one value draws nothing", () => {
  const random = new NumpyRandomState(2 ** 32 - 1);
  expect(draws(3, () => random.randomSample())).toEqual([0.0976320289940138, 0.9123828453026218, 0.78903530185164]);
  expect(draws(10, () => random.randint(0, 7))).toEqual([6, 2, 1, 0, 3, 2, 3, 3, 2, 3]);
  expect(draws(2, () => random.randint(3, 4))).toEqual([3, 3]);
  expect(random.randomSample()).toBe(0.17075136716467365);
});

test("seeds and ranges outside NumPy's are refused", () => {
  expect(() => new NumpyRandomState(-1)).toThrow(DataError);
  expect(() => new NumpyRandomState(2 ** 32)).toThrow("wanted a whole number from 0 to 2^32 - 1");
  expect(() => new NumpyRandomState(1).randint(5, 5)).toThrow("low < high");
});
