// Metrics as named tensors: our keys round-trip exactly, published keys are understood, and bad metrics are named.

import { describe, expect, test } from "bun:test";
import {
  metricFromTensors,
  MetricError,
  metricToTensors,
  validateMetric,
  type Metric,
  type NamedTensors,
} from "@cleanloop/geometry";
import { diagonalMetric, exampleMetric } from "./examples.ts";

test.each([
  ["full", exampleMetric],
  ["diagonal", diagonalMetric(16, 5)],
] as const)("a %s metric survives the round trip bit for bit", (_, metric) => {
  expect(metricFromTensors(metricToTensors(metric))).toEqual(metric);
});

describe("published key names", () => {
  const centroids = { shape: [2, 2], data: [0, 0, 1, 1] };
  const full = { shape: [2, 2, 2], data: [1, 0.5, 0.5, 2, 1, 0, 0, 1] };
  const diagonalAsFull = { shape: [2, 2, 2], data: [1, 0, 0, 2, 3, 0, 0, 4] };
  const diagonal = { shape: [2, 2], data: [1, 2, 3, 4] };

  test("centroids, M_matrices, temperature, regularization", () => {
    const metric = metricFromTensors({
      centroids,
      M_matrices: full,
      temperature: 0.1,
      regularization: 0.02,
      latent_dim: 2,
    });
    expect(metric).toMatchObject({ kind: "full", count: 2, dimension: 2, temperature: 0.1, lambda: 0.02 });
  });

  test("metric_centroids, metric_vars, metric_temperature, without λ: diagonal matrices are recognised", () => {
    const temperature = { shape: [], data: [0.7] };
    const metric = metricFromTensors({
      metric_centroids: centroids,
      metric_vars: diagonalAsFull,
      metric_temperature: temperature,
    });
    expect(metric).toMatchObject({ kind: "diagonal", temperature: 0.7, lambda: 0.01 });
    expect([...metric.matrices]).toEqual([1, 2, 3, 4]);
  });

  test.each([
    ["centers", "M_i_flat", "temp"],
    ["mu", "M_tens", "T"],
    ["centroids", "M_i_flat", "beta"],
  ])("%s, %s, %s", (centroidKey, matrixKey, temperatureKey) => {
    const metric = metricFromTensors({ [centroidKey]: centroids, [matrixKey]: diagonal, [temperatureKey]: 1.5 });
    expect(metric).toMatchObject({ kind: "diagonal", temperature: 1.5 });
  });

  test("overrides win over stored values", () => {
    const stored: NamedTensors = { centroids, M_i_flat: diagonal, T: 0.1, regularization: 0.5 };
    expect(metricFromTensors(stored, { temperature: 3, lambda: 0.01 })).toMatchObject({ temperature: 3, lambda: 0.01 });
  });

  test("what is missing is named, with the names that were found", () => {
    expect(() => metricFromTensors({ weights: centroids })).toThrow(
      "found weights, wanted the centroids under one of centroids, metric_centroids, centers, mu",
    );
    expect(() => metricFromTensors({ centroids, M_i_flat: diagonal })).toThrow("got no temperature");
    expect(() =>
      metricFromTensors({ centroids, M_i_flat: { shape: [2, 3], data: new Float32Array(6) }, T: 1 }),
    ).toThrow("got matrices of shape [2, 3] beside centroids of shape [2, 2]");
  });
});

describe("validateMetric", () => {
  const broken = (change: Partial<Metric>) => () => validateMetric({ ...exampleMetric, ...change });
  const withMatrix = (k: number, values: number[]) => {
    const matrices = Float64Array.from(exampleMetric.matrices);
    matrices.set(values, k * 4);
    return { matrices };
  };

  test("names the centroid and the smallest eigenvalue of a matrix that is not positive definite", () => {
    expect(broken(withMatrix(1, [1, 2, 2, 1]))).toThrow("the smallest eigenvalue of M_1 is -1.000e+0");
    expect(codeOf(broken(withMatrix(2, [0, 0, 0, 1])))).toBe("NOT_POSITIVE_DEFINITE");
  });

  test.each([
    ["NOT_SYMMETRIC", withMatrix(0, [1, 0.2, 0.3, 1])],
    ["NOT_FINITE", withMatrix(2, [1, 0, 0, Infinity])],
    ["NOT_FINITE", { centroids: Float64Array.of(0, 0, 1, NaN, 0, 0) }],
    ["BAD_SHAPE", { centroids: new Float64Array(4) }],
    ["BAD_SHAPE", { count: 0 }],
    ["BAD_ARGUMENT", { temperature: 0 }],
    ["BAD_ARGUMENT", { lambda: -0.01 }],
  ] as const)("%s", (code, change) => {
    expect(codeOf(broken(change))).toBe(code);
  });

  test("accepts the example", () => {
    expect(() => validateMetric(exampleMetric)).not.toThrow();
  });
});

function codeOf(attempt: () => void): string | undefined {
  try {
    attempt();
  } catch (error) {
    return error instanceof MetricError ? error.code : undefined;
  }
  return undefined;
}
