// Principal components against NumPy's singular value decomposition, and the metric on their plane.

import { expect, test } from "bun:test";
import {
  embedPoints,
  logDetMetric,
  metricTensor,
  MetricError,
  pca,
  projectPoints,
  pullbackMetric,
  symmetricEigen,
  type Metric,
} from "@cleanloop/geometry";
import { diagonalMetric, normals } from "./examples.ts";

const waves = Float64Array.from({ length: 80 }, (_, index) => {
  const [i, j] = [Math.floor(index / 4), index % 4];
  return Math.sin(0.37 * i * (j + 1) + j * j) * (j + 1);
});

test("mean, components with their sign, variances and projection are those of NumPy's SVD", () => {
  const principal = pca(waves, 4, 2);
  expectClose(principal.mean, [0.05253673, 0.24468588, -0.25988995, -0.20496288], 8);
  expectClose(principal.variances, [8.19998464182, 4.67222562581], 10);
  expectClose(principal.explainedRatio, [0.53184833, 0.30303903], 8);
  expectClose(principal.components, [
    -0.018415446136, -0.056998503165, 0.08385402147, 0.994676100579,
    -0.009864252976, -0.157938476368, 0.983093971293, -0.092110682348,
  ], 11);
  expectClose(projectPoints(principal, waves).subarray(6, 8), [3.50115435178, 2.562803270125], 10);
});

test("all components together lose nothing; points of the plane survive the way down and up", () => {
  const whole = pca(waves, 4, 4);
  expectClose(embedPoints(whole, projectPoints(whole, waves)), [...waves], 12);
  expect(whole.explainedRatio.reduce((sum, ratio) => sum + ratio, 0)).toBeCloseTo(1, 12);
  const plane = pca(waves, 4, 2);
  const coordinates = Float64Array.of(0.3, -1.2, 2, 0.7);
  expectClose(projectPoints(plane, embedPoints(plane, coordinates)), [...coordinates], 12);
});

test("equal points have no direction of variance, and no NaN", () => {
  const { variances, explainedRatio, components } = pca(new Float64Array(12).fill(0.1), 3, 2);
  expect([...variances, ...explainedRatio]).toEqual([0, 0, 0, 0]);
  expect(components.every(Number.isFinite)).toBe(true);
});

test("what cannot be analysed is refused", () => {
  expect(() => pca(waves, 4, 5)).toThrow("got count 5, wanted a whole number from 1 to 4");
  expect(() => pca(waves.subarray(0, 4), 4, 2)).toThrow("got 1 points");
  expect(() => pca(Float64Array.of(0, 1, NaN, 2), 2, 1)).toThrow(MetricError);
});

test("eigenvectors are orthonormal and A v = value v, also for equal eigenvalues", () => {
  const n = 6;
  const factor = normals(5, n * 2);
  const matrix = Float64Array.from({ length: n * n }, (_, index) => {
    const [i, j] = [Math.floor(index / n), index % n];
    return factor[i * 2] * factor[j * 2] + factor[i * 2 + 1] * factor[j * 2 + 1]; // rank 2: four eigenvalues are 0
  });
  const { values, vectors } = symmetricEigen(matrix, n);
  for (let a = 0; a < n; a++) {
    for (let b = 0; b < n; b++) expect(dot(row(vectors, a, n), row(vectors, b, n))).toBeCloseTo(a === b ? 1 : 0, 13);
    for (let i = 0; i < n; i++) {
      expect(dot(row(matrix, i, n), row(vectors, a, n))).toBeCloseTo(values[a] * vectors[a * n + i], 12);
    }
  }
  expect([...values]).toEqual([...values].sort((p, q) => p - q));
});

test("on the plane of the first two axes the pullback is the upper left block of G", () => {
  const metric = diagonalMetric(5, 4);
  const points = normals(3, 10);
  const axes = Float64Array.of(1, 0, 0, 0, 0, 0, 1, 0, 0, 0);
  const tensor = metricTensor(metric, points);
  expectClose(
    pullbackMetric(tensor, axes, 5, 2),
    [0, 1].flatMap((point) => [0, 1, 5, 6].map((i) => tensor[point * 25 + i])),
    12,
  );
});

test("under a map with Jacobian J, log det JᵀGJ = log det G + 2 log |det J|", () => {
  const metric: Metric = diagonalMetric(2, 4);
  const images = Float64Array.of(0.2, 0.1, -0.4, 0.6);
  // One Jacobian per point, as rows ∂f/∂u_a.
  const tangents = Float64Array.of(1, 2, -0.5, 3, 0.3, 0, 4, -2);
  const pulled = pullbackMetric(metricTensor(metric, images), tangents, 2, 2);
  const logDet = logDetMetric(metric, images);
  [1 * 3 + 2 * 0.5, -0.3 * 2].forEach((jacobian, point) => {
    const [a, b, c, d] = pulled.subarray(point * 4, point * 4 + 4);
    expect(b).toBeCloseTo(c, 12);
    expect(Math.log(a * d - b * c)).toBeCloseTo(logDet[point] + 2 * Math.log(Math.abs(jacobian)), 11);
  });
  const short = () => pullbackMetric(metricTensor(metric, images), tangents.subarray(2), 2, 2);
  expect(short).toThrow("wanted [2, 2] or [2, 2, 2]");
});

function row(matrix: Float64Array, index: number, n: number): Float64Array {
  return matrix.subarray(index * n, (index + 1) * n);
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

function expectClose(actual: Float64Array, expected: readonly number[], digits: number): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => expect(value).toBeCloseTo(expected[i], digits));
}
