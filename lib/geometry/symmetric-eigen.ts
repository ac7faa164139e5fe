// Eigenvalues and eigenvectors of a small symmetric matrix by cyclic Jacobi rotations, float64.

/** A sweep below this off-diagonal norm, relative to the whole matrix, ends the iteration. */
const RELATIVE_TOLERANCE = 1e-15;
const MAX_SWEEPS = 60;

/**
 * Eigenvalues of the symmetric A [n, n], ascending (cyclic Jacobi: Golub and Van Loan, "Matrix Computations", 8.5).
 * Slower than a tridiagonal solver but accurate to the last digits, which suits n = 16.
 */
export function symmetricEigenvalues(a: Float64Array, n: number): Float64Array {
  const work = Float64Array.from(a);
  diagonalise(work, n);
  return Float64Array.from({ length: n }, (_, i) => work[i * n + i]).sort();
}

export interface SymmetricEigen {
  /** Ascending, [n]. */
  values: Float64Array;
  /** Row i is the unit eigenvector of value i, [n, n]; its sign is arbitrary. */
  vectors: Float64Array;
}

/** Eigenvalues of the symmetric A [n, n], ascending, and an orthonormal set of eigenvectors (cyclic Jacobi). */
export function symmetricEigen(a: Float64Array, n: number): SymmetricEigen {
  const work = Float64Array.from(a);
  const columns = new Float64Array(n * n);
  for (let i = 0; i < n; i++) columns[i * n + i] = 1;
  diagonalise(work, n, columns);
  const order = Array.from({ length: n }, (_, i) => i).sort((p, q) => work[p * n + p] - work[q * n + q]);
  return {
    values: Float64Array.from(order, (i) => work[i * n + i]),
    vectors: Float64Array.from({ length: n * n }, (_, i) => columns[(i % n) * n + order[Math.floor(i / n)]]),
  };
}

/** Rotates `work` to a diagonal matrix; `columns` [n, n], when given, takes every rotation from the right. */
function diagonalise(work: Float64Array, n: number, columns?: Float64Array): void {
  const norm = Math.hypot(...work);
  for (let sweep = 0; sweep < MAX_SWEEPS && offDiagonalNorm(work, n) > RELATIVE_TOLERANCE * norm; sweep++) {
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) rotate(work, n, p, q, columns);
    }
  }
}

function offDiagonalNorm(a: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) if (i !== j) sum += a[i * n + j] ** 2;
  }
  return Math.sqrt(sum);
}

/** Applies the rotation J in the plane (p, q) that makes a_pq zero: A becomes Jᵀ A J, and `columns` C becomes C J. */
function rotate(a: Float64Array, n: number, p: number, q: number, columns?: Float64Array): void {
  const apq = a[p * n + q];
  if (apq === 0) return;
  const theta = (a[q * n + q] - a[p * n + p]) / (2 * apq);
  // The smaller of the two roots, so that the angle stays below 45 degrees.
  const tangent = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  rotateColumns(a, n, p, q, cosine, sine);
  for (let i = 0; i < n; i++) {
    const upper = a[p * n + i];
    const lower = a[q * n + i];
    a[p * n + i] = cosine * upper - sine * lower;
    a[q * n + i] = sine * upper + cosine * lower;
  }
  if (columns) rotateColumns(columns, n, p, q, cosine, sine);
}

function rotateColumns(a: Float64Array, n: number, p: number, q: number, cosine: number, sine: number): void {
  for (let i = 0; i < n; i++) {
    const left = a[i * n + p];
    const right = a[i * n + q];
    a[i * n + p] = cosine * left - sine * right;
    a[i * n + q] = sine * left + cosine * right;
  }
}
