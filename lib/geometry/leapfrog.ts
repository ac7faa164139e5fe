// The leapfrog integrator for H(z, p) = -log π(z) + ½‖p‖²: reversible, volume preserving, second order.

/** ∇ log π at every row of `positions`, in an array of the same length. */
export type Gradient = (positions: Float64Array) => Float64Array;

/**
 * Moves positions and momenta, arrays of one shape, in place by `steps` leapfrog steps: half a kick p += (ε/2) ∇ log π,
 * then drifts z += ε p and kicks in turn, and half a kick to end on (Neal 2011, equations 2.28 to 2.30). A negated
 * momentum leads back to the start up to rounding; the error of H stays O(ε²). Rows are independent trajectories.
 */
export function leapfrog(
  gradientAt: Gradient,
  positions: Float64Array,
  momenta: Float64Array,
  stepSize: number,
  steps: number,
): void {
  addScaled(momenta, stepSize / 2, gradientAt(positions));
  for (let step = 1; step <= steps; step++) {
    addScaled(positions, stepSize, momenta);
    addScaled(momenta, step < steps ? stepSize : stepSize / 2, gradientAt(positions));
  }
}

function addScaled(target: Float64Array, scale: number, source: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i] += scale * source[i];
}
