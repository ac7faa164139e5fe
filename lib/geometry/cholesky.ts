// Cholesky factorisation of one small symmetric positive definite matrix, float64, row-major.

/**
 * Lower-triangular L with L Lᵀ = A for A [n, n] (only its lower triangle is read),
 * or null when A is not positive definite in float64.
 */
export function cholesky(a: Float64Array, n: number): Float64Array | null {
  const factor = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j];
      for (let p = 0; p < j; p++) sum -= factor[i * n + p] * factor[j * n + p];
      if (i === j) {
        if (!(sum > 0) || sum === Infinity) return null;
        factor[i * n + i] = Math.sqrt(sum);
      } else {
        factor[i * n + j] = sum / factor[j * n + j];
      }
    }
  }
  return factor;
}

/** log det A from its factor L [n, n]: 2 Σ log L_ii. Never overflows, unlike the determinant itself. */
export function logDetFromFactor(factor: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += Math.log(factor[i * n + i]);
  return 2 * sum;
}

/** A⁻¹ [n, n] from the factor L of A: L⁻¹ by forward substitution, then L⁻ᵀ L⁻¹. */
export function inverseFromFactor(factor: Float64Array, n: number): Float64Array {
  const lowerInverse = new Float64Array(n * n);
  for (let column = 0; column < n; column++) {
    for (let i = column; i < n; i++) {
      let sum = i === column ? 1 : 0;
      for (let p = column; p < i; p++) sum -= factor[i * n + p] * lowerInverse[p * n + column];
      lowerInverse[i * n + column] = sum / factor[i * n + i];
    }
  }
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let p = i; p < n; p++) sum += lowerInverse[p * n + i] * lowerInverse[p * n + j];
      inverse[i * n + j] = sum;
      inverse[j * n + i] = sum;
    }
  }
  return inverse;
}
