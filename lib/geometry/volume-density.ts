// The density proportional to √det G⁻¹, the prior that a metric implies, and samples of it by Hamiltonian Monte Carlo.

import { drawCentroids } from "./draw-centroids.ts";
import { MetricError } from "./errors.ts";
import { hamiltonianMonteCarlo, type HmcOptions, type HmcSamples, type LogDensity } from "./hmc.ts";
import { gradientHalfLogDetInverse, logDetMetric } from "./metric-tensor.ts";
import type { Metric, RandomSource } from "./metric.ts";

export interface VolumeDensityOptions {
  /** Distance from the nearest centroid, in units of T, beyond which the density is zero. */
  reach?: number;
}

/**
 * π(z) ∝ √det G⁻¹(z) within `reach` · T of a centroid, zero elsewhere. Far away √det G⁻¹ tends to λ^(D/2) and not to
 * zero, so that over all of R^D it has no finite integral and no chain could converge; `reach: Infinity` is that case,
 * of use to short chains alone. The mass lies within about T of the centroids: the default of 3 cuts off nothing else.
 */
export function volumeDensity(metric: Metric, { reach = 3 }: VolumeDensityOptions = {}): LogDensity {
  if (!(reach > 0)) {
    throw new MetricError("BAD_ARGUMENT", `volumeDensity: got reach ${reach}, wanted a positive number`);
  }
  const { count, dimension, centroids } = metric;
  const limit = (reach * metric.temperature) ** 2;
  const isInside = (points: Float64Array, row: number) => {
    for (let k = 0; k < count; k++) {
      let squared = 0;
      for (let d = 0; d < dimension; d++) squared += (points[row * dimension + d] - centroids[k * dimension + d]) ** 2;
      if (squared <= limit) return true;
    }
    return false;
  };
  return {
    dimension,
    logAt(points) {
      return logDetMetric(metric, points).map((value, row) => (isInside(points, row) ? -value / 2 : -Infinity));
    },
    gradientAt: (points) => gradientHalfLogDetInverse(metric, points),
  };
}

export interface RhvaeOptions extends Partial<HmcOptions>, VolumeDensityOptions {}

/**
 * N samples [N, D] of {@link volumeDensity} by chains that start at random centroids: the sampler of the Riemannian
 * Hamiltonian VAE (Chadebec, Mantoux and Allassonnière 2020), with the exact gradient (1/T²) Σ_k w_k tr(G M_k)(c_k - z)
 * in place of (1/T²) G Σ_k w_k M_k (c_k - z), which is about D times too short, and without tempering. The curvature of
 * -log π is at most D / T², so that leapfrog is stable below 2 T / √D; a step is a quarter of that unless given.
 */
export function sampleRhvae(
  metric: Metric,
  count: number,
  random: RandomSource,
  options: RhvaeOptions = {},
): HmcSamples {
  const { moves = 100, leapfrogSteps = 5, stepSize = metric.temperature / (2 * Math.sqrt(metric.dimension)) } = options;
  const starts = drawCentroids(metric, count, random);
  return hamiltonianMonteCarlo(volumeDensity(metric, options), starts, random, { moves, leapfrogSteps, stepSize });
}
