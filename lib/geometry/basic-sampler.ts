// The basic prior: the density √det G⁻¹ held together by a standard normal, which needs no cut-off.

import { MetricError } from "./errors.ts";
import { hamiltonianMonteCarlo, type HmcOptions, type HmcSamples, type LogDensity } from "./hmc.ts";
import { gradientHalfLogDetInverse, logDetMetric } from "./metric-tensor.ts";
import type { Metric, RandomSource } from "./metric.ts";

/** Standard deviation of the starts. */
const START_DEVIATION = 0.5;

/** π(z) ∝ √det G⁻¹(z) e^(-‖z‖² / 2) on R^D; √det G⁻¹ is bounded, so that its integral is finite. */
export function normalVolumeDensity(metric: Metric): LogDensity {
  const { dimension } = metric;
  return {
    dimension,
    logAt(points) {
      const logDensity = logDetMetric(metric, points).map((value) => -value / 2);
      points.forEach((value, i) => (logDensity[Math.floor(i / dimension)] -= value ** 2 / 2));
      return logDensity;
    },
    gradientAt: (points) => gradientHalfLogDetInverse(metric, points).map((value, i) => value - points[i]),
  };
}

/**
 * N samples [N, D] of {@link normalVolumeDensity} by chains that start at draws of N(0, I / 4). The original takes ten
 * short steps up the gradient of log π from such starts, and ends at neither samples nor maxima: its result depends on
 * the number of steps. Here the same gradient drives a sampler. Centroids many T away from the start are found late or
 * never: `sampleRhvae` starts on them. The default step is a quarter of the largest stable one, 2 / √(D / T² + 1).
 */
export function sampleBasic(
  metric: Metric,
  count: number,
  random: RandomSource,
  options: Partial<HmcOptions> = {},
): HmcSamples {
  const { dimension, temperature } = metric;
  const { moves = 100, leapfrogSteps = 5, stepSize = 0.5 / Math.sqrt(dimension / temperature ** 2 + 1) } = options;
  if (!Number.isInteger(count) || count < 1) {
    throw new MetricError("BAD_ARGUMENT", `sampleBasic: got ${count} samples, wanted a whole number of at least 1`);
  }
  const starts = random.normals(new Float64Array(count * dimension)).map((value) => START_DEVIATION * value);
  return hamiltonianMonteCarlo(normalVolumeDensity(metric), starts, random, { moves, leapfrogSteps, stepSize });
}
