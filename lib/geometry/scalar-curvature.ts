// Scalar curvature of the whole metric at many points, without the D⁴ numbers of its second derivatives.

import { cholesky } from "./cholesky.ts";
import { createJetEvaluator } from "./metric-jet.ts";
import type { Metric } from "./metric.ts";
import { inverseMetric, kernelWeights, pointCount, traceOfProduct, type Points } from "./metric-tensor.ts";
import { algebraOf } from "./symmetric-algebra.ts";

/**
 * Scalar curvature R of G at each of N points: [N]. Equal to `scalarCurvatureOfJet` with all D axes, at O(K D² + D⁴)
 * instead of O(K D⁴ + D⁶) operations a point. Throws BAD_SHAPE, NOT_POSITIVE_DEFINITE.
 *
 * In the frame of the columns of L, L Lᵀ = G⁻¹ = H, the metric is the identity. With T_cab = ∂_c g_ab there,
 *   R = ½ Σ T_bap T_abp - 5/4 Σ T_cab² + s·t - ¼ |t|² + C,  s_p = Σ_a T_aap,  t_c = Σ_a T_caa,
 * which is R = Σ_ab (∂_a∂_b g_ab - ∂_a∂_a g_bb) + Σ Γ_e,ab² - Σ_e (Σ_b Γ_e,bb)² with the second derivatives of G
 * written by those of H. Those of H are sums over the kernels, whose contractions C need no frame: with δ_k = z - c_k,
 *   C = Σ_k w_k { [(4/T⁴) δ_kᵀ H δ_k - (2/T²) tr H] tr(G M_k) - (4/T⁴) δ_kᵀ M_k δ_k + (2/T²) tr M_k }.
 */
export function scalarCurvature(metric: Metric, points: Points): Float64Array {
  const { dimension } = metric;
  const n = pointCount(points, dimension, "scalarCurvature");
  const { jet, evaluate } = createJetEvaluator(metric, 1);
  const kernelTerm = createKernelTerm(metric);
  const out = new Float64Array(n);
  for (let row = 0; row < n; row++) {
    const z = Float64Array.from(points.subarray(row * dimension, (row + 1) * dimension));
    evaluate(z); // refuses an H without a Cholesky factor
    const inverse = inverseMetric(metric, z);
    const frame = cholesky(inverse, dimension)!;
    out[row] = frameTerm(toFrame(jet.first, frame, dimension), dimension) + kernelTerm(z, jet.tensor, inverse);
  }
  return out;
}

/** ½ Σ T_bap T_abp - 5/4 Σ T_cab² + s·t - ¼ |t|². */
function frameTerm(t: Float64Array, n: number): number {
  let [swapped, squares, products] = [0, 0, 0];
  for (let a = 0; a < n; a++) {
    let [s, trace] = [0, 0];
    for (let b = 0; b < n; b++) {
      s += t[(b * n + b) * n + a];
      trace += t[(a * n + b) * n + b];
      for (let p = 0; p < n; p++) {
        const value = t[(a * n + b) * n + p];
        squares += value * value;
        swapped += value * t[(b * n + a) * n + p];
      }
    }
    products += s * trace - (trace * trace) / 4;
  }
  return swapped / 2 - (5 / 4) * squares + products;
}

/** T_cab [D, D, D] along the axes, in the frame of the columns of L: one index after the other. */
function toFrame(tensor: Float64Array, frame: Float64Array, n: number): Float64Array {
  let current = tensor;
  for (let index = 0; index < 3; index++) {
    // The first index is summed and comes back as the last, so that three rounds restore the order.
    const next = new Float64Array(n ** 3);
    for (let axis = 0; axis < n; axis++) {
      for (let rest = 0; rest < n * n; rest++) {
        const value = current[axis * n * n + rest];
        if (value === 0) continue; // most of a diagonal metric
        for (let column = 0; column <= axis; column++) next[rest * n + column] += frame[axis * n + column] * value;
      }
    }
    current = next;
  }
  return current;
}

/** C as a function of z [D], G and H [D, D]. */
function createKernelTerm(metric: Metric) {
  const { count, dimension, centroids, temperature } = metric;
  const algebra = algebraOf(metric);
  const identity = Float64Array.from({ length: dimension ** 2 }, (_, i) => (i % (dimension + 1) === 0 ? 1 : 0));
  const square = 2 / temperature ** 2;
  const traces = Float64Array.from({ length: count }, (_, k) => traceOfProduct(metric, k, identity));
  const weights = new Float64Array(count);
  const offset = new Float64Array(dimension);
  const product = new Float64Array(dimension);
  return (z: Float64Array, tensor: Float64Array, inverse: Float64Array): number => {
    kernelWeights(metric, z, 0, weights);
    let inverseTrace = 0;
    for (let d = 0; d < dimension; d++) inverseTrace += inverse[d * (dimension + 1)];
    let sum = 0;
    for (let k = 0; k < count; k++) {
      for (let d = 0; d < dimension; d++) offset[d] = z[d] - centroids[k * dimension + d];
      algebra.multiply(algebra.matrices, k * algebra.stored, offset, product);
      let [own, whole] = [0, 0]; // δᵀ M_k δ and δᵀ H δ
      for (let i = 0; i < dimension; i++) {
        own += offset[i] * product[i];
        for (let j = 0; j < dimension; j++) whole += offset[i] * inverse[i * dimension + j] * offset[j];
      }
      const raised = square * (square * whole - inverseTrace) * traceOfProduct(metric, k, tensor);
      sum += weights[k] * (raised - square * (square * own - traces[k]));
    }
    return sum;
  };
}
