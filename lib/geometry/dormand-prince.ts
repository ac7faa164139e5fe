// Ordinary differential equations: the explicit Runge-Kutta method of Dormand and Prince, order 5 with an estimate of
// order 4 that chooses the steps.

import { MetricError } from "./errors.ts";

/** Writes dy/dt at the state y into `slope`; the systems here do not depend on t. */
export type Derivative = (y: Float64Array, slope: Float64Array) => void;

export interface IntegrateOptions {
  /** Error that one step may add to each coordinate, relative to the coordinate's magnitude but at least to 1. */
  tolerance?: number;
  maxSteps?: number;
}

/** Coefficients a_ij of the seven stages (Dormand and Prince 1980, table 2); the last row is the solution itself. */
const STAGES = [
  [1 / 5],
  [3 / 40, 9 / 40],
  [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
];
/** Weights of the solution of order 5 minus those of order 4. */
const ERROR_WEIGHTS = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];

/**
 * Integrates y' = f(y) over `duration` from `y`, in place, and returns the number of steps, rejected ones included.
 * Throws NOT_CONVERGED when `maxSteps` do not suffice.
 */
export function integrate(
  derivative: Derivative,
  y: Float64Array,
  duration: number,
  { tolerance = 1e-10, maxSteps = 10_000 }: IntegrateOptions = {},
): number {
  const slopes = ERROR_WEIGHTS.map(() => new Float64Array(y.length));
  const trial = new Float64Array(y.length);
  let time = 0;
  let step = duration / 16;
  derivative(y, slopes[0]);
  for (let steps = 1; steps <= maxSteps; steps++) {
    const last = time + step >= duration * (1 - 1e-12);
    if (last) step = duration - time;
    STAGES.forEach((row, stage) => {
      combine(trial, y, step, row, slopes);
      derivative(trial, slopes[stage + 1]);
    });
    const error = scaledError(y, trial, step, slopes) / tolerance;
    if (error <= 1) {
      time += step;
      y.set(trial);
      if (last) return steps;
      slopes[0].set(slopes[6]); // the last stage is the first of the next step
    }
    // NaN, a step out of the domain, shrinks the step as far as one rejection may.
    step *= Number.isFinite(error) ? Math.min(5, Math.max(0.2, 0.9 * error ** -0.2)) : 0.2;
  }
  throw new MetricError(
    "NOT_CONVERGED",
    `integrate: got to ${time} of ${duration} in ${maxSteps} steps; raise maxSteps or the tolerance, or go less far`,
  );
}

/** target = y + step Σ_j row_j slope_j. */
function combine(
  target: Float64Array,
  y: Float64Array,
  step: number,
  row: readonly number[],
  slopes: readonly Float64Array[],
): void {
  for (let i = 0; i < y.length; i++) {
    let sum = 0;
    for (let j = 0; j < row.length; j++) sum += row[j] * slopes[j][i];
    target[i] = y[i] + step * sum;
  }
}

/** Largest estimated error of a coordinate relative to max(1, its magnitude); NaN when any is. */
function scaledError(y: Float64Array, next: Float64Array, step: number, slopes: readonly Float64Array[]): number {
  let largest = 0;
  for (let i = 0; i < y.length; i++) {
    let sum = 0;
    for (let j = 0; j < ERROR_WEIGHTS.length; j++) sum += ERROR_WEIGHTS[j] * slopes[j][i];
    largest = Math.max(largest, Math.abs(step * sum) / Math.max(1, Math.abs(y[i]), Math.abs(next[i])));
  }
  return largest;
}
