// Unconstrained minimisation of a smooth function: limited-memory BFGS with a Wolfe line search.

/** f(x), with ∇f(x) written into `gradient`. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

export interface MinimiseOptions {
  /** Steps after which the search gives up. */
  maxIterations?: number;
  /** The search ends when a step promises to lower f by less than this share of |f|. */
  tolerance?: number;
  /** Replaces a vector by P⁻¹ times it, in place, for a fixed positive definite P close to the Hessian. */
  precondition?: (vector: Float64Array) => void;
}

export interface Minimum {
  x: Float64Array;
  value: number;
  iterations: number;
  /** Whether the tolerance was reached; otherwise the search ran out of steps or of float64 digits. */
  converged: boolean;
}

/** Pairs of steps and gradient changes that are remembered. */
const MEMORY = 12;
const SUFFICIENT_DECREASE = 1e-4;
const CURVATURE = 0.9;
const MAX_TRIALS = 40;
/** Relative difference of two values of f that rounding explains. */
const ROUNDING = 1e-14;

interface Pair {
  step: Float64Array;
  change: Float64Array;
  curvature: number; // step · change, positive
}

/**
 * Minimises f from `start` [n] (two-loop recursion: Nocedal and Wright 2006, algorithm 7.4; line search by bisection:
 * Lewis and Overton 2013). Near the minimum, where values of f are equal up to rounding, a step is judged by slopes
 * alone (approximate Wolfe conditions: Hager and Zhang 2005).
 */
export function minimise(objective: Objective, start: Float64Array, options: MinimiseOptions = {}): Minimum {
  const { maxIterations = 500, tolerance = 1e-18, precondition = () => {} } = options;
  const gradient = new Float64Array(start.length);
  let current = { x: Float64Array.from(start), value: objective(start, gradient), gradient };
  const pairs: Pair[] = [];
  for (let iterations = 0; ; iterations++) {
    const direction = descentDirection(current.gradient, pairs, precondition);
    const slope = dot(current.gradient, direction);
    const converged = -slope <= 2 * tolerance * Math.abs(current.value);
    const ended = converged || iterations === maxIterations;
    const next = ended ? undefined : lineSearch(objective, current, direction, slope);
    if (!next) return { x: current.x, value: current.value, iterations, converged };
    const step = next.x.map((value, i) => value - current.x[i]);
    const change = next.gradient.map((value, i) => value - current.gradient[i]);
    pairs.push({ step, change, curvature: dot(step, change) });
    if (pairs.length > MEMORY) pairs.shift();
    current = next;
  }
}

interface Iterate {
  x: Float64Array<ArrayBuffer>;
  value: number;
  gradient: Float64Array<ArrayBuffer>;
}

/** -H ∇f with the inverse Hessian H that the pairs and the preconditioner stand for. */
function descentDirection(
  gradient: Float64Array,
  pairs: readonly Pair[],
  precondition: (vector: Float64Array) => void,
): Float64Array {
  const direction = gradient.map((value) => -value);
  const newestFirst = pairs.toReversed();
  const shares = newestFirst.map(({ step, change, curvature }) => {
    const share = dot(step, direction) / curvature;
    addScaled(direction, -share, change);
    return share;
  });
  precondition(direction);
  const newest = newestFirst[0];
  if (newest) {
    const preconditioned = newest.change.slice();
    precondition(preconditioned);
    const scale = newest.curvature / dot(newest.change, preconditioned);
    for (let i = 0; i < direction.length; i++) direction[i] *= scale;
  }
  pairs.forEach(({ step, change, curvature }, age) => {
    addScaled(direction, shares[pairs.length - 1 - age] - dot(change, direction) / curvature, step);
  });
  return direction;
}

/** A step along `direction` that meets the weak Wolfe conditions, or undefined when float64 cannot resolve one. */
function lineSearch(objective: Objective, from: Iterate, direction: Float64Array, slope: number): Iterate | undefined {
  let [low, high] = [0, Infinity];
  for (let trial = 0, size = 1; trial < MAX_TRIALS; trial++) {
    const x = from.x.map((value, i) => value + size * direction[i]);
    const gradient = new Float64Array(x.length);
    const value = objective(x, gradient);
    const newSlope = dot(gradient, direction);
    const decreases = value <= from.value + SUFFICIENT_DECREASE * size * slope;
    const levels = Math.abs(value - from.value) <= ROUNDING * Math.abs(from.value) && newSlope <= -CURVATURE * slope;
    if (!decreases && !levels) high = size; // NaN lands here too
    else if (newSlope < CURVATURE * slope) low = size;
    else return { x, value, gradient };
    size = high < Infinity ? (low + high) / 2 : 2 * low;
  }
  return undefined;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function addScaled(target: Float64Array, scale: number, vector: Float64Array): void {
  for (let i = 0; i < target.length; i++) target[i] += scale * vector[i];
}
