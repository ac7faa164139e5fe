// What a recorded step saw and what it left: taken apart at the moments when the session stands still.
import type { StepResult, TrainingSession } from "@cleanloop/compute";
import type { AlloObjective, AlloObservation } from "@cleanloop/models";
import { alloRecord } from "@cleanloop/models";

/** Multipliers before a step's ascent. */
export interface Multipliers {
  duals: Float32Array;
  barrier: number;
  errorIntegral: Float32Array;
}

/** Copies of the multipliers; to be called before the step. */
export function multipliersOf({ carry }: TrainingSession): Multipliers {
  const { duals, barrier, errorIntegral } = carry;
  return { duals: duals.slice(), barrier: barrier[0], errorIntegral: errorIntegral?.slice() ?? new Float32Array(duals.length) };
}

/**
 * The terms of the step that `result` tells of, from the carry it left; to be called before the next step. A step that was not
 * finite leaves nothing: its terms are NaN.
 */
export function termsOf(before: Multipliers, { carry }: TrainingSession, result: StepResult, objective: AlloObjective): Record<string, number> {
  const { error, secondError, graph } = carry;
  const perturbation = carry.perturbation ?? new Float32Array(graph.length);
  const seen = (terms: Float32Array) => (result.updated ? terms : new Float32Array(terms.length).fill(NaN));
  const observation: AlloObservation = {
    ...before,
    error: seen(error),
    secondError: seen(secondError),
    graph: seen(graph),
    perturbation: seen(perturbation),
    networkGradNorm: result.gradNorm,
  };
  return alloRecord(observation, objective);
}
