// Divergences of the posterior of z_0 from the prior, each the mean over a batch.

import * as tf from "@tensorflow/tfjs-core";
import { logDetMetric, squaredLength, traceInverse } from "./metric.ts";

/** Bound of log σ² inside the Gaussian divergence, as in the original. */
const MAX_ABS_LOG_VAR = 10;

/** KL(N(μ, σ²) ‖ N(0, I)) = ½ Σ (σ² + μ² - 1 - log σ²), averaged; μ and log σ² [n, D]. */
export function gaussianKl(mean: tf.Tensor2D, logVar: tf.Tensor2D): tf.Scalar {
  const bounded = tf.clipByValue(logVar, -MAX_ABS_LOG_VAR, MAX_ABS_LOG_VAR);
  const terms = tf.sub(tf.add(tf.exp(bounded), tf.square(mean)), tf.add(bounded, 1));
  return tf.mul(tf.sum(terms), 0.5 / mean.shape[0]);
}

/**
 * ½ (z - μ)ᵀ G(z) (z - μ), averaged: the divergence of the original. It is not one: with z ~ N(μ, G⁻¹(μ)) and a
 * metric that is constant on that scale it is D/2 for every μ, and otherwise it drives the latents to where the
 * metric is constant. z and μ [n, D]; `inverseAtSample` is G⁻¹(z).
 */
export function legacyKl(z: tf.Tensor2D, mean: tf.Tensor2D, inverseAtSample: tf.Tensor): tf.Scalar {
  return tf.mul(tf.mean(squaredLength(inverseAtSample, tf.sub(z, mean))), 0.5);
}

/**
 * KL(N(μ, G⁻¹(μ)) ‖ N(0, I)) = ½ [tr G⁻¹(μ) + ‖μ‖² - D + log det G(μ)], averaged: exact, with one evaluation of the
 * metric. μ [n, D]; `inverseAtMean` is G⁻¹(μ).
 */
export function exactKl(mean: tf.Tensor2D, inverseAtMean: tf.Tensor): tf.Scalar {
  const [, dimension] = mean.shape;
  const moments = tf.add(traceInverse(inverseAtMean), tf.sum(tf.square(mean), 1));
  return tf.mul(tf.mean(tf.sub(tf.add(moments, logDetMetric(inverseAtMean)), dimension)), 0.5);
}

/**
 * Divergence from the prior ∝ √det G⁻¹(z) · N(z; 0, σ₀² I), averaged, without the logarithm of that prior's
 * normaliser: ½ log det G(μ) + ½ log det G(z) - D/2 + (‖μ‖² + tr G⁻¹(μ)) / 2σ₀² + D log σ₀. One sample z ~ N(μ,
 * G⁻¹(μ)) estimates the second term, the others are closed forms. The Gaussian factor is needed: √det G⁻¹ alone
 * cannot be integrated.
 */
export function gaussianPriorKl(
  mean: tf.Tensor2D,
  inverseAtMean: tf.Tensor,
  inverseAtSample: tf.Tensor,
  priorStd: number,
): tf.Scalar {
  const [, dimension] = mean.shape;
  const volume = tf.mul(tf.add(logDetMetric(inverseAtMean), logDetMetric(inverseAtSample)), 0.5);
  const secondMoment = tf.add(traceInverse(inverseAtMean), tf.sum(tf.square(mean), 1));
  const perRow = tf.add(volume, tf.mul(secondMoment, 0.5 / priorStd ** 2));
  return tf.add(tf.mean(perRow), dimension * (Math.log(priorStd) - 0.5));
}
