// From eigenvalues of the walk to those of the Laplacian that a replay sampler realises, and back.

import { DataError } from "../errors.ts";

/** How a replay sampler draws the second element of a pair. */
export interface OffsetSampling {
  /** Parameter of the geometric offset, from 0 to 1. */
  readonly gamma: number;
  /** Transitions per episode; Infinity when episodes are so long that their end does not matter. */
  readonly horizon: number;
}

/** Offsets that are rarer than this, relative to the most frequent one, change no double. */
const NEGLIGIBLE = 1e-20;

/** The weights 1, gamma, gamma^2, ... up to `count`, cut where they are negligible. */
export function geometricWeights(gamma: number, count: number): Float64Array {
  const weights: number[] = [];
  for (let weight = 1; weights.length < count && weight > NEGLIGIBLE; weight *= gamma) weights.push(weight);
  return Float64Array.from(weights);
}

/**
 * [horizon + 1] for every number N of transitions left in an episode, 1 / (1 + gamma + ... + gamma^(N-1)): what the
 * weights have to be multiplied by so that the offsets 1 to N have total probability one. Entry 0 is 0.
 */
export function truncationFactors(gamma: number, horizon: number): Float64Array {
  const factors = new Float64Array(horizon + 1);
  for (let left = 1, weight = 1, sum = 0; left <= horizon; left++, weight *= gamma) {
    sum += weight;
    factors[left] = 1 / sum;
  }
  return factors;
}

/** [K] probability of the offsets 1, 2, ..., K when the number of transitions left is uniform on 1 to `horizon`. */
export function offsetProbabilities({ gamma, horizon }: OffsetSampling): Float64Array {
  const factors = truncationFactors(gamma, horizon);
  for (let left = horizon - 1; left > 0; left--) factors[left] += factors[left + 1];
  return geometricWeights(gamma, horizon).map((weight, index) => (weight * factors[index + 1]) / horizon);
}

/**
 * Eigenvalue of the Laplacian that the sampler realises, where the uniform symmetric walk has eigenvalue `walk`:
 * 1 - E[walk^k] over the truncated geometric offset k >= 1; for long episodes (1 - walk) / (1 - gamma walk).
 */
export function laplacianEigenvalue(walk: number, sampling: OffsetSampling): number {
  return laplacianEigenvalues([walk], sampling)[0];
}

/** {@link laplacianEigenvalue} of many eigenvalues. */
export function laplacianEigenvalues(walk: ArrayLike<number>, sampling: OffsetSampling): Float64Array {
  const map = eigenvalueMap(sampling);
  return Float64Array.from(walk, map.value);
}

/**
 * The inverse of {@link laplacianEigenvalue}: the walk's eigenvalue that belongs to a Laplacian one. For long episodes
 * the map is its own inverse; for finite ones it decreases on [-1, 1], and what lies beyond the image of -1, where no
 * walk has an eigenvalue, is answered by -1. What is not finite gives NaN.
 */
export function transitionEigenvalue(laplacian: number, sampling: OffsetSampling): number {
  return transitionEigenvalues([laplacian], sampling)[0];
}

/** {@link transitionEigenvalue} of many eigenvalues. */
export function transitionEigenvalues(laplacian: ArrayLike<number>, sampling: OffsetSampling): Float64Array {
  const map = eigenvalueMap(sampling);
  return Float64Array.from(laplacian, map.inverse);
}

interface EigenvalueMap {
  readonly value: (walk: number) => number;
  readonly inverse: (laplacian: number) => number;
}

function eigenvalueMap({ gamma, horizon }: OffsetSampling): EigenvalueMap {
  const isHorizon = (Number.isSafeInteger(horizon) && horizon >= 1) || (horizon === Infinity && gamma < 1);
  if (!(gamma >= 0 && gamma <= 1) || !isHorizon) {
    throw new DataError(
      "invalid-argument",
      `eigenvalueMap: got gamma ${gamma} and horizon ${horizon}, wanted gamma from 0 to 1 and a whole number from 1, ` +
        "or Infinity with gamma below 1",
    );
  }
  if (horizon === Infinity) {
    const value = (x: number) => (1 - x) / (1 - gamma * x);
    return { value, inverse: value };
  }
  const probabilities = offsetProbabilities({ gamma, horizon });
  const value = (walk: number) => 1 - evaluate(probabilities, walk).value;
  return { value, inverse: (laplacian) => solve(probabilities, 1 - laplacian) };
}

/** The polynomial sum of p_k x^k, k >= 1, and its derivative, by Horner's rule. */
function evaluate(probabilities: Float64Array, x: number): { value: number; slope: number } {
  let value = 0;
  let slope = 0;
  for (let index = probabilities.length - 1; index >= 0; index--) {
    value = value * x + probabilities[index];
    slope = slope * x + probabilities[index] * (index + 1);
  }
  return { value: value * x, slope };
}

/** Newton's method inside a bracket that is halved whenever a step would leave it. */
function solve(probabilities: Float64Array, target: number): number {
  if (!Number.isFinite(target)) return NaN;
  let low = -1;
  let high = 1;
  if (target <= evaluate(probabilities, low).value) return low;
  while (evaluate(probabilities, high).value < target) high *= 2;
  let x = Math.min(Math.max(target, low), high);
  for (let step = 0; step < 200; step++) {
    const { value, slope } = evaluate(probabilities, x);
    if (value > target) high = x;
    else low = x;
    const newton = x - (value - target) / slope;
    const following = newton >= low && newton <= high ? newton : (low + high) / 2;
    if (following === x || Math.abs(following - x) < 1e-16 * Math.abs(x)) return following;
    x = following;
  }
  return x;
}
