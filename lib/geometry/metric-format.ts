// Metrics as named tensors and back: our key names and the ones that published metric files use.

import { MetricError } from "./errors.ts";
import { fullMatrices, type Metric } from "./metric.ts";
import { validateMetric } from "./validate-metric.ts";

/** A tensor read from a file, or a bare number where the file stores one. */
export interface NamedTensor {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}
export type NamedTensors = Readonly<Record<string, NamedTensor | number | undefined>>;

export interface MetricOverrides {
  /** T to use instead of the stored one. */
  temperature?: number;
  /** λ to use instead of the stored one. */
  lambda?: number;
}

const CENTROID_KEYS = ["centroids", "metric_centroids", "centers", "mu"];
const MATRIX_KEYS = ["M_matrices", "metric_vars", "M_i_flat", "M_tens"];
const TEMPERATURE_KEYS = ["temperature", "metric_temperature", "temp", "T", "beta"];
const LAMBDA_KEYS = ["regularization", "lambda", "lbd"];
/** λ of published files that do not store one. */
const DEFAULT_LAMBDA = 0.01;

/**
 * A validated metric from named tensors: centroids [K, D] and matrices [K, D] (diagonals) or [K, D, D], under any of
 * the key names above. Full matrices without any off-diagonal entry become a diagonal metric, which costs D times less.
 * Throws MISSING_TENSOR or BAD_SHAPE with the keys that were looked for, and whatever {@link validateMetric} finds.
 */
export function metricFromTensors(tensors: NamedTensors, overrides: MetricOverrides = {}): Metric {
  const centroids = requireTensor(tensors, CENTROID_KEYS, "the centroids");
  const matrices = requireTensor(tensors, MATRIX_KEYS, "the matrices M_k");
  if (centroids.shape.length !== 2) {
    throw new MetricError(
      "BAD_SHAPE",
      `metricFromTensors: got centroids of shape [${centroids.shape.join(", ")}], wanted [K, D]`,
    );
  }
  const [count, dimension] = centroids.shape;
  const isFull = sameShape(matrices.shape, [count, dimension, dimension]);
  if (!isFull && !sameShape(matrices.shape, [count, dimension])) {
    throw new MetricError(
      "BAD_SHAPE",
      `metricFromTensors: got matrices of shape [${matrices.shape.join(", ")}] ` +
        `beside centroids of shape [${count}, ${dimension}], wanted [${count}, ${dimension}] ` +
        `or [${count}, ${dimension}, ${dimension}]`,
    );
  }
  const temperature = overrides.temperature ?? scalar(tensors, TEMPERATURE_KEYS);
  if (temperature === undefined) {
    throw new MetricError(
      "MISSING_TENSOR",
      `metricFromTensors: got no temperature (${TEMPERATURE_KEYS.join(", ")}); state one, such as the largest ` +
        "nearest-neighbour distance of the centroids",
    );
  }
  const values = Float64Array.from(matrices.data);
  const diagonal = isFull ? diagonalsOf(values, count, dimension) : values;
  const metric: Metric = {
    kind: diagonal === null ? "full" : "diagonal",
    count,
    dimension,
    centroids: Float64Array.from(centroids.data),
    matrices: diagonal ?? values,
    temperature,
    lambda: overrides.lambda ?? scalar(tensors, LAMBDA_KEYS) ?? DEFAULT_LAMBDA,
  };
  validateMetric(metric);
  return metric;
}

/** A metric as named tensors that {@link metricFromTensors} reads back exactly; matrices are written as [K, D, D]. */
export function metricToTensors(metric: Metric): Record<string, { shape: number[]; data: Float64Array }> {
  const { count, dimension } = metric;
  return {
    centroids: { shape: [count, dimension], data: metric.centroids },
    M_matrices: { shape: [count, dimension, dimension], data: fullMatrices(metric) },
    temperature: { shape: [], data: Float64Array.of(metric.temperature) },
    regularization: { shape: [], data: Float64Array.of(metric.lambda) },
  };
}

function requireTensor(tensors: NamedTensors, keys: readonly string[], what: string): NamedTensor {
  const key = keys.find((candidate) => tensors[candidate] !== undefined);
  const found = key === undefined ? undefined : tensors[key];
  if (found === undefined || typeof found === "number") {
    const names = Object.keys(tensors).join(", ") || "nothing";
    throw new MetricError(
      "MISSING_TENSOR",
      `metricFromTensors: found ${names}, wanted ${what} under one of ${keys.join(", ")}`,
    );
  }
  return found;
}

function scalar(tensors: NamedTensors, keys: readonly string[]): number | undefined {
  for (const key of keys) {
    const found = tensors[key];
    if (typeof found === "number") return found;
    if (found !== undefined && found.data.length === 1) return found.data[0];
  }
  return undefined;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** The diagonals [K, D] of matrices [K, D, D], or null when any off-diagonal entry is not zero. */
function diagonalsOf(matrices: Float64Array, count: number, dimension: number): Float64Array | null {
  const diagonals = new Float64Array(count * dimension);
  for (let k = 0; k < count; k++) {
    for (let i = 0; i < dimension; i++) {
      for (let j = 0; j < dimension; j++) {
        const value = matrices[(k * dimension + i) * dimension + j];
        if (i === j) diagonals[k * dimension + i] = value;
        else if (value !== 0) return null;
      }
    }
  }
  return diagonals;
}
