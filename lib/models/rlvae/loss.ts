// The training loss with its named terms, and the same terms as an honest evaluation.

import type { Tree } from "@cleanloop/compute";
import * as tf from "@tensorflow/tfjs-core";
import type { RlvaeConfig } from "./config.ts";
import { decode, decodeLogits, sigmoidSquaredError } from "./decoder.ts";
import { flowChain } from "./flows.ts";
import type { MetricValues } from "./metric.ts";
import type { Objective } from "./objective.ts";
import { samplePosterior } from "./posterior.ts";

/** Everything that is fixed while a model trains. */
export interface RlvaeModel {
  config: RlvaeConfig;
  objective: Objective;
  /** Needed by the `riemannian_metric` posterior. */
  metric?: MetricValues;
}

/**
 * x: sequences [n, T, frameSize] with values in [0, 1]; noise: standard normal [n, D], or zeros for the posterior
 * mean.
 */
export type RlvaeInputs = Readonly<Record<"x" | "noise", tf.Tensor>>;

/** Weight of the squared error of frame 0 in closed mode, where that frame stands at both ends of the loop. */
const CLOSED_FIRST_FRAME_WEIGHT = 2;

/**
 * The loss to minimise, recon + klWeight · kl + flowWeight · flow + cyclePenalty · cycle, and its terms as scalars.
 * recon sums squared errors over all values of a sequence and averages over the batch; in closed mode the last latent
 * is replaced by z_0 before decoding and frame 0 counts twice. cycle is mean (z_last - z_0)² of the latent before it is
 * replaced, 0 in open mode; latentCyclicity is that mean in both modes.
 */
export function rlvaeLoss(
  params: Tree,
  inputs: RlvaeInputs,
  model: RlvaeModel,
): { loss: tf.Scalar; metrics: Record<"recon" | "kl" | "flow" | "cycle" | "latentCyclicity", tf.Scalar> } {
  const { kl, latents, flow, latentCyclicity } = forward(params, inputs, model);
  const isClosed = model.objective.loopMode === "closed";
  const decoded = isClosed ? [...latents.slice(0, -1), latents[0]] : latents;
  const errors = sigmoidSquaredError(decodeLogits(params, stackFrames(decoded)), flattenFrames(inputs.x));
  const recon = reconstructionTerm(errors, inputs.x.shape[0], model);
  const cycle = isClosed ? latentCyclicity : tf.scalar(0);
  const loss = weightedTotal({ recon, kl, flow, cycle }, model.objective);
  return { loss, metrics: { recon, kl, flow, cycle, latentCyclicity } };
}

/**
 * The terms of {@link rlvaeLoss} on latents that nothing overwrites, so that closed mode has to return by itself, as
 * scalars. loss uses the weights of the objective. squaredError is the reconstruction with every frame counted once,
 * comparable between the loop modes; imageCyclicity is mean (x̂_0 - x̂_last)².
 */
export function rlvaeEvaluation(
  params: Tree,
  inputs: RlvaeInputs,
  model: RlvaeModel,
): Record<EvaluationTerm, tf.Scalar> {
  const { kl, latents, flow, latentCyclicity } = forward(params, inputs, model);
  const batchSize = inputs.x.shape[0];
  const reconstruction = decode(params, stackFrames(latents));
  const errors: tf.Tensor1D = tf.sum(tf.squaredDifference(reconstruction, flattenFrames(inputs.x)), 1);
  const recon = reconstructionTerm(errors, batchSize, model);
  const cycle = model.objective.loopMode === "closed" ? latentCyclicity : tf.scalar(0);
  return {
    loss: weightedTotal({ recon, kl, flow, cycle }, model.objective),
    recon,
    kl,
    flow,
    cycle,
    latentCyclicity,
    imageCyclicity: firstToLast(reconstruction, batchSize, model.config.frameCount),
    squaredError: tf.mul(tf.sum(errors), 1 / batchSize),
  };
}
export type EvaluationTerm =
  "loss" | "recon" | "kl" | "flow" | "cycle" | "latentCyclicity" | "imageCyclicity" | "squaredError";

/**
 * Posterior means [n, D], latents of all frames [n, T, D] and decoded frames [n, T, frameSize]; nothing is overwritten.
 */
export function rlvaeReconstruction(
  params: Tree,
  inputs: RlvaeInputs,
  model: RlvaeModel,
): { mean: tf.Tensor2D; latents: tf.Tensor3D; reconstruction: tf.Tensor3D } {
  const { mean, latents } = forward(params, inputs, model);
  const { frameCount, frameSize, latentSize } = model.config;
  const stacked = stackFrames(latents);
  return {
    mean,
    latents: tf.reshape(stacked, [-1, frameCount, latentSize]),
    reconstruction: tf.reshape(decode(params, stacked), [-1, frameCount, frameSize]),
  };
}

function forward(params: Tree, { x, noise }: RlvaeInputs, { config, objective, metric }: RlvaeModel) {
  const batchSize = x.shape[0];
  const firstFrames: tf.Tensor2D = tf.reshape(tf.slice(x, [0, 0, 0], [batchSize, 1, config.frameSize]), [
    batchSize,
    config.frameSize,
  ]);
  const { mean, z, kl } = samplePosterior(params, firstFrames, noise as tf.Tensor2D, objective, metric);
  const { latents, logDet } = flowChain(params, z, config);
  const latentCyclicity: tf.Scalar = tf.mean(tf.squaredDifference(latents[latents.length - 1], z));
  return { mean, kl, latents, flow: tf.neg(tf.mean(logDet)) as tf.Scalar, latentCyclicity };
}

/** Latents of T frames, [n, D] each, as rows [n·T, D] in the order of the sequences. */
function stackFrames(latents: readonly tf.Tensor2D[]): tf.Tensor2D {
  return tf.reshape(tf.concat([...latents], 1), [-1, latents[0].shape[1]]);
}

function flattenFrames(x: tf.Tensor): tf.Tensor2D {
  return tf.reshape(x, [x.shape[0] * (x.shape[1] as number), x.shape[2] as number]);
}

/** Errors of all frames [n·T] to the mean over sequences of their weighted sum. */
function reconstructionTerm(errors: tf.Tensor1D, batchSize: number, { config, objective }: RlvaeModel): tf.Scalar {
  if (objective.loopMode === "open") return tf.mul(tf.sum(errors), 1 / batchSize);
  const weights = new Float32Array(config.frameCount).fill(1);
  weights[0] = CLOSED_FIRST_FRAME_WEIGHT;
  return tf.mul(
    tf.sum(tf.mul(tf.reshape(errors, [batchSize, config.frameCount]), tf.tensor1d(weights))),
    1 / batchSize,
  );
}

function weightedTotal(
  { recon, kl, flow, cycle }: Record<"recon" | "kl" | "flow" | "cycle", tf.Scalar>,
  { klWeight, flowWeight, loopMode, cyclePenalty }: Objective,
): tf.Scalar {
  let total: tf.Scalar = tf.add(recon, tf.mul(kl, klWeight));
  // A term without weight is left out instead of multiplied by zero, so that it costs no backward pass. The loop
  // penalty stays: in closed mode it may be the only term that reaches the last flow.
  if (flowWeight !== 0) total = tf.add(total, tf.mul(flow, flowWeight));
  if (loopMode === "closed") total = tf.add(total, tf.mul(cycle, cyclePenalty));
  return total;
}

function firstToLast(frames: tf.Tensor2D, batchSize: number, frameCount: number): tf.Scalar {
  const frameSize = frames.shape[1];
  const sequences = tf.reshape(frames, [batchSize, frameCount, frameSize]);
  const frame = (index: number) => tf.slice(sequences, [0, index, 0], [batchSize, 1, frameSize]);
  return tf.mean(tf.squaredDifference(frame(0), frame(frameCount - 1)));
}
