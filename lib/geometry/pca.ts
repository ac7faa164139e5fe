// Principal components of latent points, and the way into their subspace and back.

import { MetricError } from "./errors.ts";
import { pointCount, type Points } from "./metric-tensor.ts";
import { symmetricEigen } from "./symmetric-eigen.ts";

/** The points mean + Σ_a u_a v_a of R^D: an affine subspace with coordinates u [P]. */
export interface Subspace {
  /** D. */
  readonly dimension: number;
  /** Number of directions P. */
  readonly count: number;
  /** Origin of the coordinates, [D]. */
  readonly mean: Float64Array;
  /** v_a, row-major [P, D]; those of {@link pca} are orthonormal. */
  readonly components: Float64Array;
}

export interface PrincipalComponents extends Subspace {
  /** Variance of the points along each component, divisor N - 1, descending, [P]. */
  readonly variances: Float64Array;
  /** The same as a share of the total variance, [P]; 0 when all points are equal. */
  readonly explainedRatio: Float64Array;
}

/**
 * The `count` directions of largest variance of N points [N, D], by the eigenvectors of the covariance. Their sign is
 * fixed: the entry of largest magnitude is positive. Throws TOO_FEW_POINTS below 2 points, BAD_ARGUMENT, NOT_FINITE.
 */
export function pca(points: Points, dimension: number, count: number): PrincipalComponents {
  const n = pointCount(points, dimension, "pca");
  if (n < 2) throw new MetricError("TOO_FEW_POINTS", `pca: got ${n} points, wanted at least 2`);
  if (!Number.isInteger(count) || count < 1 || count > dimension) {
    throw new MetricError("BAD_ARGUMENT", `pca: got count ${count}, wanted a whole number from 1 to ${dimension}`);
  }
  if (!points.every(Number.isFinite)) {
    throw new MetricError("NOT_FINITE", "pca: got a point that is not finite; leave such points out");
  }
  const mean = new Float64Array(dimension);
  for (let i = 0; i < points.length; i++) mean[i % dimension] += points[i] / n;
  const { values, vectors } = symmetricEigen(covariance(points, mean, n), dimension);
  const total = values.reduce((sum, value) => sum + value, 0);
  const components = new Float64Array(count * dimension);
  const variances = new Float64Array(count);
  for (let a = 0; a < count; a++) {
    const rank = dimension - 1 - a;
    variances[a] = Math.max(values[rank], 0); // rounding can leave -1e-17
    components.set(withFixedSign(vectors.subarray(rank * dimension, (rank + 1) * dimension)), a * dimension);
  }
  const explainedRatio = variances.map((value) => (total > 0 ? value / total : 0));
  return { dimension, count, mean, components, variances, explainedRatio };
}

/** Coordinates u_a = v_a · (z - mean) of N points [N, D], [N, P]; the orthogonal projection for orthonormal v_a. */
export function projectPoints({ dimension, count, mean, components }: Subspace, points: Points): Float64Array {
  const n = pointCount(points, dimension, "projectPoints");
  const out = new Float64Array(n * count);
  for (let row = 0; row < n; row++) {
    for (let a = 0; a < count; a++) {
      let sum = 0;
      for (let d = 0; d < dimension; d++) {
        sum += components[a * dimension + d] * (points[row * dimension + d] - mean[d]);
      }
      out[row * count + a] = sum;
    }
  }
  return out;
}

/** The points mean + Σ_a u_a v_a of N coordinates [N, P], [N, D]. */
export function embedPoints({ dimension, count, mean, components }: Subspace, coordinates: Points): Float64Array {
  const n = pointCount(coordinates, count, "embedPoints");
  const out = new Float64Array(n * dimension);
  for (let row = 0; row < n; row++) {
    for (let d = 0; d < dimension; d++) {
      let sum = mean[d];
      for (let a = 0; a < count; a++) sum += coordinates[row * count + a] * components[a * dimension + d];
      out[row * dimension + d] = sum;
    }
  }
  return out;
}

function covariance(points: Points, mean: Float64Array, n: number): Float64Array {
  const dimension = mean.length;
  const out = new Float64Array(dimension * dimension);
  const centred = new Float64Array(dimension);
  for (let row = 0; row < n; row++) {
    for (let d = 0; d < dimension; d++) centred[d] = points[row * dimension + d] - mean[d];
    for (let i = 0; i < dimension; i++) {
      for (let j = 0; j < dimension; j++) out[i * dimension + j] += (centred[i] * centred[j]) / (n - 1);
    }
  }
  return out;
}

function withFixedSign(vector: Float64Array): Float64Array {
  let largest = 0;
  for (const value of vector) if (Math.abs(value) > Math.abs(largest)) largest = value;
  return largest < 0 ? vector.map((value) => -value) : vector;
}
