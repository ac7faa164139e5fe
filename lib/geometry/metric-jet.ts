// The metric at a point with its first and second derivatives, along any set of directions.

import { MetricError } from "./errors.ts";
import type { Metric } from "./metric.ts";
import { algebraOf } from "./symmetric-algebra.ts";

/** A metric g on P coordinates at one point, with its derivatives; curvature needs nothing else. */
export interface MetricJet {
  /** P. */
  readonly size: number;
  /** g_ab at [a, b]. */
  readonly tensor: Float64Array;
  /** ∂_c g_ab at [c, a, b]. */
  readonly first: Float64Array;
  /** ∂_c ∂_d g_ab at [c, d, a, b]; empty when only first derivatives were asked for. */
  readonly second: Float64Array;
}

/** What {@link createJetEvaluator} returns: evaluates at the point z [D]. */
export interface JetEvaluator {
  /** Overwritten by every call of `evaluate`. */
  readonly jet: MetricJet;
  /** Fills `jet` at z [D] and returns log det G(z) of the whole metric; throws NOT_POSITIVE_DEFINITE. */
  evaluate(z: Float64Array): number;
}

/**
 * Evaluator of g_ab(u) = v_aᵀ G(z + Σ u_a v_a) v_b and its derivatives for P directions v_a, row-major [P, D] (the
 * coordinate axes when absent). Analytic: with H = G⁻¹ and x_a = G v_a,
 *   ∂_c g_ab = -x_aᵀ ∂_cH x_b,
 *   ∂_c∂_d g_ab = x_aᵀ(∂_cH G ∂_dH + ∂_dH G ∂_cH - ∂_c∂_dH) x_b  (Petersen and Pedersen 2012, section 2.2),
 * where H and its derivatives are sums of the M_k with the derivatives of the Gaussian kernels as coefficients.
 */
export function createJetEvaluator(metric: Metric, order: 1 | 2, directions = axes(metric.dimension)): JetEvaluator {
  const { count, dimension, centroids, temperature, lambda } = metric;
  const size = directionCount(directions, dimension);
  const algebra = algebraOf(metric);
  const { stored, matrices } = algebra;
  // Rows of sums over k: H, the P ∂_cH, the P (P + 1) / 2 ∂_c∂_dH with c ≤ d.
  const sumCount = 1 + size + (order === 2 ? (size * (size + 1)) / 2 : 0);
  const sums = new Float64Array(sumCount * stored);
  const coefficients = new Float64Array(sumCount);
  const offsets = new Float64Array(size); // v_c · (z - c_k)
  const gram = innerProducts(directions, directions, dimension);
  const centroidOffsets = innerProducts(centroids, directions, dimension); // c_k · v_c
  const raised = rowsOf(size, dimension); // x_a
  const half = rowsOf(size * size, dimension); // L⁻¹ ∂_cH x_a at c P + a
  const scratch = new Float64Array(dimension);
  const jet: MetricJet = {
    size,
    tensor: new Float64Array(size ** 2),
    first: new Float64Array(size ** 3),
    second: new Float64Array(order === 2 ? size ** 4 : 0),
  };

  const addKernels = (z: Float64Array) => {
    sums.fill(0);
    algebra.setToIdentity(sums, lambda);
    const slope = -2 / temperature ** 2;
    const pointOffsets = innerProducts(z, directions, dimension);
    for (let k = 0; k < count; k++) {
      let squared = 0;
      for (let d = 0; d < dimension; d++) squared += (z[d] - centroids[k * dimension + d]) ** 2;
      for (let c = 0; c < size; c++) offsets[c] = pointOffsets[c] - centroidOffsets[k * size + c];
      const weight = Math.exp((slope / 2) * squared);
      coefficients[0] = weight;
      for (let c = 0; c < size; c++) coefficients[1 + c] = weight * slope * offsets[c];
      for (let c = 0, next = 1 + size; next < sumCount; c++) {
        for (let d = c; d < size; d++) {
          coefficients[next++] = weight * slope * (slope * offsets[c] * offsets[d] + gram[c * size + d]);
        }
      }
      addScaled(sums, coefficients, matrices, k * stored, stored);
    }
  };

  const fillFirst = () => {
    for (let c = 0; c < size; c++) {
      for (let a = 0; a < size; a++) {
        const row = half[c * size + a];
        algebra.multiply(sums, (1 + c) * stored, raised[a], row);
        for (let b = 0; b < size; b++) jet.first[(c * size + a) * size + b] = -dot(row, raised[b]);
        if (order === 2) algebra.halfSolve(row, row);
      }
    }
  };

  const fillSecond = () => {
    for (let c = 0, next = 1 + size; c < size; c++) {
      for (let d = c; d < size; d++, next++) {
        for (let a = 0; a < size; a++) {
          algebra.multiply(sums, next * stored, raised[a], scratch);
          for (let b = 0; b < size; b++) {
            const value =
              dot(half[c * size + a], half[d * size + b]) +
              dot(half[d * size + a], half[c * size + b]) -
              dot(scratch, raised[b]);
            jet.second[((c * size + d) * size + a) * size + b] = value;
            jet.second[((d * size + c) * size + a) * size + b] = value;
          }
        }
      }
    }
  };

  return {
    jet,
    evaluate(z) {
      addKernels(z);
      const logDetInverse = algebra.factorise(sums);
      if (Number.isNaN(logDetInverse)) {
        throw new MetricError(
          "NOT_POSITIVE_DEFINITE",
          `createJetEvaluator: the inverse metric at (${z.join(", ")}) is not positive definite; ` +
            "check the point and the metric with validateMetric",
        );
      }
      for (let a = 0; a < size; a++) {
        const direction = directions.subarray(a * dimension, (a + 1) * dimension);
        algebra.solve(direction, raised[a]);
        for (let b = 0; b <= a; b++) {
          const value = dot(direction, raised[b]);
          jet.tensor[a * size + b] = value;
          jet.tensor[b * size + a] = value;
        }
      }
      fillFirst();
      if (order === 2) fillSecond();
      return -logDetInverse;
    },
  };
}

/** Adds coefficients[r] M to row r of `sums` for the one matrix M that starts at `offset`. */
function addScaled(
  sums: Float64Array,
  coefficients: Float64Array,
  matrices: Float64Array,
  offset: number,
  stored: number,
): void {
  for (let row = 0; row < coefficients.length; row++) {
    const coefficient = coefficients[row];
    const start = row * stored;
    for (let i = 0; i < stored; i++) sums[start + i] += coefficient * matrices[offset + i];
  }
}

function axes(dimension: number): Float64Array {
  const out = new Float64Array(dimension * dimension);
  for (let d = 0; d < dimension; d++) out[d * (dimension + 1)] = 1;
  return out;
}

function directionCount(directions: Float64Array, dimension: number): number {
  const size = directions.length / dimension;
  if (Number.isInteger(size) && size >= 1) return size;
  throw new MetricError(
    "BAD_SHAPE",
    `createJetEvaluator: got ${directions.length} numbers, wanted directions of ${dimension} coordinates each`,
  );
}

/** a_i · b_j of the rows of a [M, D] and b [N, D]: [M, N]. */
function innerProducts(a: Float64Array, b: Float64Array, dimension: number): Float64Array {
  const columns = b.length / dimension;
  const out = new Float64Array((a.length / dimension) * columns);
  for (let i = 0; i < out.length; i++) {
    const [left, right] = [Math.floor(i / columns) * dimension, (i % columns) * dimension];
    for (let d = 0; d < dimension; d++) out[i] += a[left + d] * b[right + d];
  }
  return out;
}

function rowsOf(count: number, width: number): Float64Array[] {
  return Array.from({ length: count }, () => new Float64Array(width));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
