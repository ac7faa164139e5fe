// Products and solves with the two kinds of stored matrices, diagonals [n] and full ones [n, n], behind one face.

import { cholesky, logDetFromFactor } from "./cholesky.ts";
import type { Metric } from "./metric.ts";

/** Works on matrices of one kind; `factorise` decides which matrix A = L Lᵀ the solves belong to. */
export interface SymmetricAlgebra {
  /** Numbers per stored matrix: n or n². */
  readonly stored: number;
  /** Distance between stored diagonal entries: 1 or n + 1. */
  readonly diagonalStride: number;
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
export function algebraOf({ kind, dimension }: Metric): SymmetricAlgebra {
  return kind === "diagonal" ? diagonalAlgebra(dimension) : fullAlgebra(dimension);
}

function diagonalAlgebra(n: number): SymmetricAlgebra {
  const root = new Float64Array(n);
  return {
    stored: n,
    diagonalStride: 1,
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

function fullAlgebra(n: number): SymmetricAlgebra {
  let factor: Float64Array = new Float64Array(n * n);
  const halfSolve = (x: Float64Array, out: Float64Array) => {
    for (let i = 0; i < n; i++) {
      let sum = x[i];
      for (let p = 0; p < i; p++) sum -= factor[i * n + p] * out[p];
      out[i] = sum / factor[i * n + i];
    }
  };
  return {
    stored: n * n,
    diagonalStride: n + 1,
    factorise(a) {
      const found = cholesky(a, n);
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
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0; j < n; j++) sum += matrices[offset + i * n + j] * x[j];
        out[i] = sum;
      }
    },
  };
}
