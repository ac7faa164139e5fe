// Cheap priors: Gaussians around the centroids, shaped by the metric there.

import { drawCentroids } from "./draw-centroids.ts";
import { MetricError } from "./errors.ts";
import { metricNoise } from "./metric-noise.ts";
import { logDetMetric } from "./metric-tensor.ts";
import type { Metric, RandomSource } from "./metric.ts";

/** Standard deviation of a component of the mixture, as the geometric mean over its axes. */
const MIXTURE_DEVIATION = 0.4;
/** What {@link sampleMixture} may multiply √G⁻¹ by. */
const MIXTURE_SCALES = [0.1, 1] as const;

/**
 * The centroid-aware prior: N samples [N, D] of c_k + s L ε with L Lᵀ = G⁻¹(c_k) and k uniform, thus N(c_k, s² G⁻¹(c_k)):
 * s is the typical Riemannian distance to the centroid over √D. The original's two factors 0.5 and 0.3 are the one s.
 */
export function sampleCentroidAware(
  metric: Metric,
  count: number,
  random: RandomSource,
  { scale = 0.15 }: { scale?: number } = {},
): Float64Array {
  if (!(scale > 0) || scale === Infinity) {
    throw new MetricError("BAD_ARGUMENT", `sampleCentroidAware: got scale ${scale}, wanted a positive number`);
  }
  const centres = drawCentroids(metric, count, random);
  const noise = metricNoise(metric, centres, random);
  return centres.map((value, i) => value + scale * noise[i]);
}

/**
 * The weighted mixture: N samples [N, D] of N(c_k, s_k² G⁻¹(c_k)) with k in proportion to exp(-‖c_k‖ / 2), where s_k
 * brings the geometric mean of the deviations, det(G⁻¹)^(1/2D), to 0.4, but is kept within 0.1 to 1. The original takes
 * the determinant itself, which leaves float32 at a few dozen dimensions, and weights that all underflow when the
 * centroids are far out; here both are differences of logarithms.
 */
export function sampleMixture(metric: Metric, count: number, random: RandomSource): Float64Array {
  const { dimension } = metric;
  const centres = drawCentroids(metric, count, random, mixtureWeights(metric));
  const logDet = logDetMetric(metric, centres);
  const noise = metricNoise(metric, centres, random);
  const [lowest, highest] = MIXTURE_SCALES;
  return centres.map((value, i) => {
    const unclamped = MIXTURE_DEVIATION * Math.exp(logDet[Math.floor(i / dimension)] / (2 * dimension));
    return value + Math.min(highest, Math.max(lowest, unclamped)) * noise[i];
  });
}

/** exp(-‖c_k‖ / 2) [K], divided by the largest of them. */
function mixtureWeights({ count, dimension, centroids }: Metric): Float64Array {
  const norms = Float64Array.from({ length: count }, (_, k) => {
    return Math.hypot(...centroids.subarray(k * dimension, (k + 1) * dimension));
  });
  const nearest = Math.min(...norms);
  return norms.map((norm) => Math.exp((nearest - norm) / 2));
}
