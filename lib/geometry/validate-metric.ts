// Refuses a metric that is not one: wrong sizes, values that are not finite, matrices that are not positive definite.

import { MetricError } from "./errors.ts";
import { fullMatrices, type Metric } from "./metric.ts";
import { symmetricEigenvalues } from "./symmetric-eigen.ts";

/** Difference between M_k and its transpose, relative to its largest entry, that float32 storage can explain. */
const SYMMETRY_TOLERANCE = 1e-5;

/**
 * Throws a {@link MetricError} unless G⁻¹ is positive definite everywhere: K ≥ 1, D ≥ 1, fitting lengths, finite
 * values, T > 0, λ > 0 and every M_k symmetric positive definite. The message names the first k at fault and its
 * smallest eigenvalue.
 */
export function validateMetric(metric: Metric): void {
  const { count, dimension, kind } = metric;
  const positiveInteger = (value: number) => Number.isInteger(value) && value >= 1;
  if (!positiveInteger(count) || !positiveInteger(dimension)) {
    throw new MetricError(
      "BAD_SHAPE",
      `validateMetric: got ${count} centroids of dimension ${dimension}, wanted at least 1 of each`,
    );
  }
  checkLength("centroids", metric.centroids, [count, dimension]);
  checkLength("matrices", metric.matrices, kind === "full" ? [count, dimension, dimension] : [count, dimension]);
  checkPositive("temperature", metric.temperature);
  checkPositive("lambda", metric.lambda);
  checkMatrices(metric);
}

function checkLength(name: string, values: Float64Array, shape: readonly number[]): void {
  const wanted = shape.reduce((product, size) => product * size, 1);
  if (values.length !== wanted) {
    throw new MetricError(
      "BAD_SHAPE",
      `validateMetric: got ${values.length} numbers in ${name}, wanted ${wanted} for the shape [${shape.join(", ")}]`,
    );
  }
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const k = Math.floor(bad / (wanted / shape[0]));
    throw new MetricError(
      "NOT_FINITE",
      `validateMetric: got ${values[bad]} in ${name} of centroid ${k}, wanted finite numbers`,
    );
  }
}

function checkPositive(name: string, value: number): void {
  if (!(value > 0) || !Number.isFinite(value)) {
    throw new MetricError("BAD_ARGUMENT", `validateMetric: got ${name} ${value}, wanted a finite number above 0`);
  }
}

function checkMatrices(metric: Metric): void {
  const { count, dimension } = metric;
  const matrices = fullMatrices(metric);
  const size = dimension * dimension;
  for (let k = 0; k < count; k++) {
    const matrix = matrices.subarray(k * size, (k + 1) * size);
    const asymmetry = largestAsymmetry(matrix, dimension);
    if (asymmetry > SYMMETRY_TOLERANCE * matrix.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)) {
      throw new MetricError(
        "NOT_SYMMETRIC",
        `validateMetric: M_${k} differs from its transpose by ${asymmetry.toExponential(2)}, wanted a symmetric matrix`,
      );
    }
    const smallest = symmetricEigenvalues(matrix, dimension)[0];
    if (!(smallest > 0)) {
      throw new MetricError(
        "NOT_POSITIVE_DEFINITE",
        `validateMetric: the smallest eigenvalue of M_${k} is ${smallest.toExponential(3)}, wanted a positive one; ` +
          "build the metric again or remove this centroid",
      );
    }
  }
}

function largestAsymmetry(matrix: Float64Array, n: number): number {
  let largest = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) largest = Math.max(largest, Math.abs(matrix[i * n + j] - matrix[j * n + i]));
  }
  return largest;
}
