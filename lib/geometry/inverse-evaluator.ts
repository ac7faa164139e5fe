// G⁻¹ at one point after another, kept in the form the metric is stored in and ready for solves.

import { MetricError } from "./errors.ts";
import { kernelWeights } from "./metric-tensor.ts";
import type { Metric } from "./metric.ts";
import { algebraOf, type SymmetricAlgebra } from "./symmetric-algebra.ts";

export interface InverseEvaluator {
  /** Its solves are those with G⁻¹ at the last point: `solve` multiplies a vector by G. */
  readonly algebra: SymmetricAlgebra;
  /** w_k at the last point, [K]. */
  readonly weights: Float64Array;
  /** Moves to z [D] and returns log det G(z); throws NOT_POSITIVE_DEFINITE, also where z is not finite. */
  moveTo(z: Float64Array): number;
}

/** Evaluator for one metric; it owns its work space. `caller` opens the message of its errors. */
export function createInverseEvaluator(metric: Metric, caller: string): InverseEvaluator {
  const { count, lambda } = metric;
  const algebra = algebraOf(metric);
  const { stored, matrices } = algebra;
  const inverse = new Float64Array(stored);
  const weights = new Float64Array(count);
  return {
    algebra,
    weights,
    moveTo(z) {
      kernelWeights(metric, z, 0, weights);
      algebra.setToIdentity(inverse, lambda);
      for (let k = 0; k < count; k++) {
        const weight = weights[k];
        for (let i = 0; i < stored; i++) inverse[i] += weight * matrices[k * stored + i];
      }
      const logDetInverse = algebra.factorise(inverse);
      if (Number.isNaN(logDetInverse)) {
        throw new MetricError(
          "NOT_POSITIVE_DEFINITE",
          `${caller}: the inverse metric at (${z.join(", ")}) is not positive definite; ` +
            "check the point and the metric with validateMetric",
        );
      }
      return -logDetInverse;
    },
  };
}
