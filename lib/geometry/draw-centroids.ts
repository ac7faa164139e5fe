// Centroids drawn at random: where the samplers start from.

import { drawProportional } from "./draw-proportional.ts";
import { MetricError } from "./errors.ts";
import type { Metric, UniformSource } from "./metric.ts";

/**
 * N centroids drawn independently, row-major [N, D], in proportion to `weights` [K] (all alike when absent).
 * Throws BAD_ARGUMENT for an N that is no whole number above 0.
 */
export function drawCentroids(
  metric: Metric,
  count: number,
  random: UniformSource,
  weights: Float64Array = new Float64Array(metric.count).fill(1),
): Float64Array {
  if (!Number.isInteger(count) || count < 1) {
    throw new MetricError("BAD_ARGUMENT", `drawCentroids: got ${count} samples, wanted a whole number of at least 1`);
  }
  const { dimension, centroids } = metric;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const out = new Float64Array(count * dimension);
  for (let row = 0; row < count; row++) {
    const k = drawProportional(weights, total, random);
    out.set(centroids.subarray(k * dimension, (k + 1) * dimension), row * dimension);
  }
  return out;
}
