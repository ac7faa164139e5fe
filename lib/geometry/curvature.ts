// Curvature of any metric from its derivatives at a point, by two independent formulas.

import { inverseOfJet, loweredChristoffel } from "./christoffel.ts";
import { MetricError } from "./errors.ts";
import type { MetricJet } from "./metric-jet.ts";

/** A surface metric E du² + 2F du dv + G dv² at a point, with the derivatives that its curvature takes. */
export interface SurfaceJet {
  e: number;
  f: number;
  g: number;
  eu: number;
  ev: number;
  fu: number;
  fv: number;
  gu: number;
  gv: number;
  evv: number;
  fuv: number;
  guu: number;
}

/** Gaussian curvature by Brioschi's formula (Gray, Abbena and Salamon 2006, section 17.1); NaN where g is singular. */
export function brioschiCurvature({ e, f, g, eu, ev, fu, fv, gu, gv, evv, fuv, guu }: SurfaceJet): number {
  const det = e * g - f * f;
  const [left, top] = [fv - gu / 2, fu - ev / 2];
  const first = (fuv - (evv + guu) / 2) * det - (eu / 2) * (left * g - (f * gv) / 2) + top * (left * f - (e * gv) / 2);
  const second = -(ev / 4) * (ev * g - f * gu) + (gu / 4) * (ev * f - e * gu);
  return det > 0 ? (first - second) / (det * det) : NaN;
}

/** Gaussian curvature from a jet of size 2; positive on a sphere. Throws BAD_SHAPE. */
export function gaussianCurvatureOfJet({ size, tensor, first, second }: MetricJet): number {
  if (size !== 2 || second.length !== 16) {
    throw new MetricError(
      "BAD_SHAPE",
      `gaussianCurvatureOfJet: got a jet of size ${size} with ${second.length} second derivatives, wanted 2 with 16`,
    );
  }
  return brioschiCurvature({
    e: tensor[0],
    f: tensor[1],
    g: tensor[3],
    eu: first[0],
    fu: first[1],
    gu: first[3],
    ev: first[4],
    fv: first[5],
    gv: first[7],
    guu: second[3],
    fuv: second[5],
    evv: second[12],
  });
}

/**
 * Scalar curvature R = g^ac g^bd R_abcd from the jet of a metric of any size P ≥ 1 (twice the Gaussian curvature for
 * P = 2), with R_abcd = ½ (∂_b∂_c g_ad + ∂_a∂_d g_bc - ∂_a∂_c g_bd - ∂_b∂_d g_ac) + Γ_e,bc Γ^e_ad - Γ_e,bd Γ^e_ac
 * (Misner, Thorne and Wheeler 1973, exercise 14.3). Throws BAD_SHAPE, NOT_POSITIVE_DEFINITE.
 */
export function scalarCurvatureOfJet(jet: MetricJet): number {
  const { size, second } = jet;
  if (second.length !== size ** 4) {
    throw new MetricError(
      "BAD_SHAPE",
      `scalarCurvatureOfJet: got ${second.length} second derivatives, wanted ${size ** 4} for a jet of size ${size}`,
    );
  }
  const inverse = inverseOfJet(jet, "scalarCurvatureOfJet");
  const lowered = loweredChristoffel(jet);
  const inv = (a: number, b: number) => inverse[a * size + b];
  const sec = (c: number, d: number, a: number, b: number) => second[((c * size + d) * size + a) * size + b];
  const gamma = (e: number, a: number, b: number) => lowered[(e * size + a) * size + b];
  let curvature = 0;
  for (let a = 0; a < size; a++) {
    for (let b = 0; b < size; b++) {
      for (let c = 0; c < size; c++) {
        for (let d = 0; d < size; d++) {
          // The four second derivatives pair up under the contraction.
          let riemann = sec(b, c, a, d) - sec(a, c, b, d);
          for (let e = 0; e < size; e++) {
            for (let f = 0; f < size; f++) {
              riemann += inv(e, f) * (gamma(e, b, c) * gamma(f, a, d) - gamma(e, b, d) * gamma(f, a, c));
            }
          }
          curvature += inv(a, c) * inv(b, d) * riemann;
        }
      }
    }
  }
  return curvature;
}
