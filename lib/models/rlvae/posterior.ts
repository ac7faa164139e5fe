// The posterior of z_0 given frame 0, and its divergence under an objective.

import type { Tree } from "@cleanloop/compute";
import * as tf from "@tensorflow/tfjs-core";
import { ModelError } from "../errors.ts";
import { encode, encodeMean } from "./encoder.ts";
import { exactKl, gaussianKl, gaussianPriorKl, legacyKl } from "./kl.ts";
import { colourNoise, inverseMetric, type MetricValues } from "./metric.ts";
import { usesMetric, type Objective } from "./objective.ts";

/** A posterior with one sample; zero noise makes the sample its mean. */
export interface PosteriorSample {
  /** μ [n, D]. */
  mean: tf.Tensor2D;
  /** z_0 [n, D]. */
  z: tf.Tensor2D;
  /** Divergence from the prior, a scalar before its weight. */
  kl: tf.Scalar;
}

/**
 * Samples z_0 for frames [n, frameSize] with standard normal noise [n, D]. `riemannian_metric`: z_0 = μ + L ε with L
 * Lᵀ = (G(μ) + 1e-6 I)⁻¹, whatever log σ² says. `gaussian` and `iaf`: z_0 = μ + σ ε. Throws MISSING_METRIC when the
 * posterior needs a metric and none is given.
 */
export function samplePosterior(
  params: Tree,
  frames: tf.Tensor2D,
  noise: tf.Tensor2D,
  objective: Objective,
  metric: MetricValues | undefined,
): PosteriorSample {
  if (!usesMetric(objective)) {
    const { mean, logVar } = encode(params, frames);
    return { mean, z: gaussianSample(mean, logVar, noise), kl: gaussianKl(mean, logVar) };
  }
  if (metric === undefined) {
    throw new ModelError(
      "MISSING_METRIC",
      `samplePosterior: got no metric, wanted one for posterior ${objective.posterior}; ` +
        "build one from a pre-trained VAE",
    );
  }
  const mean = encodeMean(params, frames);
  const inverseAtMean = inverseMetric(metric, mean);
  const z = tf.add(mean, colourNoise(inverseAtMean, noise)) as tf.Tensor2D;
  return { mean, z, kl: riemannianKl(mean, z, inverseAtMean, objective, metric) };
}

/** μ + σ ε, [n, D]. */
export function gaussianSample(mean: tf.Tensor2D, logVar: tf.Tensor2D, noise: tf.Tensor2D): tf.Tensor2D {
  return tf.add(mean, tf.mul(tf.exp(tf.mul(logVar, 0.5)), noise));
}

function riemannianKl(
  mean: tf.Tensor2D,
  z: tf.Tensor2D,
  inverseAtMean: tf.Tensor,
  { kl, priorStd }: Objective,
  metric: MetricValues,
): tf.Scalar {
  switch (kl) {
    case "exact":
      return exactKl(mean, inverseAtMean);
    case "legacy":
      return legacyKl(z, mean, inverseMetric(metric, z));
    case "gaussian_prior":
      return gaussianPriorKl(mean, inverseAtMean, inverseMetric(metric, z), priorStd);
    case "gaussian":
      throw new ModelError("BAD_OBJECTIVE", "samplePosterior: got kl gaussian with posterior riemannian_metric");
  }
}
