// The project's own generator: the reference outputs of xoshiro128**, distributions, and exact resume through JSON.

import { expect, test } from "bun:test";
import { DataError, Random } from "@cleanloop/data";
import type { RandomState } from "@cleanloop/data";

test("xoshiro128** gives the outputs of its authors' C program from state 1, 2, 3, 4", () => {
  const random = new Random({ key: "reference", words: [1, 2, 3, 4], spareNormal: null });
  const expected = [
    11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
  ];
  expect(Array.from({ length: 10 }, () => random.uint32())).toEqual(expected);
});

test("a state that went through JSON continues bit-exactly, in the middle of a pair of normals too", () => {
  const random = new Random(7);
  random.normals(new Float32Array(5)); // odd: one value of the last pair is still owed
  const resumed = new Random(JSON.parse(JSON.stringify(random.state())) as RandomState);
  expect(resumed.normals(new Float64Array(7))).toEqual(random.normals(new Float64Array(7)));
  expect(resumed.uniform()).toBe(random.uniform());
  expect(resumed.fork("noise").uint32()).toBe(random.fork("noise").uint32());
});

test("splitting a request of normals in two changes nothing", () => {
  const whole = new Random(3).normals(new Float64Array(9));
  const random = new Random(3);
  const parts = [
    ...random.normals(new Float64Array(4)),
    ...random.normals(new Float64Array(0)),
    ...random.normals(new Float64Array(5)),
  ];
  expect(parts).toEqual([...whole]);
});

test("normals have the moments of a standard normal", () => {
  const count = 200_000;
  const values = new Random(1).normals(new Float64Array(count));
  const moment = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / count;
  // Five standard errors: sqrt(1, 2, 15, 96) / sqrt(count) for the moments 1 to 4 of N(0, 1).
  expect(Math.abs(moment(1))).toBeLessThan(5 / Math.sqrt(count));
  expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
  expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / count));
  expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / count));
  const beyondTwo = values.filter((value) => Math.abs(value) > 2).length / count;
  expect(Math.abs(beyondTwo - 0.0455)).toBeLessThan(0.003);
});

test("int(n) is uniform and permutation is a permutation whose positions are uniform", () => {
  const random = new Random(11);
  const counts = Array.from({ length: 6 }, () => 0);
  for (let draw = 0; draw < 60_000; draw++) counts[random.int(6)]++;
  const chiSquared = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  expect(chiSquared).toBeLessThan(20.5); // 99.9 % quantile with 5 degrees of freedom
  const firstPlace = Array.from({ length: 5 }, () => 0);
  for (let draw = 0; draw < 20_000; draw++) {
    const order = random.permutation(5);
    expect([...order].sort()).toEqual([0, 1, 2, 3, 4]);
    firstPlace[order[0]]++;
  }
  expect(firstPlace.reduce((sum, count) => sum + (count - 4000) ** 2 / 4000, 0)).toBeLessThan(18.5);
});

test("uniform lies in [0, 1) with mean 1/2 and variance 1/12", () => {
  const random = new Random(5);
  const values = Array.from({ length: 100_000 }, () => random.uniform());
  expect(Math.min(...values.slice(0, 1000))).toBeGreaterThanOrEqual(0);
  expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  expect(Math.abs(mean - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / values.length));
  expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.002);
});

test("a fork depends on the stream and the label, not on the position", () => {
  const random = new Random(2);
  const before = random.fork("init").uint32();
  random.uint32();
  expect(random.fork("init").uint32()).toBe(before);
  expect(random.fork("noise").uint32()).not.toBe(before);
  expect(new Random(3).fork("init").uint32()).not.toBe(before);
  expect(random.fork("init").fork("layer").uint32()).not.toBe(before);
});

test("seeds, ranges and states that make no sense are refused", () => {
  expect(() => new Random(0.5)).toThrow(DataError);
  expect(() => new Random(1).int(0)).toThrow("wanted a whole number from 1 to 2^32");
  expect(() => new Random({ key: "", words: [0, 0, 0, 0], spareNormal: null })).toThrow(
    "wanted what Random.state() returned",
  );
  expect(() => new Random({} as RandomState)).toThrow("wanted what Random.state() returned");
});
