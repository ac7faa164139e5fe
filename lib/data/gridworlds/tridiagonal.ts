// Symmetric tridiagonal matrices: reduction to them, their largest eigenvalues and the eigenvectors.

/** A symmetric tridiagonal matrix; `below[i]` couples i and i + 1. */
export interface Tridiagonal {
  /** [n] */
  readonly diagonal: Float64Array;
  /** [n - 1] */
  readonly below: Float64Array;
}

/** A = Q T Q^T with Q a product of Householder reflections. */
export interface TridiagonalForm {
  readonly tridiagonal: Tridiagonal;
  /** Turns an eigenvector of T into one of A, in place. */
  readonly toOriginal: (vector: Float64Array) => void;
}

/**
 * Reduces a symmetric [n, n] matrix by Householder reflections, last row first, and overwrites it with them. Reads and
 * writes rows of the lower triangle only (Golub and Van Loan, "Matrix Computations", section 8.3.1).
 */
export function tridiagonalForm(matrix: Float64Array, n: number): TridiagonalForm {
  const diagonal = new Float64Array(n);
  const below = new Float64Array(Math.max(n - 1, 0));
  const scales = new Float64Array(n);
  const product = new Float64Array(n);
  for (let last = n - 1; last > 0; last--) {
    const reflector = matrix.subarray(last * n, last * n + last);
    diagonal[last] = matrix[last * n + last];
    let others = 0;
    for (let i = 0; i < last - 1; i++) others += reflector[i] * reflector[i];
    const head = reflector[last - 1];
    if (others === 0) {
      below[last - 1] = head;
      continue;
    }
    const norm = Math.sqrt(others + head * head);
    below[last - 1] = head > 0 ? -norm : norm;
    reflector[last - 1] = head - below[last - 1];
    scales[last] = 2 / (others + reflector[last - 1] ** 2);
    reflectLeading(matrix, n, reflector, scales[last], product);
  }
  if (n > 0) diagonal[0] = matrix[0];

  const toOriginal = (vector: Float64Array) => {
    for (let last = 1; last < n; last++) {
      if (scales[last] === 0) continue;
      const row = last * n;
      let dot = 0;
      for (let i = 0; i < last; i++) dot += matrix[row + i] * vector[i];
      dot *= scales[last];
      for (let i = 0; i < last; i++) vector[i] -= dot * matrix[row + i];
    }
  };
  return { tridiagonal: { diagonal, below }, toOriginal };
}

/** B becomes H B H for the leading square block B as large as the reflector v, H = I - scale v v^T. */
function reflectLeading(matrix: Float64Array, n: number, v: Float64Array, scale: number, product: Float64Array): void {
  const size = v.length;
  product.fill(0, 0, size);
  for (let row = 0; row < size; row++) {
    const start = row * n;
    const weight = v[row];
    let sum = matrix[start + row] * weight;
    for (let column = 0; column < row; column++) {
      const value = matrix[start + column];
      sum += value * v[column];
      product[column] += value * weight;
    }
    product[row] += sum;
  }
  let dot = 0;
  for (let i = 0; i < size; i++) {
    product[i] *= scale;
    dot += product[i] * v[i];
  }
  for (let i = 0; i < size; i++) product[i] -= 0.5 * scale * dot * v[i];
  for (let row = 0; row < size; row++) {
    const start = row * n;
    const weight = v[row];
    const other = product[row];
    for (let column = 0; column <= row; column++) {
      matrix[start + column] -= weight * product[column] + other * v[column];
    }
  }
}

/** A bound of the absolute values of all eigenvalues (Gershgorin), at least 1. */
export function eigenvalueBound({ diagonal, below }: Tridiagonal): number {
  let bound = 1;
  for (let i = 0; i < diagonal.length; i++) {
    const radius = Math.abs(i > 0 ? below[i - 1] : 0) + Math.abs(i < below.length ? below[i] : 0);
    bound = Math.max(bound, Math.abs(diagonal[i]) + radius);
  }
  return bound;
}

/** The eigenvalue with `rank` larger ones, by bisection on Sturm counts; right to a few ulp of the bound. */
export function eigenvalueOfRank(tridiagonal: Tridiagonal, rank: number): number {
  const bound = eigenvalueBound(tridiagonal);
  let [low, high] = [-bound, bound];
  while (high - low > 2 * Number.EPSILON * bound) {
    const middle = (low + high) / 2;
    if (countBelow(tridiagonal, middle, bound) > tridiagonal.diagonal.length - 1 - rank) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}

/** How many eigenvalues lie below `shift`: the negative pivots of T - shift. */
function countBelow({ diagonal, below }: Tridiagonal, shift: number, bound: number): number {
  const leastPivot = Number.EPSILON ** 2 * bound;
  let count = 0;
  let pivot = 1;
  for (let i = 0; i < diagonal.length; i++) {
    const coupling = i > 0 ? below[i - 1] : 0;
    pivot = diagonal[i] - shift - (coupling * coupling) / pivot;
    if (Math.abs(pivot) < leastPivot) pivot = -leastPivot;
    if (pivot < 0) count++;
  }
  return count;
}
