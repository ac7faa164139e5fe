// Geodesics between two points: the path of least energy, discretised and minimised.

import { MetricError } from "./errors.ts";
import type { GeodesicField } from "./geodesic-field.ts";
import { minimise } from "./lbfgs.ts";

const MAX_DOUBLINGS = 3;
/** Pieces that a segment is cut into to see what the midpoint rule has missed. */
const CUTS = 8;

export interface GeodesicOptions {
  /** Segments N of the path at least. */
  segments?: number;
  /** Relative error of the length above which the segments are doubled, up to three times. */
  lengthTolerance?: number;
  maxIterations?: number;
  /** Share of the energy below which a further decrease is not looked for. */
  tolerance?: number;
}

/** Energy and length of a path under the midpoint rule. */
export interface PathMeasure {
  /** E = (N/2) Σ_i Δ_iᵀ G(z̄_i) Δ_i, with z̄_i the middle of segment i. */
  energy: number;
  /** Σ_i √(Δ_iᵀ G(z̄_i) Δ_i); at most √(2 E), with equality at constant speed. */
  length: number;
  /** Shortest over longest segment, 1 at constant speed. */
  speedUniformity: number;
}

export interface Geodesic extends PathMeasure {
  /** Points z_0 to z_N, row-major [N + 1, D]; N is `segments`, or two, four or eight times as many. */
  path: Float64Array;
  /** Relative difference between `length` and the length of the same polygon with every segment cut into eight. */
  lengthError: number;
  /** The straight line between the same points, in as many segments. */
  straight: PathMeasure;
  iterations: number;
  converged: boolean;
}

/**
 * The path of least energy from `start` [D] to `end` [D]: a geodesic at constant speed (do Carmo 1992, chapter 9). The
 * search starts from the straight line, so it finds the minimum in its neighbourhood, not always the shortest of all.
 * The error of a path of N segments falls as 1/N², but between narrow kernels a coarse path may leap over the ground
 * that its middles do not see: it is then sought again with more segments. Never longer than the straight line, under
 * the midpoint rule and under the finer one; where a path would be, the straight line is the answer.
 * Throws BAD_SHAPE, BAD_ARGUMENT.
 */
export function geodesicBetween(
  field: GeodesicField,
  start: Float64Array,
  end: Float64Array,
  options: GeodesicOptions = {},
): Geodesic {
  const { dimension } = field;
  const { segments = 32, lengthTolerance = 0.01 } = options;
  if (start.length !== dimension || end.length !== dimension) {
    throw new MetricError(
      "BAD_SHAPE",
      `geodesicBetween: got points of ${start.length} and ${end.length} coordinates, wanted ${dimension}`,
    );
  }
  if (!Number.isInteger(segments) || segments < 2) {
    throw new MetricError("BAD_ARGUMENT", `geodesicBetween: got ${segments} segments, wanted a whole number above 1`);
  }
  for (let doublings = 0; ; doublings++) {
    const line = straightPath(start, end, segments * 2 ** doublings);
    const { path, ...search } = leastEnergyPath(field, line, options);
    const [found, straight] = [measureTwice(field, path), measureTwice(field, line)];
    if (found.lengthError > lengthTolerance && doublings < MAX_DOUBLINGS) continue;
    const better = found.measure.length <= straight.measure.length && found.fineLength <= straight.fineLength;
    const { measure, lengthError } = better ? found : straight;
    return { ...measure, path: better ? path : line, lengthError, straight: straight.measure, ...search };
  }
}

function leastEnergyPath(field: GeodesicField, line: Float64Array, options: GeodesicOptions) {
  const { dimension } = field;
  const { maxIterations, tolerance = 1e-18 } = options;
  const energyOf = pathEnergy(field, line);
  const inner = line.subarray(dimension, line.length - dimension);
  const { x, iterations, converged } = minimise(energyOf, inner, {
    maxIterations,
    tolerance,
    precondition: (vector) => solveLaplacian(vector, dimension),
  });
  const path = line.slice();
  path.set(x, dimension);
  return { path, iterations, converged };
}

/** A path's measure, its length with every segment cut into pieces, and the relative difference of the two lengths. */
function measureTwice(field: GeodesicField, path: Float64Array) {
  const measure = measurePath(field, path);
  const fineLength = measurePath(field, cutSegments(path, field.dimension)).length;
  return { measure, fineLength, lengthError: fineLength > 0 ? Math.abs(measure.length / fineLength - 1) : 0 };
}

/** Geodesics between N pairs of points, rows of `starts` and `ends` [N, D]. */
export function geodesicsBetween(
  field: GeodesicField,
  starts: Float64Array,
  ends: Float64Array,
  options: GeodesicOptions = {},
): Geodesic[] {
  const { dimension } = field;
  if (starts.length !== ends.length || starts.length % dimension !== 0) {
    throw new MetricError(
      "BAD_SHAPE",
      `geodesicsBetween: got ${starts.length} and ${ends.length} numbers, wanted as many rows of ${dimension} in both`,
    );
  }
  const row = (points: Float64Array, index: number) => points.slice(index * dimension, (index + 1) * dimension);
  return Array.from({ length: starts.length / dimension }, (_, index) =>
    geodesicBetween(field, row(starts, index), row(ends, index), options),
  );
}

/** Energy, length and uniformity of a path [N + 1, D] under the midpoint rule. */
export function measurePath(field: GeodesicField, path: Float64Array): PathMeasure {
  const segments = path.length / field.dimension - 1;
  const lengths = new Float64Array(segments);
  eachSegment(field, path, (segment, squared) => (lengths[segment] = Math.sqrt(squared)));
  const longest = Math.max(...lengths);
  return {
    energy: (segments / 2) * lengths.reduce((sum, value) => sum + value * value, 0),
    length: lengths.reduce((sum, value) => sum + value, 0),
    speedUniformity: longest > 0 ? Math.min(...lengths) / longest : 1,
  };
}

/** The energy as a function of the inner points [N - 1, D], with its gradient; the ends are those of `line`. */
function pathEnergy(field: GeodesicField, line: Float64Array) {
  const { dimension } = field;
  const path = line.slice();
  const segments = line.length / dimension - 1;
  const whole = new Float64Array(path.length);
  return (inner: Float64Array, gradient: Float64Array): number => {
    path.set(inner, dimension);
    whole.fill(0);
    let energy = 0;
    eachSegment(field, path, (segment, squared, momentum, slope) => {
      energy += (segments / 2) * squared;
      for (let d = 0; d < dimension; d++) {
        const from = segment * dimension + d;
        // Both ends move the middle by half as much.
        whole[from] += segments * (slope[d] / 4 - momentum[d]);
        whole[from + dimension] += segments * (slope[d] / 4 + momentum[d]);
      }
    });
    gradient.set(whole.subarray(dimension, segments * dimension));
    return energy;
  };
}

/** Visits every segment with Δᵀ G Δ at its middle, G Δ and ∇ (Δᵀ G Δ). */
function eachSegment(
  field: GeodesicField,
  path: Float64Array,
  visit: (segment: number, squared: number, momentum: Float64Array, gradient: Float64Array) => void,
): void {
  const { dimension } = field;
  const [middle, delta, momentum, gradient] = Array.from({ length: 4 }, () => new Float64Array(dimension));
  for (let segment = 0; segment < path.length / dimension - 1; segment++) {
    for (let d = 0; d < dimension; d++) {
      const [from, to] = [path[segment * dimension + d], path[(segment + 1) * dimension + d]];
      middle[d] = (from + to) / 2;
      delta[d] = to - from;
    }
    visit(segment, field.squaredSpeed(middle, delta, momentum, gradient), momentum, gradient);
  }
}

function straightPath(start: Float64Array, end: Float64Array, segments: number): Float64Array {
  const dimension = start.length;
  return Float64Array.from({ length: (segments + 1) * dimension }, (_, i) => {
    const [at, d] = [Math.floor(i / dimension) / segments, i % dimension];
    return (1 - at) * start[d] + at * end[d];
  });
}

/** The same polygon with every segment cut into {@link CUTS} equal pieces. */
function cutSegments(path: Float64Array, dimension: number): Float64Array {
  const pieces = (path.length / dimension - 1) * CUTS;
  const out = new Float64Array((pieces + 1) * dimension);
  for (let piece = 0; piece < pieces; piece++) {
    const from = Math.floor(piece / CUTS) * dimension;
    const at = (piece % CUTS) / CUTS;
    for (let d = 0; d < dimension; d++) {
      out[piece * dimension + d] = (1 - at) * path[from + d] + at * path[from + dimension + d];
    }
  }
  out.set(path.subarray(-dimension), pieces * dimension);
  return out;
}

/**
 * Solves tridiag(-1, 2, -1) x = vector for each coordinate of a path's inner points, in place. It is the Hessian of the
 * energy in flat space up to a factor, and takes the number of steps from O(N) to a few dozen at any N.
 */
function solveLaplacian(vector: Float64Array, dimension: number): void {
  const points = vector.length / dimension;
  for (let d = 0; d < dimension; d++) {
    // The pivots of the elimination are (i + 2) / (i + 1).
    for (let i = 1; i < points; i++) vector[i * dimension + d] += (i / (i + 1)) * vector[(i - 1) * dimension + d];
    for (let i = points - 1; i >= 0; i--) {
      const next = i + 1 < points ? vector[(i + 1) * dimension + d] : 0;
      vector[i * dimension + d] = ((i + 1) / (i + 2)) * (vector[i * dimension + d] + next);
    }
  }
}
