// One record of the metrics history: the keys of the original trainer, in its order, and the honest total beside them.

import type { AlloObjective } from "./config.ts";
import { eigenvaluesFromDuals } from "./eigenvalues.ts";

/** What a step leaves behind: multipliers before its ascent, and its errors and terms. */
export interface AlloObservation {
  readonly duals: ArrayLike<number>;
  readonly barrier: number;
  /** [d, d] of the two constraint batches. */
  readonly error: ArrayLike<number>;
  readonly secondError: ArrayLike<number>;
  /** [d] */
  readonly graph: ArrayLike<number>;
  /** [d]; zeros where the objective has none. */
  readonly perturbation: ArrayLike<number>;
  /** [d, d] sum of past errors; zeros where the objective has none. */
  readonly errorIntegral: ArrayLike<number>;
  /** Norm of the gradient of the network's parameters. */
  readonly networkGradNorm: number;
}

/** Features whose duals are recorded one by one. */
const RECORDED_DUALS = 11;

/**
 * The terms of the Lagrangian at one step, in the original's names and alphabetical order. Its `allo` adds the two
 * negated terms that only move the multipliers, so that they cancel what they mirror; `lagrangian` is what is minimised.
 * The duals' gradient and negated term are in units of the dual rate, as the original's are with its step size of one.
 */
export function alloRecord(observation: AlloObservation, objective: AlloObjective): Record<string, number> {
  const { duals, barrier, error, secondError, graph, perturbation, errorIntegral, networkGradNorm } = observation;
  const d = graph.length;
  const isOneSided = objective.constraints === "one-sided";
  const gate = gateWeights(error, d, objective.gateThreshold);
  const at = (row: number, column: number) => row * d + column;
  const overTriangle = (value: (position: number, row: number) => number): number => {
    let sum = 0;
    for (let row = 0; row < d; row++) for (let column = 0; column <= row; column++) sum += value(at(row, column), row);
    return sum;
  };
  const meanError = (p: number) => (isOneSided ? error[p] : (error[p] + secondError[p]) / 2);
  const penalty = (p: number, row: number) => gate[row] * (isOneSided ? 2 : 1) * error[p] * secondError[p];
  // Of duals that only the integral moves, the integral is the whole ascent.
  const [errorShare, integralShare] = objective.dualRate === 0 ? [0, Math.sign(objective.integralRate)] : [1, objective.integralRate / objective.dualRate];
  const ascent = (p: number, row: number) => errorShare * gate[row] * meanError(p) + integralShare * errorIntegral[p];

  const graphLoss = sum(graph) + sum(perturbation);
  const dualLoss = overTriangle((p, row) => duals[p] * gate[row] * meanError(p));
  const penaltySum = overTriangle(penalty);
  const barrierLoss = barrier * penaltySum;
  const dualLossNegative = -overTriangle((p, row) => duals[p] * ascent(p, row));
  const barrierLossNegative = -barrier * Math.abs(penaltySum);
  const dualGradNorm = Math.sqrt(overTriangle((p, row) => ascent(p, row) ** 2));

  const record: Record<string, number> = {
    allo: graphLoss + dualLoss + barrierLoss + dualLossNegative + barrierLossNegative,
    approx_eigenvalue_sum: sum(eigenvaluesFromDuals(duals, d, objective.graphScale)),
    barrier_coef: barrier,
    barrier_loss: barrierLoss,
    distance_to_constraint_manifold: overTriangle((p) => error[p] ** 2),
    distance_to_origin: overTriangle((p, row) => (p === at(row, row) ? error[p] + 1 : 0)),
    dual_loss: dualLoss,
    dual_loss_neg: dualLossNegative,
    grad_norm: Math.hypot(networkGradNorm, dualGradNorm, penaltySum),
    graph_loss: graphLoss,
    lagrangian: graphLoss + dualLoss + barrierLoss,
    total_error: overTriangle((p) => Math.abs(error[p])),
    total_norm_error: overTriangle((p, row) => (p === at(row, row) ? Math.abs(error[p]) : 0)),
    total_two_component_error: overTriangle((p, row) => (p - row * d < 2 ? Math.abs(error[p]) : 0)),
  };
  for (let row = 0; row < d; row++) {
    record[`graph_perturbation_${row}`] = perturbation[row];
    if (row >= RECORDED_DUALS) continue;
    record[`dual_${row}`] = duals[at(row, row)];
    for (const column of [0, 1]) if (column < row) record[`dual_${row}_${column}`] = duals[at(row, column)];
  }
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** [d] as the loss gates: zero behind the first feature with an error of at least the threshold. */
function gateWeights(error: ArrayLike<number>, d: number, threshold: number | null): number[] {
  let isOpen = true;
  return Array.from({ length: d }, (_, row) => {
    const weight = isOpen ? 1 : 0;
    for (let column = 0; column <= row; column++) {
      if (threshold !== null && Math.abs(error[row * d + column]) >= threshold) isOpen = false;
    }
    return weight;
  });
}

function sum(values: ArrayLike<number>): number {
  return Array.from(values).reduce((total, value) => total + value, 0);
}
