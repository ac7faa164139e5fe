// The Riemannian metric inside a program: G⁻¹(z) = Σ_k M_k exp(-‖z - c_k‖² / T²) + λ I and what is derived from it.
// G⁻¹ is a tensor of rank 2, [n, D], when it is diagonal and of rank 3, [n, D, D], when it is full; both go everywhere.

import * as tf from "@tensorflow/tfjs-core";
import { cholesky, constantMatrix, lowerTriangularInverse, sumLogDiagonal } from "./cholesky.ts";

/** A metric as plain numbers; `Metric` of `@cleanloop/geometry` is one. It is constant in every program. */
export interface MetricValues {
  readonly kind: "diagonal" | "full";
  /** Number of centroids K. */
  readonly count: number;
  /** Latent dimension D. */
  readonly dimension: number;
  /** c_k [K, D]. */
  readonly centroids: ArrayLike<number>;
  /** M_k [K, D] (diagonals) or [K, D, D]. */
  readonly matrices: ArrayLike<number>;
  /** T. */
  readonly temperature: number;
  /** λ. */
  readonly lambda: number;
}

/** Added to G before the noise is coloured, as in the original. */
const JITTER = 1e-6;

/** G⁻¹ at z [n, D]: [n, D] for a diagonal metric, [n, D, D] for a full one. */
export function inverseMetric(metric: MetricValues, z: tf.Tensor2D): tf.Tensor {
  const { kind, count, dimension, temperature, lambda } = metric;
  const centroids = tf.tensor2d(Float32Array.from(metric.centroids), [count, dimension]);
  const matrices = tf.tensor2d(Float32Array.from(metric.matrices), [count, metric.matrices.length / count]);
  // Differences first: ‖z‖² - 2 z·c + ‖c‖² loses digits in float32 where the kernel is steepest.
  // (squaredDifference would do in one step, but its gradient in tfjs forgets to sum over broadcast axes.)
  const differences = tf.sub(tf.reshape(z, [z.shape[0], 1, dimension]), centroids);
  const squared = tf.sum(tf.square(differences), 2);
  const weights = tf.exp(tf.mul(squared, -1 / temperature ** 2)) as tf.Tensor2D;
  const sum = tf.matMul(weights, matrices);
  if (kind === "diagonal") return tf.add(sum, lambda);
  const full = tf.reshape(sum, [z.shape[0], dimension, dimension]);
  return tf.add(
    full,
    constantMatrix(dimension, (row, column) => (row === column ? lambda : 0)),
  );
}

/** G from G⁻¹, of the same rank. */
export function metricFromInverse(inverse: tf.Tensor): tf.Tensor {
  if (inverse.rank === 2) return tf.div(1, inverse);
  const lowerInverse = lowerTriangularInverse(cholesky(inverse as tf.Tensor3D));
  return tf.matMul(lowerInverse, lowerInverse, true, false);
}

/** log det G per row, [n], from G⁻¹: as a sum of logarithms, since the determinant itself leaves float32. */
export function logDetMetric(inverse: tf.Tensor): tf.Tensor1D {
  if (inverse.rank === 2) return tf.neg(tf.sum(tf.log(inverse), 1));
  return tf.mul(sumLogDiagonal(cholesky(inverse as tf.Tensor3D)), -2);
}

/** tr G⁻¹ per row, [n]. */
export function traceInverse(inverse: tf.Tensor): tf.Tensor1D {
  if (inverse.rank === 2) return tf.sum(inverse, 1);
  return tf.sum(
    tf.mul(
      inverse,
      constantMatrix(inverse.shape[1] as number, (row, column) => Number(row === column)),
    ),
    [1, 2],
  );
}

/** vᵀ G v per row, [n], for v [n, D], from G⁻¹. */
export function squaredLength(inverse: tf.Tensor, v: tf.Tensor2D): tf.Tensor1D {
  if (inverse.rank === 2) return tf.sum(tf.div(tf.square(v), inverse), 1);
  const lowerInverse = lowerTriangularInverse(cholesky(inverse as tf.Tensor3D));
  return tf.sum(tf.square(tf.matMul(lowerInverse, asColumns(v))), [1, 2]);
}

/** L ε, [n, D], with L Lᵀ = (G + 1e-6 I)⁻¹, from G⁻¹: noise with the covariance of the Riemannian posterior. */
export function colourNoise(inverse: tf.Tensor, noise: tf.Tensor2D): tf.Tensor2D {
  if (inverse.rank === 2) {
    const variance = tf.div(inverse, tf.add(tf.mul(inverse, JITTER), 1));
    return tf.mul(tf.sqrt(variance), noise);
  }
  // (G + εI)⁻¹ = A (I + εA)⁻¹ with A = G⁻¹. The series is cut after its first term: what is left out is (ε‖A‖)² of A,
  // below float32 for every ‖A‖ under 300.
  const full = inverse as tf.Tensor3D;
  const covariance = tf.sub(full, tf.mul(tf.matMul(full, full), JITTER)) as tf.Tensor3D;
  return tf.reshape(tf.matMul(cholesky(covariance), asColumns(noise)), noise.shape);
}

function asColumns(v: tf.Tensor2D): tf.Tensor3D {
  return tf.reshape(v, [v.shape[0], v.shape[1], 1]);
}
