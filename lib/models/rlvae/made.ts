// MADE: the masked autoregressive network whose output d sees only the inputs that come before d in its order.

import type { Tree } from "@cleanloop/compute";
import * as tf from "@tensorflow/tfjs-core";
import { maskedLinear } from "../linear.ts";

/** Order in which the variables depend on each other: first to last, or last to first. */
export type VariableOrder = "natural" | "reversed";

/** Linear layers of a MADE: to the first hidden layer, two between hidden layers, and to the output. */
export const MADE_LAYER_COUNT = 4;

/** Sizes of the layers, [out, in] each, for D variables and hidden width H. */
export function madeLayerShapes(latentSize: number, hiddenSize: number): [number, number][] {
  return [
    [hiddenSize, latentSize],
    [hiddenSize, hiddenSize],
    [hiddenSize, hiddenSize],
    [2 * latentSize, hiddenSize],
  ];
}

/**
 * Degrees of the inputs [D] and of the units of each hidden layer [H] (all three alike). Variables count from 1 in
 * their order; hidden unit j of H gets max(1, ⌈j (D - 1) / (H + 1)⌉), so that every degree from 1 to D - 1 has its
 * share.
 */
export function madeDegrees(
  latentSize: number,
  hiddenSize: number,
  order: VariableOrder,
): { input: number[]; hidden: number[] } {
  const input = Array.from({ length: latentSize }, (_, d) => (order === "natural" ? d + 1 : latentSize - d));
  const hidden = Array.from({ length: hiddenSize }, (_, j) => {
    return Math.max(1, Math.ceil(((j + 1) * (latentSize - 1)) / (hiddenSize + 1)));
  });
  return { input, hidden };
}

/**
 * The masks of the four layers, each [out, in] row-major: 1 where a hidden unit's degree is at least that of the unit
 * below, and where an output's degree is above that of the hidden unit (Germain et al. 2015, "MADE", equations 12 and
 * 13).
 */
export function madeMasks(latentSize: number, hiddenSize: number, order: VariableOrder): Float32Array[] {
  const { input, hidden } = madeDegrees(latentSize, hiddenSize, order);
  const reaches = (below: number[], above: number[]) => above.flatMap((to) => below.map((from) => Number(to >= from)));
  const toOutput = [...input, ...input].flatMap((to) => hidden.map((from) => Number(to > from)));
  const betweenHidden = Float32Array.from(reaches(hidden, hidden));
  return [Float32Array.from(reaches(input, hidden)), betweenHidden, betweenHidden, Float32Array.from(toOutput)];
}

/** {@link madeMasks} as tensors, for use inside a program. */
export function madeMaskTensors(latentSize: number, hiddenSize: number, order: VariableOrder): tf.Tensor2D[] {
  const shapes = madeLayerShapes(latentSize, hiddenSize);
  return madeMasks(latentSize, hiddenSize, order).map((mask, layer) => tf.tensor2d(mask, shapes[layer]));
}

/**
 * Shift m and log scale s, [n, D] each, of y [n, D]: one pass through the network called `name`. Like the original
 * the first layer has no activation. A limit c bounds the log scales smoothly, s = c tanh(s'/c), keeping a gradient
 * everywhere.
 */
export function made(
  params: Tree,
  name: string,
  y: tf.Tensor2D,
  masks: readonly tf.Tensor2D[],
  logScaleLimit: number | null,
): { shift: tf.Tensor2D; logScale: tf.Tensor2D } {
  let hidden = maskedLinear(params, `${name}.layers.0`, y, masks[0]);
  hidden = tf.relu(maskedLinear(params, `${name}.layers.1`, hidden, masks[1]));
  hidden = tf.relu(maskedLinear(params, `${name}.layers.2`, hidden, masks[2]));
  const [shift, free]: tf.Tensor2D[] = tf.split(maskedLinear(params, `${name}.layers.3`, hidden, masks[3]), 2, 1);
  return { shift, logScale: logScaleLimit === null ? free : softLimit(free, logScaleLimit) };
}

/** c tanh(x / c). */
function softLimit(x: tf.Tensor2D, limit: number): tf.Tensor2D {
  return tf.mul(tf.tanh(tf.div(x, limit)), limit);
}
