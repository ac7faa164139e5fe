// What geodesics need of a metric: squared lengths of vectors and covectors, and how they change with the point.

import { createInverseEvaluator } from "./inverse-evaluator.ts";
import { kernelWeights } from "./metric-tensor.ts";
import type { Metric } from "./metric.ts";

/** A Riemannian metric on R^D for geodesics; {@link geodesicField} makes one from a `Metric`. */
export interface GeodesicField {
  /** D. */
  readonly dimension: number;
  /** vᵀ G(z) v; also writes G v into `momentum` [D] and ∇_z (vᵀ G v) into `gradient` [D]. */
  squaredSpeed(z: Float64Array, v: Float64Array, momentum: Float64Array, gradient: Float64Array): number;
  /** pᵀ G⁻¹(z) p; also writes G⁻¹ p into `velocity` [D] and ∇_z (pᵀ G⁻¹ p) into `gradient` [D]. */
  squaredMomentum(z: Float64Array, p: Float64Array, velocity: Float64Array, gradient: Float64Array): number;
}

/**
 * The geodesic field of a kernel metric. With p = G v, ∇_z (vᵀ G v) = -∇_z (pᵀ G⁻¹ p) at fixed p, and the latter is
 * -(2/T²) Σ_k w_k (pᵀ M_k p)(z - c_k): no derivative of an inverse is formed. Throws NOT_POSITIVE_DEFINITE, which a
 * point that is not finite causes too. Each field owns its work space.
 */
export function geodesicField(metric: Metric): GeodesicField {
  const { count, dimension, centroids, temperature, lambda } = metric;
  const { algebra, weights, moveTo } = createInverseEvaluator(metric, "geodesicField");
  const product = new Float64Array(dimension); // M_k p
  const slopeScale = 2 / temperature ** 2;

  /** pᵀ G⁻¹ p with its parts; `sign` is that of the gradient that is written. */
  const momentumTerms = (
    z: Float64Array,
    p: Float64Array,
    velocity: Float64Array | undefined,
    gradient: Float64Array,
    sign: 1 | -1,
  ) => {
    let total = 0;
    for (let d = 0; d < dimension; d++) {
      total += lambda * p[d] * p[d];
      gradient[d] = 0;
      if (velocity) velocity[d] = lambda * p[d];
    }
    for (let k = 0; k < count; k++) {
      algebra.multiply(algebra.matrices, k * algebra.stored, p, product);
      let quadratic = 0;
      for (let d = 0; d < dimension; d++) quadratic += p[d] * product[d];
      const weight = weights[k];
      total += weight * quadratic;
      const slope = -sign * slopeScale * weight * quadratic;
      for (let d = 0; d < dimension; d++) {
        gradient[d] += slope * (z[d] - centroids[k * dimension + d]);
        if (velocity) velocity[d] += weight * product[d];
      }
    }
    return total;
  };

  return {
    dimension,
    squaredSpeed(z, v, momentum, gradient) {
      moveTo(z);
      algebra.solve(v, momentum);
      return momentumTerms(z, momentum, undefined, gradient, -1);
    },
    squaredMomentum(z, p, velocity, gradient) {
      kernelWeights(metric, z, 0, weights); // no factorisation is needed
      return momentumTerms(z, p, velocity, gradient, 1);
    },
  };
}
