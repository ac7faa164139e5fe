// The replay sampler itself, one stored episode at a time: the reference that the fast count sampler is tested against.

import { DataError } from "../errors.ts";
import type { Random, RandomState } from "../random.ts";
import type { Rollouts } from "./rollouts.ts";

/** Draws pairs and single states from stored episodes; every draw is independent of the others. */
export class ReplaySampler {
  private readonly logGamma: number;

  /** `random` is advanced by every draw. Throws `invalid-argument` for gamma outside [0, 1]. */
  constructor(
    private readonly rollouts: Rollouts,
    private readonly gamma: number,
    private readonly random: Random,
  ) {
    if (!(gamma >= 0 && gamma <= 1)) {
      throw new DataError("invalid-argument", `ReplaySampler: got gamma ${gamma}, wanted a number from 0 to 1`);
    }
    this.logGamma = Math.log(gamma);
  }

  /**
   * Fills both arrays (equally long) with pairs (s_t, s_{t+k}): episode and t uniform over all but the last state, then
   * k >= 1 by inverting the distribution function of the geometric law truncated at the end of the episode.
   */
  pairs(firsts: Int32Array, seconds: Int32Array): void {
    const { length, states, episodes } = this.rollouts;
    for (let i = 0; i < firsts.length; i++) {
      const start = this.random.int(episodes) * (length + 1);
      const time = this.random.int(length);
      firsts[i] = states[start + time];
      seconds[i] = states[start + time + this.offset(length - time)];
    }
  }

  /** Fills `out` with single states: episode uniform, time uniform over all its states. */
  states(out: Int32Array): void {
    const { length, states, episodes } = this.rollouts;
    for (let i = 0; i < out.length; i++) {
      const start = this.random.int(episodes) * (length + 1);
      out[i] = states[start + this.random.int(length + 1)];
    }
  }

  /** An offset from 1 to `left`: probability of k proportional to gamma^(k-1). */
  offset(left: number): number {
    const { gamma, logGamma } = this;
    const uniform = this.random.uniform();
    if (gamma === 0) return 1;
    if (gamma === 1) return 1 + Math.floor(uniform * left);
    const k = 1 + Math.floor(Math.log1p(-(1 - gamma ** left) * uniform) / logGamma);
    return Math.min(k, left); // rounding may reach left + 1
  }

  /** The random numbers' state before the next draw, for a bit-exact resume. */
  state(): RandomState {
    return this.random.state();
  }
}
