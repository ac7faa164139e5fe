// The exponential map: where the geodesic with a given start and velocity is at time 1.

import { integrate, type IntegrateOptions } from "./dormand-prince.ts";
import { MetricError } from "./errors.ts";
import type { GeodesicField } from "./geodesic-field.ts";

export interface ShootOptions extends IntegrateOptions {
  /** Pieces of equal time that the path is reported in. */
  samples?: number;
}

export interface GeodesicShot {
  /** z at the times 0, 1/samples, ..., 1, row-major [samples + 1, D]. */
  path: Float64Array;
  /** ż at time 1, [D]; the reverse of the geodesic starts there with its negative. */
  velocity: Float64Array;
  /** Integration steps, rejected ones included. */
  steps: number;
  /** Relative change of the speed² from start to end, 0 in exact arithmetic. */
  energyDrift: number;
}

/**
 * The geodesic with z(0) = `start` [D] and ż(0) = `velocity` [D] up to time 1, by Hamilton's equations of
 * H = ½ pᵀ G⁻¹(z) p: ż = G⁻¹ p, ṗ = -½ ∇_z (pᵀ G⁻¹ p) (Arnold 1989, section 19). They are the geodesic equation
 * z̈^i = -Γ^i_jl ż^j ż^l with p = G ż, and need no Christoffel symbols. Throws BAD_SHAPE, NOT_CONVERGED.
 */
export function shootGeodesic(
  field: GeodesicField,
  start: Float64Array,
  velocity: Float64Array,
  options: ShootOptions = {},
): GeodesicShot {
  const { dimension } = field;
  const { samples = 1 } = options;
  if (start.length !== dimension || velocity.length !== dimension) {
    throw new MetricError(
      "BAD_SHAPE",
      `shootGeodesic: got a start of ${start.length} and a velocity of ${velocity.length} coordinates, ` +
        `wanted ${dimension} each`,
    );
  }
  if (!Number.isInteger(samples) || samples < 1) {
    throw new MetricError("BAD_ARGUMENT", `shootGeodesic: got samples ${samples}, wanted a whole number of at least 1`);
  }
  const state = new Float64Array(2 * dimension); // z, then p
  const z = state.subarray(0, dimension);
  const momentum = state.subarray(dimension);
  const gradient = new Float64Array(dimension);
  z.set(start);
  const squaredSpeed = field.squaredSpeed(z, velocity, momentum, gradient);

  const equations = hamilton(field);
  const path = new Float64Array((samples + 1) * dimension);
  path.set(start);
  let steps = 0;
  for (let sample = 1; sample <= samples; sample++) {
    steps += integrate(equations, state, 1 / samples, options);
    path.set(z, sample * dimension);
  }
  const finalVelocity = new Float64Array(dimension);
  const finalSquared = field.squaredMomentum(z, momentum, finalVelocity, gradient);
  const energyDrift = squaredSpeed > 0 ? finalSquared / squaredSpeed - 1 : 0;
  return { path, velocity: finalVelocity, steps, energyDrift };
}

/** exp_z(v) for N points and velocities [N, D]: the ends of their geodesics at time 1, [N, D]. */
export function exponentialMap(
  field: GeodesicField,
  points: Float64Array,
  velocities: Float64Array,
  options: IntegrateOptions = {},
): Float64Array {
  const { dimension } = field;
  if (points.length !== velocities.length || points.length % dimension !== 0) {
    throw new MetricError(
      "BAD_SHAPE",
      `exponentialMap: got ${points.length} and ${velocities.length} numbers, wanted as many rows of ${dimension} ` +
        "in both",
    );
  }
  const out = new Float64Array(points.length);
  for (let from = 0; from < points.length; from += dimension) {
    const to = from + dimension;
    const { path } = shootGeodesic(field, points.subarray(from, to), velocities.subarray(from, to), options);
    out.set(path.subarray(dimension), from);
  }
  return out;
}

function hamilton(field: GeodesicField) {
  const { dimension } = field;
  return (state: Float64Array, slope: Float64Array): void => {
    const force = slope.subarray(dimension);
    field.squaredMomentum(state.subarray(0, dimension), state.subarray(dimension), slope.subarray(0, dimension), force);
    for (let d = 0; d < dimension; d++) force[d] *= -0.5;
  };
}
