// The metric inside programs: published values, agreement with the float64 package, factors, gradients.

import { describe, expect, test } from "bun:test";
import * as tf from "@tensorflow/tfjs-core";
import {
  gradientHalfLogDetInverse,
  logDetMetric as logDetMetric64,
  metricTensor,
  type Metric,
} from "@cleanloop/geometry";
import {
  colourNoise,
  inverseMetric,
  logDetMetric,
  metricFromInverse,
  squaredLength,
  traceInverse,
  type MetricValues,
} from "@cleanloop/models";
import { cholesky, lowerTriangularInverse } from "../../lib/models/rlvae/cholesky.ts";
import { exampleMetric, normals, randomMetric, seededUniform } from "./eager.ts";

test("published G⁻¹, G and log det G", () => {
  const inverse = inverseMetric(exampleMetric, tf.tensor2d([0.3, 0.2, 1.5, -0.4], [2, 2]));
  expectClose(
    inverse,
    [
      1.230606601895, 0.122831590238, 0.122831590238, 1.02473368982, 0.185889982018, -0.014454706586, -0.014454706586,
      0.250681836025,
    ],
  );
  expectClose(
    tf.slice(metricFromInverse(inverse), [0], [1]),
    [0.822447441477, -0.098584176677, -0.098584176677, 0.987680273663],
  );
  expectClose(logDetMetric(inverse), [-0.219903463347, 3.070664818992]);
});

test("published gradient of ½ log det G⁻¹", () => {
  const halfLogDet = (z: tf.Tensor) =>
    tf.mul(tf.sum(logDetMetric(inverseMetric(exampleMetric, z as tf.Tensor2D))), -0.5);
  const gradient = tf.grad(halfLogDet)(tf.tensor2d([0.3, 0.2, 1.5, -0.4], [2, 2]));
  expectClose(gradient, [0.100881236628, 0.261004946781, -1.762908159219, 2.544402573017]);
});

describe.each(["diagonal", "full"] as const)("%s matrices, D = 16", (kind) => {
  const metric = randomMetric(kind, 16, 10);
  const z = tf.mul(normals(2, [6, 16]), 0.4) as tf.Tensor2D;
  const inverse = inverseMetric(metric, z);
  const inverseFull = asFull(inverse);

  test("G G⁻¹ is the identity within 1e-5", () => {
    const product = tf.matMul(asFull(metricFromInverse(inverse)), inverseFull);
    expect(largestDifference(product, tf.tile(tf.reshape(tf.eye(16), [1, 16, 16]), [6, 1, 1]))).toBeLessThan(1e-5);
  });

  test("G, log det G and its gradient agree with float64", () => {
    const points = Float64Array.from(z.dataSync());
    expectRelative(asFull(metricFromInverse(inverse)), metricTensor(float64(metric), points), 1e-4);
    expectRelative(logDetMetric(inverse), logDetMetric64(float64(metric), points), 1e-5);
    const halfLogDet = (at: tf.Tensor) => tf.mul(tf.sum(logDetMetric(inverseMetric(metric, at as tf.Tensor2D))), -0.5);
    expectRelative(tf.grad(halfLogDet)(z), gradientHalfLogDetInverse(float64(metric), points), 1e-4);
  });

  test("trace and squared length are those of the matrices", () => {
    expectRelative(traceInverse(inverse), tf.sum(tf.mul(inverseFull, tf.eye(16)), [1, 2]).dataSync(), 1e-6);
    const v = normals(3, [6, 16]);
    const column = tf.reshape(v, [6, 16, 1]);
    const expected = tf.matMul(tf.matMul(column, asFull(metricFromInverse(inverse)), true, false), column);
    expectRelative(squaredLength(inverse, v), expected.dataSync(), 1e-5);
  });

  test("coloured noise has the covariance (G + 1e-6 I)⁻¹", () => {
    const one = tf.slice(inverse, [0], [1]);
    const repeated = tf.tile(one, kind === "diagonal" ? [16, 1] : [16, 1, 1]);
    // Noise e_i gives column i of L, as row i here.
    const columns = colourNoise(repeated, tf.eye(16));
    const covariance = tf.matMul(columns, columns, true, false);
    const g = metricFromInverse(one);
    const jittered = kind === "diagonal" ? tf.add(g, 1e-6) : tf.add(g, tf.mul(tf.eye(16), 1e-6));
    const expected = asFull(metricFromInverse(jittered));
    expectRelative(covariance, expected.dataSync(), 1e-5);
  });

  test("far from all centroids G is I / λ", () => {
    const far = inverseMetric(metric, tf.fill([1, 16], 100) as tf.Tensor2D);
    expect(largestDifference(asFull(metricFromInverse(far)), tf.mul(tf.eye(16), 100))).toBeLessThan(1e-4);
  });
});

test("the jitter of coloured noise is that of the original where it can be seen", () => {
  // A diagonal and a full metric with the same large G⁻¹ = 100: (1/100 + 1e-6)⁻¹ = 99.990001.
  const diagonal = colourNoise(tf.fill([1, 2], 100), tf.ones([1, 2]));
  const full = colourNoise(tf.tensor3d([100, 0, 0, 100], [1, 2, 2]), tf.ones([1, 2]));
  const expected = Math.sqrt(1 / (0.01 + 1e-6));
  for (const noise of [diagonal, full]) noise.dataSync().forEach((value) => expect(value).toBeCloseTo(expected, 5));
});

describe.each([1, 2, 5, 16])("Cholesky, D = %d", (size) => {
  const random = seededUniform(size);
  const roots = tf.tensor3d(
    Float32Array.from({ length: 3 * size * size }, () => 2 * random.uniform() - 1),
    [3, size, size],
  );
  const matrices = tf.add(tf.matMul(roots, roots, false, true), tf.mul(tf.eye(size), 0.3)) as tf.Tensor3D;
  const lower = cholesky(matrices);

  test("L is lower triangular, L Lᵀ = A and L⁻¹ L = I", () => {
    expect(largestDifference(tf.matMul(lower, lower, false, true), matrices)).toBeLessThan(5e-6);
    lower.dataSync().forEach((value, i) => {
      if (i % size > Math.floor(i / size) % size) expect(value === 0).toBe(true);
    });
    const product = tf.matMul(lowerTriangularInverse(lower), lower);
    expect(largestDifference(product, tf.tile(tf.reshape(tf.eye(size), [1, size, size]), [3, 1, 1]))).toBeLessThan(
      5e-6,
    );
  });

  test("the gradient of a function of L along a symmetric direction is the central difference", () => {
    const weights = normals(4, [size, size]);
    const f = (a: tf.Tensor) => tf.sum(tf.mul(cholesky(a as tf.Tensor3D), weights));
    const direction = normals(5, [size, size]);
    const symmetric = tf.add(direction, tf.transpose(direction));
    const analytic = tf.sum(tf.mul(tf.grad(f)(matrices), symmetric)).dataSync()[0];
    const step = 2e-3;
    const shifted = (sign: number) => f(tf.add(matrices, tf.mul(symmetric, sign * step))).dataSync()[0];
    const numeric = (shifted(1) - shifted(-1)) / (2 * step);
    expect(Math.abs(numeric - analytic)).toBeLessThan(5e-3 * Math.max(1, Math.abs(analytic)));
  });
});

function asFull(tensor: tf.Tensor): tf.Tensor {
  if (tensor.rank === 3) return tensor;
  const size = tensor.shape[1] as number;
  return tf.mul(tf.reshape(tensor, [-1, 1, size]), tf.eye(size));
}

function float64({ kind, count, dimension, centroids, matrices, temperature, lambda }: MetricValues): Metric {
  return {
    kind,
    count,
    dimension,
    temperature,
    lambda,
    centroids: Float64Array.from(centroids),
    matrices: Float64Array.from(matrices),
  };
}

function expectClose(actual: tf.Tensor, expected: readonly number[]): void {
  const values = actual.dataSync();
  expect(values.length).toBe(expected.length);
  values.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 5));
}

/** Every value within `tolerance` of the largest expected one. */
function expectRelative(actual: tf.Tensor, expected: ArrayLike<number>, tolerance: number): void {
  const values = actual.dataSync();
  expect(values.length).toBe(expected.length);
  const scale = Array.from(expected).reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  values.forEach((value, i) => expect(Math.abs(value - expected[i])).toBeLessThan(tolerance * scale));
}

function largestDifference(a: tf.Tensor, b: tf.Tensor): number {
  return tf.max(tf.abs(tf.sub(a, b))).dataSync()[0];
}
