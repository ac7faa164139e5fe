// Penalties on features that have collapsed to a constant, as the original trainer offers them.

import * as tf from "@tensorflow/tfjs-core";
import type { WeightedRows } from "./batch.ts";
import type { AlloObjective } from "./config.ts";

/**
 * [d] penalty of each feature, zero for the first (which is the constant one); null when the objective has none. With v
 * the batch variance of a feature, c its centred values and delta = exp(-1 / scale):
 *
 *     exponential:        epsilon clip(exp(-v / scale) - delta, 0, 1)
 *     squared:            epsilon clip(mean((|c - 1| + delta)^2 - delta^2), 0, 1)
 *     squared-null-grad:  epsilon clip(mean (c - 1)^2, 0, 1)
 */
export function perturbationTerms({ rows, weights }: WeightedRows, objective: AlloObjective): tf.Tensor1D | null {
  const { perturbation, graphEpsilon, graphVarianceScale } = objective;
  if (perturbation === "none") return null;
  const meanOverRows = (values: tf.Tensor): tf.Tensor1D => tf.sum(tf.mul(values, weights), 0);
  const delta = Math.exp(-1 / graphVarianceScale);
  const centred = tf.sub(rows, meanOverRows(rows));
  const distance = tf.sub(centred, 1);
  const raw = {
    exponential: () => tf.sub(tf.exp(tf.div(meanOverRows(tf.square(centred)), -graphVarianceScale)), delta),
    squared: () => meanOverRows(tf.sub(tf.square(tf.add(tf.abs(distance), delta)), delta * delta)),
    "squared-null-grad": () => meanOverRows(tf.square(distance)),
  }[perturbation]();
  const isPenalised = tf.tensor1d(Float32Array.from({ length: rows.shape[1] }, (_, feature) => Number(feature > 0)));
  return tf.mul(tf.mul(tf.clipByValue(raw, 0, 1), isPenalised), graphEpsilon);
}
