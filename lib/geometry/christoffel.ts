// Derivatives of G and the Christoffel symbols at many points.

import { cholesky, inverseFromFactor } from "./cholesky.ts";
import { MetricError } from "./errors.ts";
import { createJetEvaluator, type MetricJet } from "./metric-jet.ts";
import type { Metric } from "./metric.ts";
import { pointCount, type Points } from "./metric-tensor.ts";

/** ∂_l G_ij(z) at [l, i, j] for each of N points: [N, D, D, D]. */
export function metricGradient(metric: Metric, points: Points): Float64Array {
  return eachJet(metric, points, "metricGradient", (jet) => jet.first);
}

/**
 * Γ^i_jl(z) at [i, j, l] for each of N points: [N, D, D, D]. The geodesic equation is z̈^i = -Γ^i_jl ż^j ż^l.
 * Memory is N D³ numbers; scalar curvature and geodesics do not need them.
 */
export function christoffelSymbols(metric: Metric, points: Points): Float64Array {
  return eachJet(metric, points, "christoffelSymbols", christoffelOfJet);
}

/**
 * Γ^i_jl = ½ g^im (∂_j g_ml + ∂_l g_mj - ∂_m g_jl) at [i, j, l] of any metric's jet, [P, P, P] (do Carmo 1992,
 * chapter 2, equation 10). Throws NOT_POSITIVE_DEFINITE.
 */
export function christoffelOfJet(jet: MetricJet): Float64Array {
  const { size } = jet;
  const inverse = inverseOfJet(jet, "christoffelOfJet");
  const lowered = loweredChristoffel(jet);
  const out = new Float64Array(size ** 3);
  for (let i = 0; i < size; i++) {
    for (let m = 0; m < size; m++) {
      for (let jl = 0; jl < size * size; jl++) {
        out[i * size * size + jl] += inverse[i * size + m] * lowered[m * size * size + jl];
      }
    }
  }
  return out;
}

/** Γ_m,jl = ½ (∂_j g_ml + ∂_l g_mj - ∂_m g_jl) at [m, j, l]. */
export function loweredChristoffel({ size, first }: MetricJet): Float64Array {
  const out = new Float64Array(size ** 3);
  const at = (c: number, a: number, b: number) => first[(c * size + a) * size + b];
  for (let m = 0; m < size; m++) {
    for (let j = 0; j < size; j++) {
      for (let l = 0; l < size; l++) out[(m * size + j) * size + l] = 0.5 * (at(j, m, l) + at(l, m, j) - at(m, j, l));
    }
  }
  return out;
}

/** g^ab of a jet, [P, P]. */
export function inverseOfJet({ size, tensor }: MetricJet, caller: string): Float64Array {
  const factor = cholesky(tensor, size);
  if (factor === null) {
    throw new MetricError("NOT_POSITIVE_DEFINITE", `${caller}: got a tensor that is not positive definite`);
  }
  return inverseFromFactor(factor, size);
}

function eachJet(
  metric: Metric,
  points: Points,
  caller: string,
  select: (jet: MetricJet) => Float64Array,
): Float64Array {
  const { dimension } = metric;
  const n = pointCount(points, dimension, caller);
  const width = dimension ** 3;
  const out = new Float64Array(n * width);
  const { jet, evaluate } = createJetEvaluator(metric, 1);
  for (let row = 0; row < n; row++) {
    evaluate(Float64Array.from(points.subarray(row * dimension, (row + 1) * dimension)));
    out.set(select(jet), row * width);
  }
  return out;
}
