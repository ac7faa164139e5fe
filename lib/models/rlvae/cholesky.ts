// Batched Cholesky factors and triangular inverses of small matrices, from tfjs operations that a tracer can record.

import * as tf from "@tensorflow/tfjs-core";

/**
 * Lower-triangular L with L Lᵀ = A for symmetric positive definite A [n, D, D]; D is unrolled, so keep it to a few
 * dozen. A that is not positive definite gives NaN. The gradient is Ā = ½ L⁻ᵀ (P + Pᵀ) L⁻¹ with P the lower triangle
 * of Lᵀ L̄, its diagonal halved (Murray 2016, "Differentiation of the Cholesky decomposition").
 */
export function cholesky(matrices: tf.Tensor3D): tf.Tensor3D {
  const factorise = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [tf.Tensor3D, tf.GradSaveFunc];
    const factor = outerProductCholesky(input);
    save([factor]);
    return {
      value: factor,
      gradFunc: (dy, [saved]) => {
        const lower = saved as tf.Tensor3D;
        const inverse = lowerTriangularInverse(lower);
        const halved = constantMatrix(lower.shape[1], (row, column) => (row > column ? 1 : row === column ? 0.5 : 0));
        const p = tf.mul(tf.matMul(lower, dy as tf.Tensor3D, true, false), halved);
        const s = tf.matMul(tf.matMul(inverse, p, true, false), inverse);
        return tf.mul(tf.add(s, tf.transpose(s, [0, 2, 1])), 0.5);
      },
    };
  });
  return factorise(matrices) as tf.Tensor3D;
}

/**
 * L⁻¹ of lower-triangular L [n, D, D], by joining inverted diagonal blocks of doubling size:
 * [[A, 0], [B, C]]⁻¹ = [[A⁻¹, 0], [-C⁻¹ B A⁻¹, C⁻¹]]. Takes log₂ D rounds of two products.
 */
export function lowerTriangularInverse(lower: tf.Tensor3D): tf.Tensor3D {
  const size = lower.shape[1];
  const identity = constantMatrix(size, (row, column) => Number(row === column));
  // Off the diagonal this divides 0 by 1, on it 1 by the pivot.
  let inverse: tf.Tensor3D = tf.div(identity, tf.add(tf.mul(lower, identity), tf.sub(1, identity)));
  for (let block = 1; block < size; block *= 2) {
    const below = constantMatrix(size, (row, column) => {
      const samePair = Math.floor(row / (2 * block)) === Math.floor(column / (2 * block));
      return Number(samePair && Math.floor(row / block) > Math.floor(column / block));
    });
    const joined = tf.matMul(tf.matMul(inverse, tf.mul(lower, below) as tf.Tensor3D), inverse);
    inverse = tf.sub(inverse, joined);
  }
  return inverse;
}

/** Sum of log L_ii per matrix, [n]; twice this is log det A. */
export function sumLogDiagonal(lower: tf.Tensor3D): tf.Tensor1D {
  const identity = constantMatrix(lower.shape[1], (row, column) => Number(row === column));
  return tf.sum(tf.log(tf.sum(tf.mul(lower, identity), 2)), 1);
}

/** A constant [size, size] matrix of the values f(row, column). */
export function constantMatrix(size: number, f: (row: number, column: number) => number): tf.Tensor2D {
  return tf.tensor2d(
    Float32Array.from({ length: size * size }, (_, i) => f(Math.floor(i / size), i % size)),
    [size, size],
  );
}

/** Column after column: divide by the root of the pivot, subtract the outer product from what remains. */
function outerProductCholesky(matrices: tf.Tensor3D): tf.Tensor3D {
  const [count, size] = matrices.shape;
  let remainder = matrices;
  const columns: tf.Tensor3D[] = [];
  for (let j = 0; j < size; j++) {
    const pivot = tf.slice(remainder, [0, j, j], [count, 1, 1]);
    const column = tf.div(tf.slice(remainder, [0, 0, j], [count, size, 1]), tf.sqrt(pivot)) as tf.Tensor3D;
    columns.push(column);
    if (j < size - 1) remainder = tf.sub(remainder, tf.mul(column, tf.reshape(column, [count, 1, size])));
  }
  // Rows above the diagonal hold rounding residue of rows that are done; they are never read, only cleared here.
  return tf.mul(
    tf.concat(columns, 2),
    constantMatrix(size, (row, column) => Number(row >= column)),
  );
}
