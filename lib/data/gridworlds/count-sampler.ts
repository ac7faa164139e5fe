// Batches as counts: what m independent replay draws would add up to, without looking at a single episode.

import { DataError } from "../errors.ts";
import { Random } from "../random.ts";
import type { RandomState } from "../random.ts";
import { aliasTable, drawValues } from "./alias-table.ts";
import type { AliasTable } from "./alias-table.ts";
import { packPair } from "./pair-batch.ts";
import type { PairBatch } from "./pair-batch.ts";
import type { PairLaw } from "./pair-law.ts";

/** Which law single states are drawn from: all stored states, or the first elements of pairs. */
export type StateLaw = "visits" | "first";

/** Draws batches from a {@link PairLaw}: equal in law to a replay sampler's, at a few nanoseconds per draw. */
export class CountSampler {
  private readonly stateCount: number;
  private readonly key: string;
  private readonly words: Int32Array;
  private readonly pairTable: AliasTable;
  private readonly stateTables: Readonly<Record<StateLaw, AliasTable>>;
  private readonly counts: Int32Array;
  private scratch = new Int32Array(0);

  /** `random` gives the stream (it is copied, not advanced); a saved {@link RandomState} continues one. */
  constructor(law: PairLaw, random: Random | RandomState) {
    const n = law.stateCount;
    this.stateCount = n;
    this.counts = new Int32Array(n);
    const { key, words } = random instanceof Random ? random.state() : new Random(random).state();
    this.key = key;
    this.words = Int32Array.from(words, (word) => word | 0);
    const states = Int32Array.from({ length: n }, (_, state) => state);
    const pairs = new Int32Array(n * n);
    for (const first of states) for (const second of states) pairs[first * n + second] = packPair(first, second);
    this.pairTable = aliasTable(law.joint, pairs);
    this.stateTables = { visits: aliasTable(law.visits, states), first: aliasTable(law.first, states) };
  }

  /** Replaces the content of `batch` by a fresh batch of pairs. */
  pairs(batch: PairBatch): void {
    this.checkStates("pairs", batch.stateCount);
    batch.refill((pairs) => drawValues(this.pairTable, this.words, pairs));
  }

  /** Writes the relative frequencies of `m` drawn states into `out` [n]; they sum to one. */
  states(m: number, out: Float32Array, law: StateLaw = "visits"): void {
    this.checkStates("states", out.length);
    if (!Number.isInteger(m) || m < 1) {
      throw new DataError("invalid-argument", `CountSampler.states: got ${m} draws, wanted a whole number from 1`);
    }
    if (this.scratch.length !== m) this.scratch = new Int32Array(m);
    const drawn = this.scratch;
    drawValues(this.stateTables[law], this.words, drawn);
    const counts = this.counts.fill(0);
    for (let i = 0; i < m; i++) counts[drawn[i]]++;
    for (let state = 0; state < out.length; state++) out[state] = counts[state] / m;
  }

  /** The random numbers' state before the next draw, for a bit-exact resume. */
  state(): RandomState {
    const [s0, s1, s2, s3] = this.words;
    return { key: this.key, words: [s0 >>> 0, s1 >>> 0, s2 >>> 0, s3 >>> 0], spareNormal: null };
  }

  private checkStates(method: string, got: number): void {
    if (got !== this.stateCount) {
      throw new DataError(
        "invalid-argument",
        `CountSampler.${method}: got room for ${got} states, wanted ${this.stateCount}`,
      );
    }
  }
}
