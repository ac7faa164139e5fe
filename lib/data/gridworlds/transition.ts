// The walk as a matrix, and the law of its state in the long run.

import type { Gridworld } from "./gridworld.ts";

/** [n, n] row-stochastic: P[s, s'] is a quarter of the number of moves that lead from s to s'. */
export function transitionMatrix({ stateCount: n, next }: Gridworld): Float64Array {
  const matrix = new Float64Array(n * n);
  for (let edge = 0; edge < 4 * n; edge++) matrix[(edge >> 2) * n + next[edge]] += 0.25;
  return matrix;
}

/** Whether P is symmetric, so that the uniform law is stationary: always without doors. */
export function isSymmetricWalk(world: Gridworld): boolean {
  const { stateCount: n } = world;
  const matrix = transitionMatrix(world);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < row; column++) {
      if (matrix[row * n + column] !== matrix[column * n + row]) return false;
    }
  }
  return true;
}

/** Restarts per move of the walk whose limit {@link stationaryLaw} is: too rare to show in a double. */
const RESTART = 1e-60;

/**
 * [n] the stationary law of the walk. Where doors make it depend on the start, it is the long-run law from a uniform
 * start, and states that are left for good have probability 0. By the elimination of Grassmann, Taksar and Heyman
 * (1985), which subtracts nothing: every entry is accurate to a few ulp however slowly the walk mixes.
 */
export function stationaryLaw(world: Gridworld): Float64Array {
  const { stateCount: n } = world;
  if (isSymmetricWalk(world)) return new Float64Array(n).fill(1 / n);
  const matrix = transitionMatrix(world).map((probability) => probability + RESTART / n);
  for (let last = n - 1; last > 0; last--) {
    const row = matrix.subarray(last * n, last * n + last);
    let leaving = 0;
    for (let column = 0; column < last; column++) leaving += row[column];
    for (let state = 0; state < last; state++) {
      const weight = (matrix[state * n + last] /= leaving);
      if (weight === 0) continue;
      for (let column = 0; column < last; column++) matrix[state * n + column] += weight * row[column];
    }
  }
  const law = new Float64Array(n);
  law[0] = 1;
  let total = 1;
  for (let state = 1; state < n; state++) {
    for (let before = 0; before < state; before++) law[state] += law[before] * matrix[before * n + state];
    total += law[state];
  }
  const leastKept = Math.sqrt(RESTART) * total;
  return law.map((weight) => (weight < leastKept ? 0 : weight / total));
}
