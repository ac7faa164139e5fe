// The metric at points against published double-precision values, finite differences and limits.

import { describe, expect, test } from "bun:test";
import {
  cholesky,
  conditionNumbers,
  gradientHalfLogDetInverse,
  inverseMetric,
  logDetMetric,
  metricEigenvalues,
  metricTensor,
  MetricError,
  symmetricEigenvalues,
  type Metric,
} from "@cleanloop/geometry";
import { diagonalMetric, exampleMetric, seededUniform } from "./examples.ts";

const digits = 11; // the reference values are stated to 12 decimals

describe("three centroids in the plane", () => {
  test("G⁻¹, G, log det G and the gradient at (0.3, 0.2)", () => {
    const z = Float64Array.of(0.3, 0.2);
    expectClose(inverseMetric(exampleMetric, z), [1.230606601895, 0.122831590238, 0.122831590238, 1.02473368982]);
    expectClose(metricTensor(exampleMetric, z), [0.822447441477, -0.098584176677, -0.098584176677, 0.987680273663]);
    expectClose(logDetMetric(exampleMetric, z), [-0.219903463347]);
    expectClose(gradientHalfLogDetInverse(exampleMetric, z), [0.100881236628, 0.261004946781]);
  });

  test("G⁻¹, log det G and the gradient at (1.5, -0.4), in a batch of two", () => {
    const points = Float64Array.of(0.3, 0.2, 1.5, -0.4);
    expectClose(
      inverseMetric(exampleMetric, points).subarray(4),
      [0.185889982018, -0.014454706586, -0.014454706586, 0.250681836025],
    );
    expectClose(logDetMetric(exampleMetric, points), [-0.219903463347, 3.070664818992]);
    expectClose(gradientHalfLogDetInverse(exampleMetric, points).subarray(2), [-1.762908159219, 2.544402573017]);
  });

  test("the single-sample KL to the volume prior without its Gaussian factor", () => {
    const mean = [0.5, -1];
    const z = [0.6, -0.8];
    const [logDetAtMean, logDetAtSample] = logDetMetric(exampleMetric, Float64Array.of(...mean, ...z));
    const atMean = quadratic(metricTensor(exampleMetric, Float64Array.from(mean)), z[0] - mean[0], z[1] - mean[1]);
    expect(logDetAtMean / 2 + logDetAtSample / 2 - atMean / 2).toBeCloseTo(3.368481278189, digits);
    const atSample = quadratic(metricTensor(exampleMetric, Float64Array.from(z)), z[0] - mean[0], z[1] - mean[1]);
    expect(atSample / 2).toBeCloseTo(0.116718224954, digits);
  });
});

describe.each([
  ["full", exampleMetric],
  ["diagonal", diagonalMetric(16, 12)],
] as const)("%s matrices", (_, metric) => {
  const points = randomPoints(metric.dimension, 20);

  test("G G⁻¹ is the identity", () => {
    const d = metric.dimension;
    const inverse = inverseMetric(metric, points);
    const tensor = metricTensor(metric, points);
    for (let row = 0; row < 20; row++) {
      for (let i = 0; i < d; i++) {
        for (let j = 0; j < d; j++) {
          let sum = 0;
          for (let p = 0; p < d; p++) sum += tensor[(row * d + i) * d + p] * inverse[(row * d + p) * d + j];
          expect(Math.abs(sum - (i === j ? 1 : 0))).toBeLessThan(1e-12);
        }
      }
    }
  });

  test("no eigenvalue of G⁻¹ is below λ, and log det G is the sum of the log eigenvalues", () => {
    const eigenvalues = metricEigenvalues(metric, points);
    const logDet = logDetMetric(metric, points);
    const condition = conditionNumbers(metric, points);
    for (let row = 0; row < 20; row++) {
      const own = eigenvalues.subarray(row * metric.dimension, (row + 1) * metric.dimension);
      expect(Math.max(...own)).toBeLessThanOrEqual((1 / metric.lambda) * (1 + 1e-12));
      expect(own.reduce((sum, value) => sum + Math.log(value), 0)).toBeCloseTo(logDet[row], 9);
      expect(condition[row]).toBeCloseTo(Math.max(...own) / Math.min(...own), 9);
    }
  });

  test("the gradient of ½ log det G⁻¹ is that of central differences", () => {
    const gradient = gradientHalfLogDetInverse(metric, points);
    const step = 1e-5;
    for (let i = 0; i < points.length; i++) {
      const shifted = (sign: number) => {
        const moved = Float64Array.from(points);
        moved[i] += sign * step;
        return -0.5 * logDetMetric(metric, moved)[Math.floor(i / metric.dimension)];
      };
      expect(gradient[i]).toBeCloseTo((shifted(1) - shifted(-1)) / (2 * step), 7);
    }
  });

  test("far from all centroids G is I / λ", () => {
    const far = new Float64Array(metric.dimension).fill(1e3);
    const tensor = metricTensor(metric, far);
    tensor.forEach((value, i) =>
      expect(value).toBeCloseTo(i % (metric.dimension + 1) === 0 ? 1 / metric.lambda : 0, 9),
    );
  });
});

test("a diagonal metric equals the full metric with the same matrices", () => {
  const diagonal = diagonalMetric(5, 4);
  const matrices = new Float64Array(4 * 25);
  for (let k = 0; k < 4; k++) for (let d = 0; d < 5; d++) matrices[k * 25 + d * 6] = diagonal.matrices[k * 5 + d];
  const full: Metric = { ...diagonal, kind: "full", matrices };
  const points = randomPoints(5, 6);
  expectClose(metricTensor(full, points), [...metricTensor(diagonal, points)]);
  expectClose(gradientHalfLogDetInverse(full, points), [...gradientHalfLogDetInverse(diagonal, points)]);
  // A sorted diagonal against rotations that find nothing to rotate: the same bits.
  expect(metricEigenvalues(diagonal, points)).toEqual(metricEigenvalues(full, points));
});

test("eigenvalues of the second-difference matrix are 2 - 2 cos(kπ/(n+1))", () => {
  const n = 12;
  const matrix = Float64Array.from({ length: n * n }, (_, i) => {
    const offset = Math.abs(Math.floor(i / n) - (i % n));
    return offset === 0 ? 2 : offset === 1 ? -1 : 0;
  });
  const expected = Array.from({ length: n }, (_, k) => 2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1)));
  symmetricEigenvalues(matrix, n).forEach((value, k) => expect(value).toBeCloseTo(expected[k], 13));
});

test("a matrix that is not positive definite has no Cholesky factor", () => {
  expect(cholesky(Float64Array.of(1, 2, 2, 1), 2)).toBeNull();
  expect(cholesky(Float64Array.of(1, 0, 0, NaN), 2)).toBeNull();
});

test("points that do not fill whole rows are refused with the numbers", () => {
  const attempt = () => inverseMetric(exampleMetric, new Float64Array(3));
  expect(attempt).toThrow(MetricError);
  expect(attempt).toThrow("inverseMetric: got 3 numbers, wanted points of 2 coordinates");
  expect(() => metricEigenvalues(exampleMetric, new Float64Array(3))).toThrow("metricEigenvalues: got 3 numbers");
});

function quadratic(matrix: Float64Array, x: number, y: number): number {
  return matrix[0] * x * x + (matrix[1] + matrix[2]) * x * y + matrix[3] * y * y;
}

function randomPoints(dimension: number, count: number): Float64Array {
  const random = seededUniform(7);
  return Float64Array.from({ length: dimension * count }, () => 2 * random.uniform() - 1);
}

function expectClose(actual: Float64Array, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => expect(value).toBeCloseTo(expected[i], digits));
}
