// Products and solves with the matrices of a metric, diagonals [n] or packed lower triangles [n (n + 1) / 2].

import { cholesky, logDetFromFactor } from "./cholesky.ts";
import type { Metric } from "./metric.ts";

/** Works on matrices of one kind; `factorise` decides which matrix A = L Lᵀ the solves belong to. */
export interface SymmetricAlgebra {
  /** Numbers per stored matrix: n or n (n + 1) / 2. */
  readonly stored: number;
  /** M_k, [K, stored]. */
  readonly matrices: Float64Array;
  /** A becomes value I, for A the first `stored` numbers of `a`. */
  setToIdentity(a: Float64Array, value: number): void;
  /** Takes a copy of what it needs of A; log det A, or NaN when A is not positive definite. */
  factorise(a: Float64Array): number;
  /** A⁻¹ x into `out` [n], which may be x itself. */
  solve(x: Float64Array, out: Float64Array): void;
  /** L⁻¹ x into `out` [n], which may be x itself: half of a solve, x A⁻¹ y = (L⁻¹ x) · (L⁻¹ y). */
  halfSolve(x: Float64Array, out: Float64Array): void;
  /** B x into `out` [n], other than x, for the matrix B that starts at `offset` of `matrices`. */
  multiply(matrices: Float64Array, offset: number, x: Float64Array, out: Float64Array): void;
}

/** The algebra of the kind of matrices that a metric stores. */
export function algebraOf({ kind, dimension, matrices }: Metric): SymmetricAlgebra {
  return kind === "diagonal" ? diagonalAlgebra(dimension, matrices) : fullAlgebra(dimension, pack(matrices, dimension));
}

function diagonalAlgebra(n: number, diagonals: Float64Array): SymmetricAlgebra {
  const root = new Float64Array(n);
  return {
    stored: n,
    matrices: diagonals,
    setToIdentity(a, value) {
      a.fill(value, 0, n);
    },
    factorise(a) {
      let logDet = 0;
      for (let i = 0; i < n; i++) {
        root[i] = Math.sqrt(a[i]);
        logDet += a[i] > 0 && a[i] < Infinity ? Math.log(a[i]) : NaN;
      }
      return logDet;
    },
    solve(x, out) {
      for (let i = 0; i < n; i++) out[i] = x[i] / (root[i] * root[i]);
    },
    halfSolve(x, out) {
      for (let i = 0; i < n; i++) out[i] = x[i] / root[i];
    },
    multiply(matrices, offset, x, out) {
      for (let i = 0; i < n; i++) out[i] = matrices[offset + i] * x[i];
    },
  };
}

function fullAlgebra(n: number, triangles: Float64Array): SymmetricAlgebra {
  const stored = (n * (n + 1)) / 2;
  const square = new Float64Array(n * n); // the upper triangle stays unused
  let factor: Float64Array = square;
  const halfSolve = (x: Float64Array, out: Float64Array) => {
    for (let i = 0; i < n; i++) {
      let sum = x[i];
      for (let p = 0; p < i; p++) sum -= factor[i * n + p] * out[p];
      out[i] = sum / factor[i * n + i];
    }
  };
  return {
    stored,
    matrices: triangles,
    setToIdentity(a, value) {
      a.fill(0, 0, stored);
      for (let i = 0; i < n; i++) a[(i * (i + 3)) / 2] = value;
    },
    factorise(a) {
      for (let i = 0, at = 0; i < n; i++) for (let j = 0; j <= i; j++) square[i * n + j] = a[at++];
      const found = cholesky(square, n);
      if (found === null) return NaN;
      factor = found;
      return logDetFromFactor(factor, n);
    },
    solve(x, out) {
      halfSolve(x, out);
      for (let i = n - 1; i >= 0; i--) {
        let sum = out[i];
        for (let p = i + 1; p < n; p++) sum -= factor[p * n + i] * out[p];
        out[i] = sum / factor[i * n + i];
      }
    },
    halfSolve,
    multiply(matrices, offset, x, out) {
      for (let i = 0, at = offset; i < n; i++, at++) {
        const own = x[i];
        let sum = 0;
        for (let j = 0; j < i; j++, at++) {
          sum += matrices[at] * x[j];
          out[j] += matrices[at] * own;
        }
        out[i] = sum + matrices[at] * own;
      }
    },
  };
}

/** Lower triangles, row by row, [K, n (n + 1) / 2] of symmetric matrices [K, n, n]: half the work of a sum over k. */
function pack(matrices: Float64Array, n: number): Float64Array {
  const count = matrices.length / (n * n);
  const out = new Float64Array((count * n * (n + 1)) / 2);
  for (let row = 0, at = 0; row < count * n; row++) {
    for (let j = 0; j <= row % n; j++) out[at++] = matrices[row * n + j];
  }
  return out;
}
