// The encoder: one hidden layer, a mean head and a log-variance head.

import type { Tree } from "@cleanloop/compute";
import * as tf from "@tensorflow/tfjs-core";
import { linear } from "../linear.ts";

export interface Encoding {
  /** μ [n, D]. */
  mean: tf.Tensor2D;
  /** log σ² [n, D]. */
  logVar: tf.Tensor2D;
}

/** Posterior mean and log variance of frames [n, frameSize] with values in [0, 1]. */
export function encode(params: Tree, frames: tf.Tensor2D): Encoding {
  const hidden = encoderHidden(params, frames);
  return { mean: linear(params, "encoder.mean", hidden), logVar: linear(params, "encoder.logVar", hidden) };
}

/** Posterior mean alone, [n, D]: what a posterior made from the metric needs. */
export function encodeMean(params: Tree, frames: tf.Tensor2D): tf.Tensor2D {
  return linear(params, "encoder.mean", encoderHidden(params, frames));
}

function encoderHidden(params: Tree, frames: tf.Tensor2D): tf.Tensor2D {
  return tf.relu(linear(params, "encoder.hidden", frames));
}
