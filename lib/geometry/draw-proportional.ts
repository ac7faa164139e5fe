// One row number drawn with given weights.

import type { UniformSource } from "./metric.ts";

/** A row number drawn in proportion to `weights`, none negative, whose sum `total` is positive. */
export function drawProportional(weights: Float64Array, total: number, random: UniformSource): number {
  let remaining = random.uniform() * total;
  let last = 0;
  for (let row = 0; row < weights.length; row++) {
    if (weights[row] === 0) continue;
    last = row;
    remaining -= weights[row];
    if (remaining < 0) return row;
  }
  return last; // rounding left a crumb of the total
}
