// Gaussian noise that is as wide as the metric says: a unit ball of G is a unit ball of the noise.

import { cholesky } from "./cholesky.ts";
import { MetricError } from "./errors.ts";
import { inverseMetric } from "./metric-tensor.ts";
import type { Metric, RandomSource } from "./metric.ts";

/** One draw of N(0, G⁻¹(z)) at each of N points z [N, D]: L ε with L Lᵀ = G⁻¹(z), [N, D]. */
export function metricNoise(metric: Metric, points: Float64Array, random: RandomSource): Float64Array {
  const { dimension } = metric;
  const size = dimension * dimension;
  const inverses = inverseMetric(metric, points);
  const noise = random.normals(new Float64Array(points.length));
  for (let row = 0; row < points.length / dimension; row++) {
    const factor = cholesky(inverses.subarray(row * size, (row + 1) * size), dimension);
    if (factor === null) {
      throw new MetricError(
        "NOT_POSITIVE_DEFINITE",
        `metricNoise: the inverse metric at point ${row} is not positive definite; check it with validateMetric`,
      );
    }
    const own = noise.subarray(row * dimension, (row + 1) * dimension);
    // From the last row up, so that every product still finds the ε it needs.
    for (let i = dimension - 1; i >= 0; i--) {
      let sum = 0;
      for (let j = 0; j <= i; j++) sum += factor[i * dimension + j] * own[j];
      own[i] = sum;
    }
  }
  return noise;
}
