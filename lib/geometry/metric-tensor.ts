// The metric evaluated at points, in float64: G⁻¹, G, log det G, its gradient, eigenvalues and condition numbers.

import { cholesky, inverseFromFactor, logDetFromFactor } from "./cholesky.ts";
import { MetricError } from "./errors.ts";
import type { Metric } from "./metric.ts";
import { symmetricEigenvalues } from "./symmetric-eigen.ts";

/** Points as one row-major array [N, D]. */
export type Points = Float64Array | Float32Array;

/** Number of points N in a row-major [N, D] array; a length that is no multiple of D is a BAD_SHAPE error. */
export function pointCount(points: Points, dimension: number, caller: string): number {
  if (points.length % dimension !== 0) {
    throw new MetricError(
      "BAD_SHAPE",
      `${caller}: got ${points.length} numbers, wanted points of ${dimension} coordinates, row after row`,
    );
  }
  return points.length / dimension;
}

/** Kernel weights w_k = exp(-‖z - c_k‖² / T²) of point number `row` of `points`, written into `weights` [K]. */
export function kernelWeights(metric: Metric, points: Points, row: number, weights: Float64Array): Float64Array {
  const { count, dimension, centroids, temperature } = metric;
  const scale = -1 / temperature ** 2;
  for (let k = 0; k < count; k++) {
    let squared = 0;
    for (let d = 0; d < dimension; d++) squared += (points[row * dimension + d] - centroids[k * dimension + d]) ** 2;
    weights[k] = Math.exp(scale * squared);
  }
  return weights;
}

/** G⁻¹(z) = Σ_k M_k w_k(z) + λ I at each of N points: [N, D, D]. */
export function inverseMetric(metric: Metric, points: Points): Float64Array {
  const { dimension } = metric;
  const n = pointCount(points, dimension, "inverseMetric");
  const size = dimension * dimension;
  const out = new Float64Array(n * size);
  const weights = new Float64Array(metric.count);
  for (let row = 0; row < n; row++) {
    kernelWeights(metric, points, row, weights);
    addWeighted(metric, weights, out.subarray(row * size, (row + 1) * size));
  }
  return out;
}

/** G(z) = (G⁻¹(z))⁻¹ at each of N points: [N, D, D]. */
export function metricTensor(metric: Metric, points: Points): Float64Array {
  const { dimension } = metric;
  const out = new Float64Array(points.length * dimension);
  eachFactor(metric, points, "metricTensor", (factor, row) => {
    out.set(inverseFromFactor(factor, dimension), row * dimension * dimension);
  });
  return out;
}

/** log det G(z) = -log det G⁻¹(z) at each of N points: [N]. */
export function logDetMetric(metric: Metric, points: Points): Float64Array {
  const out = new Float64Array(pointCount(points, metric.dimension, "logDetMetric"));
  eachFactor(metric, points, "logDetMetric", (factor, row) => {
    out[row] = -logDetFromFactor(factor, metric.dimension);
  });
  return out;
}

/**
 * ∇_z ½ log det G⁻¹(z) = (1/T²) Σ_k w_k tr(G M_k) (c_k - z) at each of N points: [N, D].
 * This is the exact gradient of the volume density √det G⁻¹, as a Hamiltonian sampler needs it.
 */
export function gradientHalfLogDetInverse(metric: Metric, points: Points): Float64Array {
  const { count, dimension, centroids, temperature } = metric;
  const out = new Float64Array(points.length);
  const weights = new Float64Array(count);
  eachFactor(metric, points, "gradientHalfLogDetInverse", (factor, row) => {
    const g = inverseFromFactor(factor, dimension);
    kernelWeights(metric, points, row, weights);
    for (let k = 0; k < count; k++) {
      const coefficient = (weights[k] * traceOfProduct(metric, k, g)) / temperature ** 2;
      for (let d = 0; d < dimension; d++) {
        out[row * dimension + d] += coefficient * (centroids[k * dimension + d] - points[row * dimension + d]);
      }
    }
  });
  return out;
}

/** Eigenvalues of G(z) at each of N points, ascending: [N, D]; of a diagonal metric they are its sorted diagonal. */
export function metricEigenvalues(metric: Metric, points: Points): Float64Array {
  const { kind, dimension } = metric;
  const n = pointCount(points, dimension, "metricEigenvalues");
  const out = new Float64Array(points.length);
  const weights = new Float64Array(metric.count);
  const inverse = new Float64Array(kind === "diagonal" ? dimension : dimension * dimension);
  for (let row = 0; row < n; row++) {
    kernelWeights(metric, points, row, weights);
    inverse.fill(0);
    let ofInverse: Float64Array = inverse;
    if (kind === "diagonal") {
      addWeightedDiagonal(metric, weights, inverse, 1);
      inverse.sort();
    } else {
      addWeighted(metric, weights, inverse);
      ofInverse = symmetricEigenvalues(inverse, dimension);
    }
    for (let d = 0; d < dimension; d++) out[row * dimension + d] = 1 / ofInverse[dimension - 1 - d];
  }
  return out;
}

/** Condition number of G(z) (largest over smallest eigenvalue) at each of N points: [N]. */
export function conditionNumbers(metric: Metric, points: Points): Float64Array {
  const { dimension } = metric;
  const eigenvalues = metricEigenvalues(metric, points);
  return Float64Array.from({ length: points.length / dimension }, (_, row) => {
    return eigenvalues[(row + 1) * dimension - 1] / eigenvalues[row * dimension];
  });
}

/** Adds Σ_k M_k w_k + λ I to `out` [D, D]. */
function addWeighted(metric: Metric, weights: Float64Array, out: Float64Array): void {
  const { count, dimension, matrices, lambda } = metric;
  if (metric.kind === "diagonal") {
    addWeightedDiagonal(metric, weights, out, dimension + 1);
    return;
  }
  for (let d = 0; d < dimension; d++) out[d * (dimension + 1)] += lambda;
  for (let k = 0; k < count; k++) {
    for (let i = 0; i < out.length; i++) out[i] += weights[k] * matrices[k * out.length + i];
  }
}

/** {@link addWeighted} of a diagonal metric to every `stride`-th number: 1 for a bare diagonal [D], D + 1 in [D, D]. */
function addWeightedDiagonal(metric: Metric, weights: Float64Array, out: Float64Array, stride: number): void {
  const { count, dimension, matrices, lambda } = metric;
  for (let d = 0; d < dimension; d++) out[d * stride] += lambda;
  for (let k = 0; k < count; k++) {
    for (let d = 0; d < dimension; d++) out[d * stride] += weights[k] * matrices[k * dimension + d];
  }
}

/** tr(G M_k) for a symmetric G [D, D]. */
export function traceOfProduct(metric: Metric, k: number, g: Float64Array): number {
  const { dimension, matrices } = metric;
  let trace = 0;
  if (metric.kind === "diagonal") {
    for (let d = 0; d < dimension; d++) trace += g[d * (dimension + 1)] * matrices[k * dimension + d];
  } else {
    for (let i = 0; i < g.length; i++) trace += g[i] * matrices[k * g.length + i];
  }
  return trace;
}

/** Calls `visit` with the Cholesky factor of G⁻¹ at each point. */
function eachFactor(
  metric: Metric,
  points: Points,
  caller: string,
  visit: (factor: Float64Array, row: number) => void,
): void {
  const { dimension } = metric;
  const n = pointCount(points, dimension, caller);
  const weights = new Float64Array(metric.count);
  const inverse = new Float64Array(dimension * dimension);
  for (let row = 0; row < n; row++) {
    addWeighted(metric, kernelWeights(metric, points, row, weights), inverse.fill(0));
    const factor = cholesky(inverse, dimension);
    if (factor === null) {
      throw new MetricError(
        "NOT_POSITIVE_DEFINITE",
        `${caller}: the inverse metric at point ${row} is not positive definite; check the metric with validateMetric`,
      );
    }
    visit(factor, row);
  }
}
