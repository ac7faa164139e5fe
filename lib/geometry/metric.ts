// The metric as plain numbers: inverse metric G⁻¹(z) = Σ_k M_k exp(-‖z - c_k‖² / T²) + λ I, held in float64.

/** Source of uniform numbers in [0, 1); `Random` of `@cleanloop/data` is one. */
export interface UniformSource {
  uniform(): number;
}

/** Source of normal numbers as well; `Random` of `@cleanloop/data` is one. */
export interface RandomSource extends UniformSource {
  /** Fills `out` with independent draws of N(0, 1). */
  normals(out: Float64Array): Float64Array;
}

/**
 * A Riemannian metric on R^D made of K centroids. Close to the centroids G⁻¹ is large (short distances);
 * far from all of them G tends to I / λ.
 */
export interface Metric {
  /** `diagonal`: matrices is [K, D], the diagonals of M_k; `full`: matrices is [K, D, D]. */
  readonly kind: "diagonal" | "full";
  /** Number of centroids K. */
  readonly count: number;
  /** Latent dimension D. */
  readonly dimension: number;
  /** c_k, row-major [K, D]. */
  readonly centroids: Float64Array;
  /** M_k, row-major [K, D] or [K, D, D]. */
  readonly matrices: Float64Array;
  /** T, in units of latent distance. */
  readonly temperature: number;
  /** λ, the smallest eigenvalue G⁻¹ can have. */
  readonly lambda: number;
}

/** The same metric with every M_k as a full matrix, [K, D, D]; a full metric is returned as it is. */
export function fullMatrices(metric: Metric): Float64Array {
  if (metric.kind === "full") return metric.matrices;
  const { count, dimension } = metric;
  const matrices = new Float64Array(count * dimension * dimension);
  for (let k = 0; k < count; k++) {
    for (let d = 0; d < dimension; d++) {
      matrices[(k * dimension + d) * dimension + d] = metric.matrices[k * dimension + d];
    }
  }
  return matrices;
}
