// The chain of inverse autoregressive flows that carries the latent of frame 0 through all frames.

import type { Tree } from "@cleanloop/compute";
import * as tf from "@tensorflow/tfjs-core";
import type { RlvaeConfig } from "./config.ts";
import { made, madeMaskTensors, type VariableOrder } from "./made.ts";

type FlowSizes = Pick<
  RlvaeConfig,
  "latentSize" | "flowHiddenSize" | "flowBlockCount" | "flowDirection" | "logScaleLimit" | "frameCount"
>;

/** The masks as tensors, made once per program and shared by all flows. */
export interface FlowMasks {
  natural: tf.Tensor2D[];
  reversed: tf.Tensor2D[];
}

/** Result of one flow: the moved latents [n, D] and the terms [n, D] whose sum over a row is its log|det J|. */
export interface FlowStep {
  z: tf.Tensor2D;
  logScales: tf.Tensor2D[];
}

/** Masks for both variable orders. */
export function flowMasks({ latentSize, flowHiddenSize }: FlowSizes): FlowMasks {
  return {
    natural: madeMaskTensors(latentSize, flowHiddenSize, "natural"),
    reversed: madeMaskTensors(latentSize, flowHiddenSize, "reversed"),
  };
}

/**
 * Order of the variables in block number `block`. The original reverses the dimensions before every block, the last
 * block first; here the latents stay as they are and every other block counts its variables backwards, which is the
 * same function without the copies. With an odd number of blocks one reversal remains, at the end of the flow.
 */
export function blockOrder(block: number, blockCount: number): VariableOrder {
  return (blockCount - block) % 2 === 1 ? "reversed" : "natural";
}

/**
 * Flow number `index` in the cheap direction: for blocks from last to first, x = y ⊙ exp(s(y)) + m(y).
 * y [n, D]; the log scales returned add up to log|det ∂x/∂y|.
 */
export function flowOnePass(params: Tree, index: number, y: tf.Tensor2D, sizes: FlowSizes, masks: FlowMasks): FlowStep {
  let z = y;
  const logScales: tf.Tensor2D[] = [];
  for (let block = sizes.flowBlockCount - 1; block >= 0; block--) {
    const order = blockOrder(block, sizes.flowBlockCount);
    const { shift, logScale } = made(params, blockName(index, block), z, masks[order], sizes.logScaleLimit);
    z = tf.add(tf.mul(z, tf.exp(logScale)), shift);
    logScales.push(logScale);
  }
  return { z: reversedIfOdd(z, sizes), logScales };
}

/**
 * Flow number `index` in the sequential direction, the inverse of {@link flowOnePass}: for blocks from first to last
 * and variables i in their order, y_i = (x_i - m_i(y_<i)) exp(-s_i(y_<i)); D network evaluations per block. x [n, D];
 * the negated log scales returned add up to log|det ∂y/∂x|.
 */
export function flowSequential(
  params: Tree,
  index: number,
  x: tf.Tensor2D,
  sizes: FlowSizes,
  masks: FlowMasks,
): FlowStep {
  let z = reversedIfOdd(x, sizes);
  const logScales: tf.Tensor2D[] = [];
  for (let block = 0; block < sizes.flowBlockCount; block++) {
    const order = blockOrder(block, sizes.flowBlockCount);
    const step = invertBlock(params, blockName(index, block), z, order, sizes, masks[order]);
    z = step.z;
    logScales.push(...step.logScales);
  }
  return { z, logScales };
}

/**
 * All latents z_0 … z_(T-1), [n, D] each, from z_0 by the first T - 1 flows in the configured direction,
 * and Σ_t log|det J_t| per row, [n].
 */
export function flowChain(
  params: Tree,
  z0: tf.Tensor2D,
  sizes: FlowSizes,
): { latents: tf.Tensor2D[]; logDet: tf.Tensor1D } {
  const masks = flowMasks(sizes);
  const flow = sizes.flowDirection === "one_pass" ? flowOnePass : flowSequential;
  const latents = [z0];
  const logScales: tf.Tensor2D[] = [];
  for (let index = 0; index < sizes.frameCount - 1; index++) {
    const step = flow(params, index, latents[index], sizes, masks);
    latents.push(step.z);
    logScales.push(...step.logScales);
  }
  if (logScales.length === 0) return { latents, logDet: tf.zeros([z0.shape[0]]) };
  // One concatenation and one sum instead of a sum per block.
  const total: tf.Tensor1D = tf.sum(tf.concat(logScales, 1), 1);
  return { latents, logDet: sizes.flowDirection === "one_pass" ? total : tf.neg(total) };
}

/** Name of block number `block` of flow number `index` among the parameters. */
export function blockName(index: number, block: number): string {
  return `flows.${index}.blocks.${block}`;
}

function reversedIfOdd(z: tf.Tensor2D, { flowBlockCount }: FlowSizes): tf.Tensor2D {
  return flowBlockCount % 2 === 1 ? tf.reverse(z, 1) : z;
}

/**
 * One block in the sequential direction. Variables that are not known yet enter as zeros: their weights are masked
 * anyway.
 */
function invertBlock(
  params: Tree,
  name: string,
  x: tf.Tensor2D,
  order: VariableOrder,
  { latentSize, logScaleLimit }: FlowSizes,
  masks: readonly tf.Tensor2D[],
): FlowStep {
  const rowCount = x.shape[0];
  const column = (matrix: tf.Tensor2D, d: number) => tf.slice(matrix, [0, d], [rowCount, 1]);
  const values: tf.Tensor2D[] = Array.from({ length: latentSize }, () => tf.zeros([rowCount, 1]));
  const logScales: tf.Tensor2D[] = [];
  for (let i = 0; i < latentSize; i++) {
    const d = order === "natural" ? i : latentSize - 1 - i;
    const { shift, logScale } = made(params, name, tf.concat(values, 1), masks, logScaleLimit);
    const own = column(logScale, d);
    values[d] = tf.mul(tf.sub(column(x, d), column(shift, d)), tf.exp(tf.neg(own)));
    logScales.push(own);
  }
  return { z: tf.concat(values, 1), logScales };
}
