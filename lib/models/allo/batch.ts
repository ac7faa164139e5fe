// One batch as the loss needs it, computed in either of two ways: from the n distinct states, or row by row.

import type { TensorSpec, Tree } from "@cleanloop/compute";
import * as tf from "@tensorflow/tfjs-core";
import type { AlloConfig, AlloObjective } from "./config.ts";
import { alloFeatures } from "./encoder.ts";

/**
 * `distinct`: the network sees every state once, batches come as weights over states and pairs of states; the network's
 * cost does not depend on the batch size, drawing it does. `rows`: the network sees every row of the batch, as the original
 * does. Both give the same loss and the same gradient.
 */
export type AlloEvaluation = "distinct" | "rows";

export interface AlloModel {
  readonly config: AlloConfig;
  readonly objective: AlloObjective;
  readonly evaluation: AlloEvaluation;
  /** [n, 2] network inputs of all states. */
  readonly coordinates: Float32Array;
}

/** Feature rows and their weights, which sum to one: [rows, d], and [rows, 1] or one number for all. */
export interface WeightedRows {
  readonly rows: tf.Tensor2D;
  readonly weights: tf.Tensor2D | number;
}

export interface AlloBatch {
  /** [d] mean of (phi(s) - phi(s'))^2 over the pairs. */
  readonly squaredDifferences: tf.Tensor1D;
  /** The two constraint batches. */
  readonly first: WeightedRows;
  readonly second: WeightedRows;
}

/**
 * What a batch consists of. distinct: laplacian [n, n] with trace(F^T laplacian F) = mean |F_s - F_s'|^2 over the pairs,
 * and the relative frequencies first, second [n] of the states in the two constraint batches. rows: the states of the
 * pairs, from and to, and of the constraint batches, as int32 [m]; one-sided constraints take `from` for their first batch.
 */
export function alloInputs(model: AlloModel, batchSize: number): Record<string, TensorSpec> {
  const { evaluation, objective, coordinates } = model;
  const n = coordinates.length / 2;
  if (evaluation === "distinct") return { laplacian: { shape: [n, n] }, first: { shape: [n] }, second: { shape: [n] } };
  const states = { shape: [batchSize], dtype: "int32" } as const;
  const rows = { from: states, to: states, second: states };
  return objective.constraints === "two-sided" ? { ...rows, first: states } : rows;
}

/** Evaluates the network on a batch of {@link alloInputs}. */
export function alloBatch(params: Tree, inputs: Tree, model: AlloModel): AlloBatch {
  return model.evaluation === "distinct" ? distinctBatch(params, inputs, model) : rowBatch(params, inputs, model);
}

const allStates = ({ coordinates }: AlloModel): tf.Tensor2D => tf.tensor2d(coordinates, [coordinates.length / 2, 2]);

function distinctBatch(params: Tree, inputs: Tree, model: AlloModel): AlloBatch {
  const features = alloFeatures(params, allStates(model), model.config);
  const column = (weights: tf.Tensor) => tf.reshape(weights, [-1, 1]) as tf.Tensor2D;
  return {
    squaredDifferences: quadraticForm(features, inputs.laplacian as tf.Tensor2D),
    first: { rows: features, weights: column(inputs.first) },
    second: { rows: features, weights: column(inputs.second) },
  };
}

/** Diagonal [d] of F^T L F for a symmetric L [n, n], whose gradient 2 L F needs no second product with L. */
function quadraticForm(features: tf.Tensor2D, laplacian: tf.Tensor2D): tf.Tensor1D {
  const form = tf.customGrad((...args) => {
    const [f, save] = args as unknown as [tf.Tensor2D, tf.GradSaveFunc];
    const applied = tf.matMul(laplacian, f);
    save([applied]);
    return {
      value: tf.sum(tf.mul(f, applied), 0),
      gradFunc: (dy, [savedApplied]) => tf.mul(tf.mul(savedApplied, 2), dy),
    };
  });
  return form(features) as tf.Tensor1D;
}

function rowBatch(params: Tree, inputs: Tree, model: AlloModel): AlloBatch {
  const coordinates = allStates(model);
  const featuresOf = (states: tf.Tensor) =>
    alloFeatures(params, tf.gather(coordinates, states as tf.Tensor1D), model.config);
  const weights = 1 / inputs.from.shape[0];
  const batchOf = (from: tf.Tensor2D, to: tf.Tensor2D, first: tf.Tensor2D, second: tf.Tensor2D): AlloBatch => ({
    squaredDifferences: tf.mul(tf.sum(tf.square(tf.sub(from, to)), 0), weights),
    first: { rows: first, weights },
    second: { rows: second, weights },
  });
  if (model.objective.constraints === "two-sided") {
    const all = featuresOf(tf.concat([inputs.from, inputs.to, inputs.first, inputs.second]));
    const [from, to, first, second] = tf.split<tf.Tensor2D>(all, 4);
    return batchOf(from, to, first, second);
  }
  const [from, to] = tf.split<tf.Tensor2D>(featuresOf(tf.concat([inputs.from, inputs.to])), 2);
  const second = featuresOf(inputs.second); // by itself: it carries no gradient, so no backward pass has to see it
  return batchOf(from, to, from, second);
}
