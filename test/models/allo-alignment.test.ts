// Cosines between features and eigenvectors whose answers are known: rotations inside and out of multiple eigenvalues.

import { describe, expect, test } from "bun:test";
import { alignment, nearGroups, subspaceAlignment, type ReferenceVectors } from "@cleanloop/models";

const n = 8;
/** Orthonormal: the eigenvectors of a path of eight states. */
const wave = (k: number) =>
  Array.from({ length: n }, (_, s) => Math.sqrt((k === 0 ? 1 : 2) / n) * Math.cos((Math.PI * k * (s + 0.5)) / n));
type Vector = readonly number[];
const [v0, v1, v2, v3, v4, v7] = [0, 1, 2, 3, 4, 7].map(wave);

const rowMajor = (columns: readonly Vector[]): Float64Array => {
  const d = columns.length;
  return Float64Array.from({ length: n * d }, (_, at) => columns[at % d][Math.floor(at / d)]);
};
/** The waves 0 to d - 1, and those behind them that complete the last group. */
const reference = (groups: number[][], d = 4): ReferenceVectors => {
  const extra = groups.flat().filter((i) => i >= d);
  return {
    eigenvalues: Float64Array.from({ length: d }, (_, i) => Math.cos((Math.PI * i) / n)),
    eigenvectors: rowMajor([v0, v1, v2, v3].slice(0, d)),
    groups,
    extraCount: extra.length,
    extraEigenvectors: rowMajor(extra.map(wave)),
  };
};
const simple = reference([[0], [1], [2], [3]]);
const double = reference([[0], [1, 2], [3]]);
const turned = (a: Vector, b: Vector, angle: number): number[] =>
  a.map((x, s) => Math.cos(angle) * x + Math.sin(angle) * b[s]);
const scaled = (a: Vector, factor: number): number[] => a.map((x) => factor * x);

function expectCosines(features: Vector[], to: ReferenceVectors, plain: Vector, group: Vector): void {
  const { cosines, groupCosines } = alignment(rowMajor(features), to);
  plain.forEach((wanted, i) => expect(cosines[i]).toBeCloseTo(wanted, 12));
  group.forEach((wanted, i) => expect(groupCosines[i]).toBeCloseTo(wanted, 12));
}

describe("alignment", () => {
  test.each([0.1, 0.7, 1.5])("a rotation by %p in a double eigenvalue: plain cosines fall, the group's do not", (angle) => {
    const features = [v0, turned(v1, v2, angle), turned(v2, v1, -angle), v3];
    const plain = [1, Math.cos(angle), Math.cos(angle), 1];
    expectCosines(features, double, plain, [1, 1, 1, 1]);
    expectCosines(features, simple, plain, plain);
    expect(subspaceAlignment(rowMajor(features), double)).toBeCloseTo(1, 12);
  });

  test("neither signs nor scales count", () => {
    const features = [scaled(v0, -1e-6), scaled(turned(v1, v2, 0.4), -300), turned(v2, v1, -0.4), scaled(v3, 1e12)];
    expectCosines(features, double, [1, Math.cos(0.4), Math.cos(0.4), 1], [1, 1, 1, 1]);
  });

  test("what leaves the group costs its cosine", () => {
    const features = [turned(v0, v7, 0.2), turned(turned(v1, v2, 0.5), v7, 0.3), turned(v2, v1, -0.5), v4];
    const plain = [Math.cos(0.2), Math.cos(0.3) * Math.cos(0.5), Math.cos(0.5), 0];
    expectCosines(features, double, plain, [Math.cos(0.2), Math.cos(0.3), 1, 0]);
  });

  test("two features of one group cannot have the same vector", () => {
    const features = [v0, v1, turned(v1, v2, 0.3), v3];
    expectCosines(features, double, [1, 1, Math.sin(0.3), 1], [1, 1, Math.sin(0.3), 1]);
    expectCosines([v0, v1, v1, v3], double, [1, 1, 0, 1], [1, 1, 0, 1]);
  });

  test("a feature that is zero has the cosine zero and spoils no other", () => {
    const zero = v0.map(() => 0);
    expectCosines([v0, zero, turned(v2, v1, -0.4), v3], double, [1, 0, Math.cos(0.4), 1], [1, 0, 1, 1]);
    expect(subspaceAlignment(rowMajor([v0, zero, v2, v3]), double)).toBeCloseTo(Math.sqrt(3 / 4), 12);
  });

  test("a wrong order is a wrong answer, but the same space", () => {
    const features = [v0, v1, v3, v2];
    expectCosines(features, double, [1, 1, 0, 0], [1, 1, 0, 0]);
    expect(subspaceAlignment(rowMajor(features), double)).toBeCloseTo(1, 12);
  });

  test("the last group may go on behind the last feature", () => {
    const straddling = reference([[0], [1], [2], [3, 4]]);
    const features = [v0, v1, v2, turned(v3, v4, 0.6)];
    expectCosines(features, straddling, [1, 1, 1, Math.cos(0.6)], [1, 1, 1, 1]);
    expectCosines(features, simple, [1, 1, 1, Math.cos(0.6)], [1, 1, 1, Math.cos(0.6)]);
    expect(subspaceAlignment(rowMajor(features), straddling)).toBeCloseTo(1, 12);
    expect(subspaceAlignment(rowMajor(features), simple)).toBeCloseTo(Math.sqrt((3 + Math.cos(0.6) ** 2) / 4), 12);
    // both vectors of the last group cannot make up for a missing one
    expect(subspaceAlignment(rowMajor([v0, v1, v3, v4]), straddling)).toBeCloseTo(Math.sqrt(3 / 4), 12);
  });

  test("subspace: the root mean square of the cosines of the principal angles", () => {
    const features = [turned(v0, v7, 0.2), turned(v1, v4, 0.5), v2.map((x, s) => x + 0.3 * v3[s]), v3];
    const wanted = Math.sqrt((Math.cos(0.2) ** 2 + Math.cos(0.5) ** 2 + 2) / 4);
    expect(subspaceAlignment(rowMajor(features), simple)).toBeCloseTo(wanted, 12);
  });
});

describe("nearGroups", () => {
  test.each([
    ["a gap below one percent of the larger", [0, 0.1, 0.1009, 0.2], [[0], [1, 2], [3]]],
    ["a gap above", [0, 0.1, 0.1012, 0.2], [[0], [1], [2], [3]]],
    ["gaps from neighbour to neighbour", [0, 0.1, 0.1008, 0.1016, 0.1024], [[0], [1, 2, 3, 4]]],
    ["equal eigenvalues, zeros of two components included", [0, 0, 1e-16, 0.3, 0.3], [[0, 1, 2], [3, 4]]],
    ["rounding below zero", [-2e-16, 3e-16, 0.3], [[0, 1], [2]]],
  ])("%s", (_name, eigenvalues, groups) => {
    expect(nearGroups(Float64Array.from(eigenvalues), 0.01)).toEqual(groups);
  });
});
