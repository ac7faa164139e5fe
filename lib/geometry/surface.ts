// The metric on surfaces in latent space: planes, analytically, and grids that a map has carried elsewhere.

import { brioschiCurvature, gaussianCurvatureOfJet } from "./curvature.ts";
import { MetricError } from "./errors.ts";
import { differentiateOnGrid, type Grid } from "./grid.ts";
import { createInverseEvaluator } from "./inverse-evaluator.ts";
import { createJetEvaluator } from "./metric-jet.ts";
import type { Metric } from "./metric.ts";
import { pointCount, type Points } from "./metric-tensor.ts";
import { embedPoints, type Subspace } from "./pca.ts";

/** What the metric says at N points of a surface. */
export interface SurfaceField {
  /** log det G of the whole metric, [N]. */
  logDet: Float64Array;
  /** The surface's own metric g_ab, [N, 2, 2]. */
  tensor: Float64Array;
  /** Its Gaussian curvature, [N]; NaN where g is singular. */
  curvature: Float64Array;
}

/**
 * The metric on a plane at N coordinates [N, 2]: g = V G Vᵀ, and its Gaussian curvature by analytic second derivatives.
 * O(K D) operations a point for diagonal matrices, O(K D²) for full ones. Throws BAD_SHAPE, NOT_POSITIVE_DEFINITE.
 */
export function evaluatePlane(metric: Metric, plane: Subspace, coordinates: Points): SurfaceField {
  const { dimension } = metric;
  if (plane.count !== 2 || plane.dimension !== dimension) {
    throw new MetricError(
      "BAD_SHAPE",
      `evaluatePlane: got ${plane.count} directions of ${plane.dimension} coordinates, wanted 2 of ${dimension}`,
    );
  }
  const points = embedPoints(plane, coordinates);
  const field = emptyField(points.length / dimension);
  const { jet, evaluate } = createJetEvaluator(metric, 2, plane.components);
  for (let row = 0; row < field.logDet.length; row++) {
    field.logDet[row] = evaluate(points.subarray(row * dimension, (row + 1) * dimension));
    field.tensor.set(jet.tensor, row * 4);
    field.curvature[row] = gaussianCurvatureOfJet(jet);
  }
  return field;
}

/**
 * The metric on the surface through `points` [rows * columns, D], the images f(u, v) of a grid's points under a smooth
 * map: g_ab = ∂_a fᵀ G(f) ∂_b f, the pullback. `tangents` [rows * columns, 2, D] are ∂_u f and ∂_v f where the caller
 * knows them, or else fourth-order differences of the points. The curvature is by differences of g, whose error grows
 * with the rounding of the points over h³: float32 points 0.06 apart cost about 2e-4 inside the grid, ten times that at
 * its border. Throws BAD_SHAPE.
 */
export function evaluateSurface(metric: Metric, points: Points, grid: Grid, tangents?: Float64Array): SurfaceField {
  const { dimension } = metric;
  const n = pointCount(points, dimension, "evaluateSurface");
  if (n !== grid.rows * grid.columns || (tangents && tangents.length !== 2 * points.length)) {
    throw new MetricError(
      "BAD_SHAPE",
      `evaluateSurface: got ${n} points${tangents ? ` and ${tangents.length} numbers of tangents` : ""}, wanted ` +
        `${grid.columns} × ${grid.rows} points of ${dimension} coordinates, with two tangents each or none`,
    );
  }
  const positions = Float64Array.from(points);
  const along = tangents ?? gridTangents(positions, grid, dimension);
  const field = emptyField(n);
  const { algebra, moveTo } = createInverseEvaluator(metric, "evaluateSurface");
  const [u, v] = [new Float64Array(dimension), new Float64Array(dimension)];
  for (let row = 0; row < n; row++) {
    field.logDet[row] = moveTo(positions.subarray(row * dimension, (row + 1) * dimension));
    const from = row * 2 * dimension;
    // G = L⁻ᵀ L⁻¹, so g is the Gram matrix of L⁻¹ times the tangents.
    algebra.halfSolve(along.subarray(from, from + dimension), u);
    algebra.halfSolve(along.subarray(from + dimension, from + 2 * dimension), v);
    let [e, f, g] = [0, 0, 0];
    for (let d = 0; d < dimension; d++) {
      e += u[d] * u[d];
      f += u[d] * v[d];
      g += v[d] * v[d];
    }
    field.tensor.set([e, f, f, g], row * 4);
  }
  return { ...field, curvature: gridCurvature(field.tensor, grid) };
}

/**
 * Gaussian curvature of a surface metric that is known on a grid, `tensor` [rows * columns, 2, 2], by fourth-order
 * differences in Brioschi's formula: [rows * columns]. Points at the border lose an order or two. Throws BAD_SHAPE.
 */
export function gridCurvature(tensor: Float64Array, grid: Grid): Float64Array {
  const du = differentiateOnGrid(tensor, grid, "u", 4);
  const dv = differentiateOnGrid(tensor, grid, "v", 4);
  const duu = differentiateOnGrid(du, grid, "u", 4);
  const duv = differentiateOnGrid(du, grid, "v", 4);
  const dvv = differentiateOnGrid(dv, grid, "v", 4);
  return Float64Array.from({ length: tensor.length / 4 }, (_, point) => {
    const [e, f, g] = [4 * point, 4 * point + 1, 4 * point + 3];
    return brioschiCurvature({
      e: tensor[e],
      f: tensor[f],
      g: tensor[g],
      eu: du[e],
      fu: du[f],
      gu: du[g],
      ev: dv[e],
      fv: dv[f],
      gv: dv[g],
      guu: duu[g],
      fuv: duv[f],
      evv: dvv[e],
    });
  });
}

/** ∂_u f and ∂_v f of points f [rows * columns, D] by differences, [rows * columns, 2, D]. */
function gridTangents(points: Float64Array, grid: Grid, dimension: number): Float64Array {
  const [du, dv] = (["u", "v"] as const).map((axis) => differentiateOnGrid(points, grid, axis, dimension));
  const out = new Float64Array(2 * points.length);
  for (let from = 0; from < points.length; from += dimension) {
    out.set(du.subarray(from, from + dimension), 2 * from);
    out.set(dv.subarray(from, from + dimension), 2 * from + dimension);
  }
  return out;
}

function emptyField(n: number): SurfaceField {
  return { logDet: new Float64Array(n), tensor: new Float64Array(4 * n), curvature: new Float64Array(n) };
}
