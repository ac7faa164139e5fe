// Exact spectra: what a converged run has to find, from the walk itself or from the law of its data.

import { DataError } from "../errors.ts";
import type { Gridworld } from "./gridworld.ts";
import { MAX_DENSE_STATES, meanLaplacian } from "./pair-law.ts";
import type { PairLaw } from "./pair-law.ts";
import { largestEigenpairs } from "./symmetric-eigen.ts";
import type { Eigenpairs } from "./symmetric-eigen.ts";
import { isSymmetricWalk, stationaryLaw, transitionMatrix } from "./transition.ts";
import { removeProjection, scaleToUnit } from "./vectors.ts";

/** Eigenvalues of one group differ by less than this. */
export const GROUP_TOLERANCE = 1e-9;

/** The smoothest eigenvectors of an operator, smoothest first. */
export interface Spectrum {
  readonly stateCount: number;
  /** [d] of the walk: descending from 1; of a Laplacian: ascending from 0. */
  readonly eigenvalues: Float64Array;
  /**
   * [n, d] unit columns; the first of the entries that have the largest magnitude (within 1e-9) is positive.
   * Columns of one group are orthonormal.
   */
  readonly eigenvectors: Float64Array;
  /** Columns of equal eigenvalue, in order; the last group may go on into the extra columns d, d + 1, ... */
  readonly groups: readonly (readonly number[])[];
  /** Number e of columns that complete the last group, usually 0. */
  readonly extraCount: number;
  /** [e] */
  readonly extraEigenvalues: Float64Array;
  /** [n, e] */
  readonly extraEigenvectors: Float64Array;
}

/**
 * The d largest eigenvalues of the walk's matrix P with their eigenvectors. One-way doors make P asymmetric; then, with
 * D the stationary law, those of (S + S^T)/2 for S = D^1/2 P D^-1/2, the vectors mapped back by D^-1/2; states that
 * are left for good have zero entries.
 * Throws `invalid-argument` for d below 1, `not-enough` for more than there are states, `too-large` for a large world.
 */
export function exactSpectrum(world: Gridworld, d: number): Spectrum {
  const { stateCount: n } = world;
  checkSize("exactSpectrum", n, d);
  const matrix = transitionMatrix(world);
  if (isSymmetricWalk(world)) return assembled(n, d, largestEigenpairs(matrix, n, d, GROUP_TOLERANCE));
  const law = stationaryLaw(world);
  const joint = matrix.map((probability, cell) => law[Math.floor(cell / n)] * probability);
  const pairs = { stateCount: n, joint, first: law, second: law, visits: law };
  const laplacian = laplacianSpectrum("exactSpectrum", pairs, law, d);
  const toWalk = (values: Float64Array) => values.map((value) => 1 - value);
  return {
    ...laplacian,
    eigenvalues: toWalk(laplacian.eigenvalues),
    extraEigenvalues: toWalk(laplacian.extraEigenvalues),
  };
}

/**
 * What training on data of this law converges to: the d smallest solutions of L u = lambda D u, with L half of
 * {@link meanLaplacian} and D the law of the constraint batches: `first` when they are first elements of pairs (the
 * original trainer), `visits` when they are single states (the paper's code). States outside D have zero entries.
 * Throws `not-enough` when d is more than the number of states with data.
 */
export function datasetSpectrum(law: PairLaw, d: number, constraintLaw: "first" | "visits"): Spectrum {
  checkSize("datasetSpectrum", law.stateCount, d);
  return laplacianSpectrum("datasetSpectrum", law, law[constraintLaw], d);
}

/** The d smallest solutions of L u = lambda D u, through the symmetric matrix D^-1/2 L D^-1/2. */
function laplacianSpectrum(caller: string, law: PairLaw, constraint: Float64Array, d: number): Spectrum {
  const { stateCount: n } = law;
  const laplacian = meanLaplacian(law);
  const kept = Int32Array.from(constraint.keys().filter((state) => constraint[state] > 0));
  const size = kept.length;
  if (d > size) {
    throw new DataError(
      "not-enough",
      `${caller}: got d = ${d}, but only ${size} of ${n} states have any weight in the law; ` +
        `ask for d <= ${size}, collect more data or draw fewer doors`,
    );
  }
  const roots = Float64Array.from(kept, (state) => Math.sqrt(constraint[state]));
  const negated = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      negated[row * size + column] = laplacian[kept[row] * n + kept[column]] / (-2 * roots[row] * roots[column]);
    }
  }
  const { values, vectors } = largestEigenpairs(negated, size, d, GROUP_TOLERANCE);
  const mapped = vectors.map((vector) => {
    const out = new Float64Array(n);
    kept.forEach((state, index) => (out[state] = vector[index] / roots[index]));
    return out;
  });
  return assembled(n, d, { values: values.map((value) => -value), vectors: mapped });
}

/** Groups, signs and row-major columns. */
function assembled(n: number, d: number, { values, vectors }: Eigenpairs): Spectrum {
  const groups: number[][] = [];
  values.forEach((value, index) => {
    const group = groups.at(-1);
    if (group !== undefined && Math.abs(values[group[0]] - value) < GROUP_TOLERANCE) group.push(index);
    else groups.push([index]);
  });
  // Vectors that are mapped back from D^-1/2 are orthogonal under D; inside a group any basis is as good.
  for (const group of groups) {
    group.forEach((column, position) => {
      for (const other of group.slice(0, position)) removeProjection(vectors[column], vectors[other]);
      scaleToUnit(vectors[column]);
    });
  }
  const extraCount = vectors.length - d;
  return {
    stateCount: n,
    eigenvalues: values.slice(0, d),
    eigenvectors: rowMajor(n, vectors.slice(0, d)),
    groups,
    extraCount,
    extraEigenvalues: values.slice(d),
    extraEigenvectors: rowMajor(n, vectors.slice(d)),
  };
}

/** [n, columns] from separate columns, each with the sign that {@link Spectrum.eigenvectors} promises. */
function rowMajor(n: number, columns: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(n * columns.length);
  columns.forEach((column, index) => {
    const sign = leadingSign(column);
    for (let state = 0; state < n; state++) out[state * columns.length + index] = sign * column[state];
  });
  return out;
}

/** Entries of equal magnitude, which symmetric rooms have, must not let rounding decide: the first of them counts. */
function leadingSign(vector: Float64Array): 1 | -1 {
  const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const leading = vector.find((value) => Math.abs(value) >= largest * (1 - 1e-9)) ?? 1;
  return leading < 0 ? -1 : 1;
}

function checkSize(caller: string, stateCount: number, d: number): void {
  if (!Number.isInteger(d) || d < 1) {
    throw new DataError("invalid-argument", `${caller}: got d = ${d}, wanted a whole number from 1`);
  }
  if (d > stateCount) {
    throw new DataError("not-enough", `${caller}: got d = ${d} for ${stateCount} states, wanted d <= ${stateCount}`);
  }
  if (stateCount > MAX_DENSE_STATES) {
    throw new DataError(
      "too-large",
      `${caller}: got ${stateCount} states, wanted at most ${MAX_DENSE_STATES}: use a smaller layout`,
    );
  }
}
