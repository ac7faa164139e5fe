// The divergences against published values, Monte Carlo, and the behaviour that decides between them.

import { describe, expect, test } from "bun:test";
import * as tf from "@tensorflow/tfjs-core";
import {
  colourNoise,
  exactKl,
  gaussianKl,
  gaussianPriorKl,
  inverseMetric,
  legacyKl,
  logDetMetric,
  squaredLength,
  type MetricValues,
} from "@cleanloop/models";
import { exampleMetric, normals, randomMetric, scalar, seededUniform } from "./eager.ts";

describe("published values", () => {
  const mean = tf.tensor2d([0.5, -1], [1, 2]);
  const z = tf.tensor2d([0.6, -0.8], [1, 2]);
  const atMean = inverseMetric(exampleMetric, mean);
  const atSample = inverseMetric(exampleMetric, z);

  test("Gaussian divergence", () => {
    expect(scalar(gaussianKl(mean, tf.tensor2d([0.2, -0.3], [1, 2])))).toBeCloseTo(0.656110489421, 6);
  });

  test("legacy divergence", () => {
    expect(scalar(legacyKl(z, mean, atSample))).toBeCloseTo(0.116718224954, 6);
  });

  test("log density ratio to the volume prior at one sample", () => {
    const volumes = (scalar(logDetMetric(atMean)) + scalar(logDetMetric(atSample))) / 2;
    expect(volumes - scalar(squaredLength(atMean, tf.sub(z, mean))) / 2).toBeCloseTo(3.368481278189, 5);
  });

  test("the Gaussian-prior divergence is that volume term with its quadratic form and Gaussian factor in expectation", () => {
    const std = 1.7;
    const [a, , , b] = atMean.dataSync();
    const volumes = (scalar(logDetMetric(atMean)) + scalar(logDetMetric(atSample))) / 2;
    const expected = volumes - 1 + (0.25 + 1 + a + b) / (2 * std ** 2) + 2 * Math.log(std);
    expect(scalar(gaussianPriorKl(mean, atMean, atSample, std))).toBeCloseTo(expected, 5);
  });
});

test("the Gaussian divergence bounds log σ² at ±10", () => {
  const zero = tf.zeros([1, 1]) as tf.Tensor2D;
  expect(scalar(gaussianKl(zero, tf.tensor2d([[-50]])))).toBeCloseTo(0.5 * (Math.exp(-10) - 1 + 10), 5);
});

test.each(["diagonal", "full"] as const)(
  "the exact divergence is the Monte Carlo mean of log q - log p, %s",
  (kind) => {
    const metric = randomMetric(kind, 3, 5);
    const point = [0.4, -0.2, 0.6];
    const count = 40_000;
    const mean = tf.tile(tf.tensor2d(point, [1, 3]), [count, 1]);
    const inverse = inverseMetric(metric, tf.tensor2d(point, [1, 3]));
    const repeated = tf.tile(inverse, kind === "diagonal" ? [count, 1] : [count, 1, 1]);
    const noise = normals(11, [count, 3]);
    const z = tf.add(mean, colourNoise(repeated, noise)) as tf.Tensor2D;
    // log q = -½ ‖ε‖² + ½ log det G + c and log p = -½ ‖z‖² + c.
    const ratio = tf.mul(tf.sub(tf.sum(tf.square(z), 1), tf.sum(tf.square(noise), 1)), 0.5);
    const { mean: average, variance } = tf.moments(ratio);
    const monteCarlo = scalar(average) + scalar(logDetMetric(inverse)) / 2;
    const standardError = Math.sqrt(scalar(variance) / count);
    const exact = scalar(exactKl(tf.tensor2d(point, [1, 3]), inverse));
    expect(standardError).toBeLessThan(0.01);
    expect(Math.abs(exact - monteCarlo)).toBeLessThan(4 * standardError);
  },
);

test("the exact divergence is zero for a standard normal posterior", () => {
  const mean = tf.zeros([4, 16]) as tf.Tensor2D;
  expect(scalar(exactKl(mean, tf.ones([4, 16])))).toBeCloseTo(0, 6);
  expect(scalar(exactKl(mean, tf.tile(tf.reshape(tf.eye(16), [1, 16, 16]), [4, 1, 1])))).toBeCloseTo(0, 5);
});

test.each(["diagonal", "full"] as const)(
  "the legacy divergence is D/2 under a constant metric, wherever μ is, %s",
  (kind) => {
    // A width this large makes the kernels constant.
    const metric: MetricValues = { ...randomMetric(kind, 16, 5), temperature: 1e4 };
    const count = 400;
    const mean = tf.mul(normals(1, [count, 16]), 3) as tf.Tensor2D;
    const z = tf.add(mean, colourNoise(inverseMetric(metric, mean), normals(2, [count, 16]))) as tf.Tensor2D;
    const standardError = Math.sqrt(16 / 2 / count);
    expect(Math.abs(scalar(legacyKl(z, mean, inverseMetric(metric, z))) - 8)).toBeLessThan(4 * standardError);
  },
);

test("leaving the centroids raises the exact divergence and lowers the legacy one to D/2", () => {
  const centroids = onSphere(3.6, 50);
  const metric: MetricValues = {
    kind: "diagonal",
    count: 50,
    dimension: 16,
    centroids: centroids.dataSync(),
    matrices: new Float32Array(50 * 16).fill(1),
    temperature: 3,
    lambda: 0.01,
  };
  const noise = normals(4, [50, 16]);
  const [exact, legacy] = [exactKl, legacyKl].map((divergence) => {
    return [1, 2, 3].map((scale) => {
      const mean = tf.mul(centroids, scale) as tf.Tensor2D;
      const inverse = inverseMetric(metric, mean);
      if (divergence === exactKl) return scalar(exactKl(mean, inverse));
      const z = tf.add(mean, colourNoise(inverse, noise)) as tf.Tensor2D;
      return scalar(legacyKl(z, mean, inverseMetric(metric, z)));
    });
  });
  expect(exact[1]).toBeGreaterThan(exact[0] + 5);
  expect(exact[2]).toBeGreaterThan(exact[1] + 5);
  expect(legacy[0]).toBeGreaterThan(100);
  expect(legacy[1]).toBeLessThan(legacy[0] / 4);
  expect(legacy[2]).toBeLessThan(legacy[1]);
  expect(legacy[2]).toBeGreaterThan(6);
  expect(legacy[2]).toBeLessThan(10);
});

function onSphere(radius: number, count: number): tf.Tensor2D {
  const directions = normals(Math.floor(seededUniform(3).uniform() * 100), [count, 16]);
  const norms = tf.sqrt(tf.sum(tf.square(directions), 1, true));
  return tf.mul(tf.div(directions, norms), radius);
}
