// What the duals say about eigenvalues.

/**
 * Estimates [d] of the Laplacian's eigenvalues from the duals [d, d]: at the equilibrium of the Lagrangian the diagonal
 * is -4 c lambda, with c the scale of the graph term.
 */
export function eigenvaluesFromDuals(duals: ArrayLike<number>, d: number, graphScale: number): Float64Array {
  return Float64Array.from({ length: d }, (_, i) => duals[i * d + i] / (-4 * graphScale));
}
