// The exact law of one replay draw: the share of every pair of states, for collected data or for endless data.

import { DataError } from "../errors.ts";
import type { Gridworld } from "./gridworld.ts";
import type { Rollouts } from "./rollouts.ts";
import { geometricWeights, truncationFactors } from "./sampled-operator.ts";
import type { OffsetSampling } from "./sampled-operator.ts";

/** States up to which dense [n, n] float64 matrices are made: 32 MB each. */
export const MAX_DENSE_STATES = 2048;

/** Probabilities of what a replay sampler returns. */
export interface PairLaw {
  readonly stateCount: number;
  /** [n, n] probability of the pair (s, s'). */
  readonly joint: Float64Array;
  /** [n] probability of the first element: row sums of `joint`. */
  readonly first: Float64Array;
  /** [n] probability of the second element: column sums of `joint`. */
  readonly second: Float64Array;
  /** [n] probability of a single state, drawn uniformly over all stored states. */
  readonly visits: Float64Array;
}

/**
 * The law of a draw from stored or streamed episodes: episode and start uniform, then the truncated geometric offset.
 * Every possible pair of the data is counted with its probability. Throws `too-large` above {@link MAX_DENSE_STATES}
 * states and `invalid-argument` without data, for episodes of different lengths or gamma outside [0, 1].
 */
export function pairLaw(chunks: Iterable<Rollouts>, gamma: number): PairLaw {
  let sums: PairSums | undefined;
  for (const chunk of chunks) {
    sums ??= new PairSums(chunk.stateCount, { gamma, horizon: chunk.length });
    sums.add(chunk);
  }
  if (sums === undefined) throw new DataError("invalid-argument", "pairLaw: got no episodes, wanted at least one");
  return normalised(sums.stateCount, sums.joint, sums.visits);
}

/**
 * The law of a draw from endless data: the mean of {@link pairLaw} over data sets. With P the walk's matrix and mu_t
 * the law of its state after t moves from a uniform start, it is the sum over k of diag(c_k) P^k,
 * c_k = (1/T) sum over t of mu_t P(offset k | T - t moves left).
 */
export function expectedPairLaw(world: Gridworld, { gamma, horizon }: OffsetSampling): PairLaw {
  const { stateCount: n, next } = world;
  checkArguments(n, { gamma, horizon });
  const weights = geometricWeights(gamma, horizon);
  const factors = truncationFactors(gamma, horizon);

  const visits = new Float64Array(n);
  const startWeights = new Float64Array(weights.length * n);
  let law = new Float64Array(n).fill(1 / n);
  let following = new Float64Array(n);
  for (let time = 0; time <= horizon; time++) {
    for (let state = 0; state < n; state++) visits[state] += law[state];
    const left = horizon - time;
    for (let k = 0; k < Math.min(weights.length, left); k++) {
      const probability = weights[k] * factors[left];
      for (let state = 0; state < n; state++) startWeights[k * n + state] += law[state] * probability;
    }
    moveLaw(next, law, following);
    [law, following] = [following, law];
  }

  // Row s of the sum by Horner's rule, longest offset first: add c_k(s) at s, then move once.
  const joint = new Float64Array(n * n);
  let row = new Float64Array(n);
  let moved = new Float64Array(n);
  for (let state = 0; state < n; state++) {
    row.fill(0);
    for (let k = weights.length - 1; k >= 0; k--) {
      row[state] += startWeights[k * n + state];
      moveLaw(next, row, moved);
      [row, moved] = [moved, row];
    }
    joint.set(row, state * n);
  }
  return normalised(n, joint, visits);
}

/**
 * [n, n] diag(first + second) - joint - joint^T: for outputs F [n, d], E |F_s - F_s'|^2 = trace(F^T meanLaplacian F).
 */
export function meanLaplacian({ stateCount: n, joint, first, second }: PairLaw): Float64Array {
  const laplacian = new Float64Array(n * n);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < row; column++) {
      const weight = joint[row * n + column] + joint[column * n + row];
      laplacian[row * n + column] = laplacian[column * n + row] = -weight;
    }
    laplacian[row * n + row] = first[row] + second[row] - 2 * joint[row * n + row];
  }
  return laplacian;
}

/** Sums over the pairs and the states of the data seen so far. */
class PairSums {
  readonly joint: Float64Array;
  readonly visits: Float64Array;
  private readonly weights: Float64Array;
  private readonly factors: Float64Array;
  /** States of the episode at hand in the order they were met, each one's place in it from 1, and their shares of the future. */
  private readonly met: Int32Array;
  private readonly places: Int32Array;
  private readonly ahead: Float64Array;

  constructor(
    readonly stateCount: number,
    private readonly sampling: OffsetSampling,
  ) {
    checkArguments(stateCount, sampling);
    this.joint = new Float64Array(stateCount * stateCount);
    this.visits = new Float64Array(stateCount);
    this.weights = geometricWeights(sampling.gamma, sampling.horizon);
    this.factors = truncationFactors(sampling.gamma, sampling.horizon);
    this.met = new Int32Array(stateCount);
    this.places = new Int32Array(stateCount);
    this.ahead = new Float64Array(stateCount);
  }

  add({ stateCount: n, episodes, length, states }: Rollouts): void {
    if (n !== this.stateCount || length !== this.sampling.horizon) {
      throw new DataError(
        "invalid-argument",
        `pairLaw: got episodes of ${length} transitions over ${n} states after episodes of ` +
          `${this.sampling.horizon} over ${this.stateCount}, wanted the same throughout`,
      );
    }
    const isWhole = this.weights.length >= length; // no offset is negligible, so gamma^T is no vanishing number
    for (let episode = 0; episode < episodes; episode++) {
      const end = (episode + 1) * (length + 1) - 1;
      if (isWhole) this.addFutures(states, end - length, end);
      else this.addOffsets(states, end - length, end);
    }
    for (let at = 0; at < episodes * (length + 1); at++) this.visits[states[at]]++;
  }

  /** One episode, pair by pair: for laws that reach a few moves ahead. */
  private addOffsets(states: Uint16Array, begin: number, end: number): void {
    const { joint, weights, factors, stateCount: n } = this;
    for (let from = begin; from < end; from++) {
      const factor = factors[end - from];
      const row = states[from] * n;
      const offsets = Math.min(end - from, weights.length);
      for (let k = 0; k < offsets; k++) joint[row + states[from + 1 + k]] += weights[k] * factor;
    }
  }

  /**
   * One episode backwards, with the discounted future v = e(s_{t+1}) + gamma v of the state at hand. A walk comes to far fewer
   * states than it makes moves, so this costs a fraction of all its pairs. v is kept as `ahead` times gamma^(moves back).
   */
  private addFutures(states: Uint16Array, begin: number, end: number): void {
    const { joint, factors, stateCount: n, places, met, ahead } = this;
    const { gamma } = this.sampling;
    let metCount = 0;
    let discount = 1;
    for (let from = end - 1; from >= begin; from--) {
      const following = states[from + 1];
      if (places[following] === 0) {
        met[metCount] = following;
        ahead[metCount] = 0;
        places[following] = ++metCount;
      }
      ahead[places[following] - 1] += 1 / discount;
      const factor = discount * factors[end - from];
      const row = states[from] * n;
      for (let j = 0; j < metCount; j++) joint[row + met[j]] += factor * ahead[j];
      discount *= gamma;
    }
    for (let j = 0; j < metCount; j++) places[met[j]] = 0;
  }
}

/** The law of the state one move later; writes `out`. */
function moveLaw(next: Int32Array, law: Float64Array, out: Float64Array): void {
  out.fill(0);
  for (let state = 0; state < law.length; state++) {
    const share = law[state] / 4;
    if (share === 0) continue;
    out[next[state * 4]] += share;
    out[next[state * 4 + 1]] += share;
    out[next[state * 4 + 2]] += share;
    out[next[state * 4 + 3]] += share;
  }
}

function normalised(n: number, joint: Float64Array, visits: Float64Array): PairLaw {
  const first = new Float64Array(n);
  const second = new Float64Array(n);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) {
      const value = joint[row * n + column];
      first[row] += value;
      second[column] += value;
    }
  }
  const total = sum(first);
  for (const values of [joint, first, second]) scale(values, 1 / total);
  scale(visits, 1 / sum(visits));
  return { stateCount: n, joint, first, second, visits };
}

function checkArguments(stateCount: number, { gamma, horizon }: OffsetSampling): void {
  if (stateCount > MAX_DENSE_STATES) {
    throw new DataError(
      "too-large",
      `pairLaw: got ${stateCount} states, wanted at most ${MAX_DENSE_STATES}; use a ReplaySampler on stored rollouts`,
    );
  }
  if (!(gamma >= 0 && gamma <= 1) || !Number.isSafeInteger(horizon) || horizon < 1) {
    throw new DataError(
      "invalid-argument",
      `pairLaw: got gamma ${gamma} and ${horizon} transitions per episode, wanted gamma from 0 to 1 and a whole number`,
    );
  }
}

function sum(values: Float64Array): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  return total;
}

function scale(values: Float64Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i] *= factor;
}
