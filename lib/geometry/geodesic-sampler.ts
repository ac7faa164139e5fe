// The geodesic prior: points on geodesics between centroids, with noise across them.

import { MetricError } from "./errors.ts";
import { geodesicField, type GeodesicField } from "./geodesic-field.ts";
import { geodesicBetween, type GeodesicOptions } from "./geodesic.ts";
import { metricNoise } from "./metric-noise.ts";
import type { Metric, RandomSource } from "./metric.ts";

export interface GeodesicSamplerOptions extends GeodesicOptions {
  /** Noise across the geodesic, as a multiple of √G⁻¹. */
  scale?: number;
}

/**
 * N samples [N, D]: the geodesic between two different centroids, a point on it uniform in Riemannian length, plus
 * s times a draw of N(0, G⁻¹) without its part along the geodesic, n - v (vᵀ G n) / (vᵀ G v). The original takes the
 * straight segment for the geodesic, and noise that is orthogonal in the Euclidean sense before √G⁻¹ tilts it.
 * One search for a geodesic per sample: milliseconds each. Throws BAD_ARGUMENT, TOO_FEW_POINTS for a single centroid.
 */
export function sampleGeodesic(
  metric: Metric,
  count: number,
  random: RandomSource,
  options: GeodesicSamplerOptions = {},
): Float64Array {
  const { scale = 0.2 } = options;
  const { dimension, centroids } = metric;
  if (!Number.isInteger(count) || count < 1) {
    throw new MetricError("BAD_ARGUMENT", `sampleGeodesic: got ${count} samples, wanted a whole number of at least 1`);
  }
  if (!(scale >= 0) || scale === Infinity) {
    throw new MetricError("BAD_ARGUMENT", `sampleGeodesic: got scale ${scale}, wanted a number of at least 0`);
  }
  if (metric.count < 2) {
    throw new MetricError("TOO_FEW_POINTS", `sampleGeodesic: got ${metric.count} centroid, wanted two or more`);
  }
  const field = geodesicField(metric);
  const [momentum, gradient] = [new Float64Array(dimension), new Float64Array(dimension)];
  const centroid = (k: number) => centroids.slice(k * dimension, (k + 1) * dimension);

  const samples = new Float64Array(count * dimension);
  for (let row = 0; row < count; row++) {
    const first = Math.floor(random.uniform() * metric.count);
    const second = (first + 1 + Math.floor(random.uniform() * (metric.count - 1))) % metric.count;
    const { path } = geodesicBetween(field, centroid(first), centroid(second), options);
    const { lengths, deltas } = segmentsOf(field, path);
    const { segment, share } = locate(lengths, random.uniform());
    const delta = deltas[segment];
    const point = delta.map((value, d) => path[segment * dimension + d] + share * value);

    const noise = metricNoise(metric, point, random);
    const squared = field.squaredSpeed(point, delta, momentum, gradient); // momentum becomes G Δ
    const along = squared > 0 ? noise.reduce((sum, value, d) => sum + value * momentum[d], 0) / squared : 0;
    samples.set(point.map((value, d) => value + scale * (noise[d] - along * delta[d])), row * dimension);
  }
  return samples;
}

/** Δ_i of each segment of a path [M + 1, D] and its length under the midpoint rule. */
function segmentsOf(field: GeodesicField, path: Float64Array) {
  const { dimension } = field;
  const [momentum, gradient] = [new Float64Array(dimension), new Float64Array(dimension)];
  const deltas = Array.from({ length: path.length / dimension - 1 }, (_, segment) => {
    const from = segment * dimension;
    return Float64Array.from({ length: dimension }, (_, d) => path[from + dimension + d] - path[from + d]);
  });
  const lengths = deltas.map((delta, segment) => {
    const middle = delta.map((value, d) => path[segment * dimension + d] + value / 2);
    return Math.sqrt(field.squaredSpeed(middle, delta, momentum, gradient));
  });
  return { deltas, lengths };
}

/** The segment in which the share `at` of the whole length lies, and the share of that segment before it. */
function locate(lengths: readonly number[], at: number): { segment: number; share: number } {
  let remaining = at * lengths.reduce((sum, length) => sum + length, 0);
  const last = lengths.length - 1;
  for (let segment = 0; segment < last; segment++) {
    if (remaining < lengths[segment]) return { segment, share: remaining / lengths[segment] };
    remaining -= lengths[segment];
  }
  return { segment: last, share: lengths[last] > 0 ? Math.min(1, remaining / lengths[last]) : 0 };
}
