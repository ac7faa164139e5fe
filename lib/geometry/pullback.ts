// The metric seen along tangent vectors: on a plane of latent space, or carried back through a map.

import { MetricError } from "./errors.ts";
import { pointCount, type Points } from "./metric-tensor.ts";

/**
 * The pullback g_ab = t_aᵀ G t_b at each of N points: [N, P, P] from tensors G [N, D, D] and tangents t_a, either
 * [P, D] for all points (the components of a plane: V G Vᵀ) or [N, P, D] for each (∂f/∂u_a, with G taken at f(u)).
 * Of a map f with square Jacobian J it is JᵀG(f)J, whose determinant is det G(f) (det J)² (do Carmo 1992, chapter 1).
 * Throws BAD_SHAPE.
 */
export function pullbackMetric(tensors: Points, tangents: Points, dimension: number, count: number): Float64Array {
  const n = pointCount(tensors, dimension * dimension, "pullbackMetric");
  const size = count * dimension;
  if (tangents.length !== size && tangents.length !== n * size) {
    throw new MetricError(
      "BAD_SHAPE",
      `pullbackMetric: got ${tangents.length} numbers of tangents, wanted [${count}, ${dimension}] or ` +
        `[${n}, ${count}, ${dimension}]`,
    );
  }
  const stride = tangents.length === size ? 0 : size;
  const out = new Float64Array(n * count * count);
  const lowered = new Float64Array(dimension); // G t_b
  for (let row = 0; row < n; row++) {
    for (let b = 0; b < count; b++) {
      const tangent = row * stride + b * dimension;
      for (let i = 0; i < dimension; i++) {
        const line = (row * dimension + i) * dimension;
        let sum = 0;
        for (let j = 0; j < dimension; j++) sum += tensors[line + j] * tangents[tangent + j];
        lowered[i] = sum;
      }
      for (let a = 0; a < count; a++) {
        let sum = 0;
        for (let i = 0; i < dimension; i++) sum += tangents[row * stride + a * dimension + i] * lowered[i];
        out[(row * count + a) * count + b] = sum;
      }
    }
  }
  return out;
}
