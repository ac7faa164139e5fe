// ALLO without a network, for tests: features are a table [n, d] under gradient descent, the operator is exact.

import { createTrainingSession, type LossTerms, type Tree } from "@cleanloop/compute";
import { initialAlloCarry, type AlloObjective } from "@cleanloop/models";
import * as tf from "@tensorflow/tfjs-core";
import { alloLagrangian } from "../../lib/models/allo/loss.ts";

export interface Tabular {
  /** [n, n] symmetric, in single precision all the same. */
  readonly laplacian: Float32Array;
  /** [n, d] */
  readonly start: Float32Array;
  readonly objective: AlloObjective;
  /** u -= rate * gradient. */
  readonly rate: number;
  readonly lagrangian?: Lagrangian;
}
type Lagrangian = (features: tf.Tensor2D, laplacian: tf.Tensor2D, carry: Tree, objective: AlloObjective) => LossTerms;

/** trace(u^T L u) under the constraints u^T u = I: the model's own objective, with plain inner products. */
export const alloObjective: Lagrangian = (features, laplacian, carry, objective) => {
  const constrained = { rows: features, weights: 1 };
  const energies = tf.sum(tf.mul(features, tf.matMul(laplacian, features)), 0) as tf.Tensor1D;
  const batch = { squaredDifferences: tf.mul(2, energies) as tf.Tensor1D, first: constrained, second: constrained };
  return alloLagrangian(batch, carry, objective);
};

/**
 * Descends; `run(steps)` goes on for so many steps, `features` and `duals` are where it stands. The descent happens in
 * the carry, because sessions themselves know Adam alone: the session's own parameter stands by.
 */
export async function descend({ laplacian, start, objective, rate, lagrangian = alloObjective }: Tabular) {
  const n = Math.sqrt(laplacian.length);
  const d = start.length / n;
  const config = { featureCount: d, hiddenSize: 1, hiddenLayerCount: 1, initialisation: "flax" } as const;
  const perCall = 250;
  const session = await createTrainingSession({
    loss({ bystander }, _inputs, { features, ...multipliers }) {
      const operator = tf.tensor2d(laplacian, [n, n]);
      const at = (u: tf.Tensor2D) => lagrangian(u, operator, multipliers, objective);
      const gradient = tf.grad((u) => at(u as tf.Tensor2D).loss)(features);
      return {
        loss: tf.sum(bystander),
        carry: { ...at(features as tf.Tensor2D).carry, features: tf.sub(features, tf.mul(rate, gradient)) },
      };
    },
    params: { bystander: { shape: [1], data: new Float32Array(1) } },
    inputs: {},
    carry: { ...initialAlloCarry(config, objective), features: { shape: [n, d], data: start } },
    stepsPerCall: perCall,
  });
  return {
    session,
    get features() {
      return session.carry.features;
    },
    get duals() {
      return session.carry.duals;
    },
    async run(steps: number) {
      for (let left = steps; left > 0; left -= perCall) {
        const learningRates = Array.from({ length: Math.min(perCall, left) }, () => 0);
        const results = await session.steps({ learningRates });
        if (!results.every(({ updated }) => updated)) throw new Error("the descent is no longer finite");
      }
    },
  };
}
