// The augmented Lagrangian of ALLO: what the network descends, and how the multipliers ascend.
// Gomez, Bowling, Machado: "Proper Laplacian Representation Learning", ICLR 2024, equation 6.

import type { LossTerms, Tree } from "@cleanloop/compute";
import * as tf from "@tensorflow/tfjs-core";
import type { AlloBatch, AlloModel, WeightedRows } from "./batch.ts";
import { alloBatch } from "./batch.ts";
import type { AlloObjective } from "./config.ts";
import { perturbationTerms } from "./perturbation.ts";
import { stopGradient } from "./stop-gradient.ts";

/** Share of the newest penalty in its average; the very first one is taken whole. */
const PENALTY_AVERAGE_RATE = 0.1;

/** {@link alloLagrangian} of the network on a batch of {@link alloInputs}. */
export function alloLoss(params: Tree, inputs: Tree, carry: Tree, model: AlloModel): LossTerms {
  return alloLagrangian(alloBatch(params, inputs, model), carry, model.objective);
}

/**
 * graph + <duals, error> + barrier * sum(penalty), with, for constraint batches U and V of features,
 *
 *     E_U = tril(U^T sg(U) / m - I), E_V likewise, sg() stopping gradients
 *     one-sided: error = E_U, penalty = 2 E_U sg(E_V)        two-sided: error = (E_U + E_V) / 2, penalty = E_U E_V
 *
 * The stop-gradients are the method: feature i answers for its overlap with the features before it and never the other
 * way round, which is why they come out in order and not rotated. The carry holds multipliers after their ascent, and the
 * errors and graph terms of this step for whoever reports them.
 */
export function alloLagrangian(batch: AlloBatch, carry: Tree, objective: AlloObjective): LossTerms {
  const { squaredDifferences, first, second } = batch;
  const isOneSided = objective.constraints === "one-sided";
  const d = squaredDifferences.size;
  const error = constraintError(first, d);
  const overlap = constraintError(second, d);
  const secondError = isOneSided ? stopGradient(overlap) : overlap;
  const meanError = (isOneSided ? error : tf.mul(tf.add(error, secondError), 0.5)) as tf.Tensor2D;

  const gate = gateOf(error, objective, d);
  const gated = (errors: tf.Tensor2D): tf.Tensor2D => (gate ? tf.mul(errors, tf.reshape(gate, [d, 1])) : errors);
  const gatedError = gated(meanError);
  const penalty = tf.mul(gated(error), isOneSided ? tf.mul(2, secondError) : secondError) as tf.Tensor2D;
  const differences = gate ? tf.mul(squaredDifferences, gate) : squaredDifferences;
  const graph = tf.mul(differences, objective.graphScale) as tf.Tensor1D;
  const perturbation = perturbationTerms(first, objective);

  const terms = [graph, tf.mul(carry.duals, gatedError), tf.mul(carry.barrier, penalty)].map((term) => tf.sum(term));
  if (perturbation) terms.push(tf.sum(perturbation));
  return {
    loss: tf.addN(terms) as tf.Scalar,
    carry: {
      ...ascended(carry, { meanError, gatedError, penalty }, objective),
      error, secondError, graph,
      ...(perturbation ? { perturbation } : {}),
    },
  };
}

/** tril(rows^T sg(weights * rows) - I) [d, d]: entry (j, k) is <u_j, u_k> - delta_jk with gradient into u_j alone. */
function constraintError({ rows, weights }: WeightedRows, d: number): tf.Tensor2D {
  const products = tf.matMul(rows, stopGradient(tf.mul(rows, weights) as tf.Tensor2D), true, false);
  return tf.mul(tf.sub(products, tf.eye(d)), lowerTriangle(d));
}

/** [d] one where a feature is trained, zero behind one whose errors are too large; null when all are trained. */
function gateOf(error: tf.Tensor2D, { gateThreshold }: AlloObjective, d: number): tf.Tensor1D | null {
  if (gateThreshold === null) return null;
  const failing = tf.cast(tf.greaterEqual(tf.max(tf.abs(stopGradient(error)), 1), gateThreshold), "float32");
  const failingBefore = tf.matMul(strictLowerTriangle(d), tf.reshape(failing, [d, 1]));
  return tf.reshape(tf.cast(tf.less(failingBefore, 0.5), "float32"), [d]);
}

interface Violations {
  /** Mean of the constraint batches' errors [d, d], whatever the gate says: what the integral sums. */
  meanError: tf.Tensor2D;
  gatedError: tf.Tensor2D;
  penalty: tf.Tensor2D;
}

/** The multipliers after one ascent. */
function ascended(carry: Tree, { meanError, gatedError, penalty }: Violations, objective: AlloObjective): Tree {
  const { dualRate, integralRate, integralDecay, dualLimit, barrierRate, barrierLimit } = objective;
  let duals = tf.add(carry.duals, tf.mul(dualRate, gatedError));
  const next: Tree = {};
  if (integralRate !== 0) {
    duals = tf.add(duals, tf.mul(integralRate, carry.errorIntegral));
    next.errorIntegral = tf.add(tf.mul(integralDecay, carry.errorIntegral), meanError);
  }
  next.duals = Number.isFinite(dualLimit) ? tf.clipByValue(duals, -dualLimit, dualLimit) : duals;

  let ascent = tf.abs(tf.sum(penalty));
  if (objective.constraints === "two-sided") {
    const rate = tf.add(tf.mul(carry.isFirstPenalty, 1 - PENALTY_AVERAGE_RATE), PENALTY_AVERAGE_RATE);
    next.penaltyAverage = tf.add(carry.penaltyAverage, tf.mul(rate, tf.sub(penalty, carry.penaltyAverage)));
    next.isFirstPenalty = tf.zerosLike(carry.isFirstPenalty);
    ascent = tf.mean(tf.relu(next.penaltyAverage));
  }
  next.barrier = tf.clipByValue(tf.add(carry.barrier, tf.mul(barrierRate, ascent)), 0, barrierLimit);
  return next;
}

const triangle = (d: number, isInside: (row: number, column: number) => boolean): tf.Tensor2D =>
  tf.tensor2d(Float32Array.from({ length: d * d }, (_, at) => Number(isInside(Math.floor(at / d), at % d))), [d, d]);
const lowerTriangle = (d: number): tf.Tensor2D => triangle(d, (row, column) => column <= row);
const strictLowerTriangle = (d: number): tf.Tensor2D => triangle(d, (row, column) => column < row);
