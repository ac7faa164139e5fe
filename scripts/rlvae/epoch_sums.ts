// Sums over the steps of an epoch; they are part of a checkpoint, so that a resumed epoch reports what a whole one does.
import { FailedError } from "@cleanloop/cli";
import type { StepResult } from "@cleanloop/compute";

export interface EpochSums {
  /** Steps in the sums. */
  steps: number;
  /** Steps that were not finite and changed nothing: counted, and left out of the sums. */
  nonFiniteSteps: number;
  loss: number;
  gradNorm: number;
  metrics: Record<string, number>;
}

export type EpochMeans = Record<string, number> & { loss: number; gradNorm: number };

export function emptySums(): EpochSums {
  return { steps: 0, nonFiniteSteps: 0, loss: 0, gradNorm: 0, metrics: {} };
}

/** Adds a step to the sums of its epoch. */
export function addStep(sums: EpochSums, { loss, gradNorm, updated, metrics }: StepResult): void {
  if (!updated) {
    sums.nonFiniteSteps++;
    return;
  }
  sums.steps++;
  sums.loss += loss;
  sums.gradNorm += gradNorm;
  for (const [name, value] of Object.entries(metrics)) sums.metrics[name] = (sums.metrics[name] ?? 0) + value;
}

/** Means over the steps of an epoch. Throws FailedError when not one of them was finite: training cannot recover. */
export function epochMeans({ steps, nonFiniteSteps, loss, gradNorm, metrics }: EpochSums, epoch: number): EpochMeans {
  if (steps === 0) {
    throw new FailedError(`all ${nonFiniteSteps} steps of epoch ${epoch} gave a loss or gradient that is not finite; lower --learning_rate`);
  }
  const means = Object.entries(metrics).map(([name, sum]) => [name, sum / steps]);
  return { ...Object.fromEntries(means), loss: loss / steps, gradNorm: gradNorm / steps };
}
