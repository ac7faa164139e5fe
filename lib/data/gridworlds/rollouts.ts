// Data collection: episodes of the random walk, all at once or in chunks that never hold the whole data set.

import { DataError } from "../errors.ts";
import { Random } from "../random.ts";
import type { Gridworld } from "./gridworld.ts";
import { philox } from "./philox.ts";

/** Episodes of equal length, stored one after the other: no pair of neighbours lies across a reset. */
export interface Rollouts {
  /** Number n of states of the world. */
  readonly stateCount: number;
  readonly episodes: number;
  /** Transitions per episode, T; an episode holds T + 1 states. */
  readonly length: number;
  /** [episodes, length + 1] canonical states. */
  readonly states: Uint16Array;
}

/** What to collect. */
export interface RolloutOptions {
  readonly episodes: number;
  /** Transitions per episode. */
  readonly length: number;
  readonly seed: number;
  /** Number of the first episode, default 0: an episode depends on its seed and number, not on how data are cut. */
  readonly firstEpisode?: number;
  /**
   * Where episodes start: each at a state drawn by itself (`random`, default), or one state after the other (`even`), so that
   * any run of n episodes starts once in each. Both are uniform; even starts keep chance out of how often regions are seen.
   */
  readonly starts?: "random" | "even";
}

/** 2 GB of states. */
const MAX_STORED_STATES = 2 ** 30;
/** States held at once by {@link rolloutChunks}. */
const CHUNK_STATES = 1 << 20;

/**
 * Walks `episodes` episodes of `length` transitions, each from a uniformly drawn state.
 * Throws `invalid-argument` for counts outside their range and `too-large` for what should be read in chunks.
 */
export function collectRollouts(world: Gridworld, options: RolloutOptions): Rollouts {
  const { episodes, length } = checked(options);
  if (episodes * (length + 1) > MAX_STORED_STATES) {
    throw new DataError(
      "too-large",
      `collectRollouts: got ${episodes} episodes of ${length} transitions, wanted at most ${MAX_STORED_STATES} ` +
        "states at once; read rolloutChunks one by one instead",
    );
  }
  const states = new Uint16Array(episodes * (length + 1));
  walk(world, options, options.firstEpisode ?? 0, episodes, states);
  return { stateCount: world.stateCount, episodes, length, states };
}

/** The same episodes in chunks of about a million states, each valid until the next is asked for. */
export function* rolloutChunks(world: Gridworld, options: RolloutOptions): Generator<Rollouts> {
  const { episodes, length } = checked(options);
  const perChunk = Math.min(episodes, Math.ceil(CHUNK_STATES / (length + 1)));
  const buffer = new Uint16Array(perChunk * (length + 1));
  for (let done = 0; done < episodes; done += perChunk) {
    const count = Math.min(perChunk, episodes - done);
    const states = buffer.subarray(0, count * (length + 1));
    walk(world, options, (options.firstEpisode ?? 0) + done, count, states);
    yield { stateCount: world.stateCount, episodes: count, length, states };
  }
}

/** [n] how often each state occurs, the last state of every episode included. */
export function visitCounts({ stateCount, states }: Rollouts): Float64Array {
  const visits = new Float64Array(stateCount);
  for (let i = 0; i < states.length; i++) visits[states[i]]++;
  return visits;
}

/** A step through the states that visits all of them and spreads any few over the whole: near n / golden ratio, coprime to n. */
function evenStride(n: number): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
  let stride = Math.max(1, Math.round(n * 0.6180339887498949));
  while (divisor(stride, n) !== 1) stride++;
  return stride;
}

/** Two random bits per move; the first block of an episode spends its first two words on the start state. */
function walk(world: Gridworld, options: RolloutOptions, first: number, count: number, out: Uint16Array): void {
  const { next, stateCount } = world;
  const { seed, length } = options;
  const [k0, k1] = new Random(seed).fork("rollouts").state().words;
  const stride = evenStride(stateCount);
  const isEven = options.starts === "even";
  const block = new Uint32Array(4);
  let at = 0;
  for (let episode = first; episode < first + count; episode++) {
    philox(block, k0, k1, 0, episode, 0, 0);
    const drawn = Math.floor(((block[0] * 2097152 + (block[1] >>> 11)) / 9007199254740992) * stateCount);
    let state = isEven ? (episode * stride) % stateCount : drawn;
    out[at++] = state;
    let word = 2;
    let blocks = 0;
    for (let left = length; left > 0; left -= 16) {
      if (word === 4) {
        philox(block, k0, k1, ++blocks, episode, 0, 0);
        word = 0;
      }
      let bits = block[word++];
      for (let move = Math.min(16, left); move > 0; move--) {
        state = next[state * 4 + (bits & 3)];
        out[at++] = state;
        bits >>>= 2;
      }
    }
  }
}

function checked(options: RolloutOptions): RolloutOptions {
  const { episodes, length, firstEpisode = 0 } = options;
  const isCount = (value: number, least: number) => Number.isInteger(value) && value >= least && value < 2 ** 32;
  const isRange = isCount(episodes, 1) && isCount(firstEpisode, 0) && isCount(firstEpisode + episodes, 1);
  if (!isRange || !isCount(length, 1)) {
    throw new DataError(
      "invalid-argument",
      `collectRollouts: got ${episodes} episodes of ${length} transitions from episode ${firstEpisode}, ` +
        "wanted whole numbers, at least one episode and one transition, and episode numbers below 2^32",
    );
  }
  return options;
}
