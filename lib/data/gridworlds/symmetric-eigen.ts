// The largest eigenvalues and eigenvectors of a dense symmetric matrix in float64, exact multiplicities included.

import { Random } from "../random.ts";
import { eigenvalueBound, eigenvalueOfRank, tridiagonalForm } from "./tridiagonal.ts";
import type { Tridiagonal } from "./tridiagonal.ts";
import { removeProjection, scaleToUnit } from "./vectors.ts";

/** Eigenpairs in descending order. */
export interface Eigenpairs {
  readonly values: Float64Array;
  /** Orthonormal, one vector of n numbers per value. */
  readonly vectors: readonly Float64Array[];
}

/** Eigenvectors of eigenvalues closer than this, relative to the largest, are made orthogonal explicitly. */
const CLUSTER_GAP = 1e-3;
const MAX_ITERATIONS = 12;

/**
 * The `count` largest eigenvalues of a symmetric [n, n] matrix, and further ones as long as they equal the top of the
 * last group within `tolerance`, so that no multiple eigenvalue is cut. Reads the lower triangle. Reduction to
 * tridiagonal form, bisection, inverse iteration: 4/3 n^3 operations, residuals and products at the level of rounding.
 */
export function largestEigenpairs(matrix: Float64Array, n: number, count: number, tolerance: number): Eigenpairs {
  const scale = powerOfTwoNear(matrix);
  const { tridiagonal, toOriginal } = tridiagonalForm(matrix.map((value) => value / scale), n);
  const values: number[] = [];
  let groupTop = Infinity;
  for (let rank = 0; rank < n; rank++) {
    const value = Math.min(eigenvalueOfRank(tridiagonal, rank), values.at(-1) ?? Infinity);
    const isEqual = (groupTop - value) * scale < tolerance;
    if (rank >= count && !isEqual) break;
    if (!isEqual) groupTop = value;
    values.push(value);
  }
  const vectors = tridiagonalEigenvectors(tridiagonal, values);
  for (const vector of vectors) toOriginal(vector);
  return { values: Float64Array.from(values, (value) => value * scale), vectors };
}

/** Dividing by it is exact and keeps squares of the entries from overflowing or vanishing. */
function powerOfTwoNear(matrix: Float64Array): number {
  const largest = matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return largest === 0 ? 1 : 2 ** Math.floor(Math.log2(largest));
}

/** Inverse iteration for descending eigenvalues, orthogonal to the vectors of the same cluster. */
function tridiagonalEigenvectors(tridiagonal: Tridiagonal, values: readonly number[]): Float64Array[] {
  const n = tridiagonal.diagonal.length;
  const bound = eigenvalueBound(tridiagonal);
  const random = new Random(0);
  const vectors: Float64Array[] = [];
  let clusterStart = 0;
  values.forEach((value, index) => {
    if (index > 0 && values[index - 1] - value > CLUSTER_GAP * bound) clusterStart = index;
    const cluster = vectors.slice(clusterStart);
    // Off the eigenvalue by some ulp: equal eigenvalues are then amplified alike, whatever their pivots round to.
    const solve = factorise(tridiagonal, value + 8 * Number.EPSILON * bound, bound);
    let vector = random.normals(new Float64Array(n));
    for (let iteration = 0, settled = 0; settled < 2; iteration++) {
      if (iteration === MAX_ITERATIONS) {
        throw new Error(`largestEigenpairs: no eigenvector for eigenvalue ${value} after ${iteration} iterations`);
      }
      solve(vector);
      scaleToUnit(vector);
      for (const other of [...cluster, ...cluster]) removeProjection(vector, other);
      scaleToUnit(vector);
      if (residual(tridiagonal, value, vector) <= 64 * Number.EPSILON * bound * Math.sqrt(n)) settled++;
    }
    vectors.push(vector);
  });
  return vectors;
}

/** T - shift = P L U with partial pivoting; the returned function solves in place. */
function factorise({ diagonal, below }: Tridiagonal, shift: number, bound: number): (vector: Float64Array) => void {
  const n = diagonal.length;
  const pivots = diagonal.map((value) => value - shift);
  const above = below.slice();
  const secondAbove = new Float64Array(Math.max(n - 2, 0));
  const factors = new Float64Array(below.length);
  const isSwapped = new Uint8Array(below.length);
  const leastPivot = Number.EPSILON * bound;
  const guarded = (pivot: number) => (Math.abs(pivot) < leastPivot ? leastPivot : pivot);
  for (let i = 0; i < n - 1; i++) {
    if (Math.abs(pivots[i]) >= Math.abs(below[i])) {
      pivots[i] = guarded(pivots[i]);
      factors[i] = below[i] / pivots[i];
      pivots[i + 1] -= factors[i] * above[i];
      continue;
    }
    isSwapped[i] = 1;
    factors[i] = pivots[i] / below[i];
    pivots[i] = below[i];
    const upper = above[i];
    above[i] = pivots[i + 1];
    pivots[i + 1] = upper - factors[i] * above[i];
    if (i < n - 2) {
      secondAbove[i] = above[i + 1];
      above[i + 1] *= -factors[i];
    }
  }
  pivots[n - 1] = guarded(pivots[n - 1]);

  return (vector) => {
    for (let i = 0; i < n - 1; i++) {
      if (isSwapped[i] === 1) {
        const upper = vector[i];
        vector[i] = vector[i + 1];
        vector[i + 1] = upper;
      }
      vector[i + 1] -= factors[i] * vector[i];
    }
    for (let i = n - 1; i >= 0; i--) {
      if (i < n - 1) vector[i] -= above[i] * vector[i + 1];
      if (i < n - 2) vector[i] -= secondAbove[i] * vector[i + 2];
      vector[i] /= pivots[i];
    }
  };
}

function residual({ diagonal, below }: Tridiagonal, value: number, vector: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) {
    let entry = (diagonal[i] - value) * vector[i];
    if (i > 0) entry += below[i - 1] * vector[i - 1];
    if (i < below.length) entry += below[i] * vector[i + 1];
    sum += entry * entry;
  }
  return Math.sqrt(sum);
}
