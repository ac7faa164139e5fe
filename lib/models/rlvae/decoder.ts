// The decoder, one hidden layer and a sigmoid, and its squared error with a short gradient.

import type { Tree } from "@cleanloop/compute";
import * as tf from "@tensorflow/tfjs-core";
import { linear } from "../linear.ts";

/** Frames [n, frameSize] in (0, 1) from latents [n, D]. */
export function decode(params: Tree, latents: tf.Tensor2D): tf.Tensor2D {
  return tf.sigmoid(decodeLogits(params, latents));
}

/** The decoder before its sigmoid, [n, frameSize]. */
export function decodeLogits(params: Tree, latents: tf.Tensor2D): tf.Tensor2D {
  return linear(params, "decoder.output", tf.relu(linear(params, "decoder.hidden", latents)));
}

/**
 * Σ (sigmoid(logits) - target)² over each row: [n, m], [n, m] -> [n]. One function with its own gradient,
 * 2 (y - t) y (1 - y) with y the sigmoid, because these are the largest activations of a training step and the composed
 * gradient passes over them twice more. The target has no gradient.
 */
export function sigmoidSquaredError(logits: tf.Tensor2D, target: tf.Tensor2D): tf.Tensor1D {
  const rowError = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [tf.Tensor2D, tf.GradSaveFunc];
    const output = tf.sigmoid(input);
    const residual = tf.sub(output, target);
    save([output, residual]);
    return {
      value: tf.sum(tf.square(residual), 1),
      gradFunc: (dy, [savedOutput, savedResidual]) => {
        const perRow = tf.mul(tf.reshape(dy, [-1, 1]), 2);
        return tf.mul(tf.mul(savedOutput, tf.sub(1, savedOutput)), tf.mul(savedResidual, perRow));
      },
    };
  });
  return rowError(logits) as tf.Tensor1D;
}
