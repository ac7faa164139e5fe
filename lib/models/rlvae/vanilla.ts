// The plain VAE on single frames that encoder and decoder are pre-trained as; its posterior means make the metric.

import type { Tree } from "@cleanloop/compute";
import * as tf from "@tensorflow/tfjs-core";
import { decodeLogits, sigmoidSquaredError } from "./decoder.ts";
import { encode } from "./encoder.ts";
import { gaussianKl } from "./kl.ts";
import { gaussianSample } from "./posterior.ts";

/** x: frames [n, frameSize] with values in [0, 1]; noise: standard normal [n, D]. */
export type VanillaInputs = Readonly<Record<"x" | "noise", tf.Tensor>>;

/** Negative evidence bound per frame, loss = recon + kl, with recon the sum of squares over a frame; batch means. */
export function vanillaLoss(
  params: Tree,
  { x, noise }: VanillaInputs,
): { loss: tf.Scalar; metrics: Record<"recon" | "kl", tf.Scalar> } {
  const frames = x as tf.Tensor2D;
  const { mean, logVar } = encode(params, frames);
  const z = gaussianSample(mean, logVar, noise as tf.Tensor2D);
  const recon: tf.Scalar = tf.mean(sigmoidSquaredError(decodeLogits(params, z), frames));
  const kl = gaussianKl(mean, logVar);
  return { loss: tf.add(recon, kl), metrics: { recon, kl } };
}
