// What the ALLO tests share: batches of states as inputs of a session, for both evaluations, by plain counting.

import type { TrainingSession } from "@cleanloop/compute";
import type { AlloModel } from "@cleanloop/models";

/** Pairs (from, to) and two batches of single states, equally long; one-sided constraints take `from` for the first. */
export interface StateBatch {
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly first: readonly number[];
  readonly second: readonly number[];
}

/** Arrays of `alloInputs` for one batch. */
export function inputArrays(batch: StateBatch, model: AlloModel): Record<string, number[]> {
  const { evaluation, objective, coordinates } = model;
  const n = coordinates.length / 2;
  const isOneSided = objective.constraints === "one-sided";
  if (evaluation === "rows") {
    const { first, ...others } = batch;
    const rows = isOneSided ? others : { ...others, first };
    return Object.fromEntries(Object.entries(rows).map(([name, states]) => [name, [...states]]));
  }
  return {
    laplacian: pairLaplacian(batch, n),
    first: frequencies(isOneSided ? batch.from : batch.first, n),
    second: frequencies(batch.second, n),
  };
}

/** Stages one batch. */
export function stage(inputs: TrainingSession["inputs"], batch: StateBatch, model: AlloModel): void {
  for (const [name, values] of Object.entries(inputArrays(batch, model))) inputs[name].set(values);
}

/** [n, n]: every pair (s, s') of m adds the square (F_s - F_s')^2 / m. */
function pairLaplacian({ from, to }: StateBatch, n: number): number[] {
  const laplacian = Array.from({ length: n * n }, () => 0);
  from.forEach((row, i) => {
    const column = to[i];
    for (const [r, c, sign] of [[row, row, 1], [column, column, 1], [row, column, -1], [column, row, -1]]) {
      laplacian[r * n + c] += sign / from.length;
    }
  });
  return laplacian;
}

function frequencies(states: readonly number[], n: number): number[] {
  return Array.from({ length: n }, (_, state) => states.filter((one) => one === state).length / states.length);
}
