// A batch of pairs as a graph: its Laplacian and how often each state came first.

import { DataError } from "../errors.ts";
import { meanLaplacian } from "./pair-law.ts";
import type { PairLaw } from "./pair-law.ts";

/** A pair of states as one integer. */
export const packPair = (first: number, second: number): number => (first << 16) | second;

/** Arrays to write into, for memory that somebody else reads; both default to fresh ones. */
export interface PairBatchMemory {
  /** [n, n], zero at first. */
  readonly laplacian?: Float32Array;
  /** [n]. */
  readonly first?: Float32Array;
}

/**
 * m pairs of states, summed up. For outputs F [n, d] the mean of |F_s - F_s'|^2 over the pairs is
 * trace(F^T laplacian F), and the mean of F_s F_s^T over their first elements is F^T diag(first) F.
 */
export class PairBatch {
  /** [n, n] (diag(c_first + c_second) - C - C^T) / m for the counts C of the pairs. */
  readonly laplacian: Float32Array;
  /** [n] relative frequency of every state as first element. */
  readonly first: Float32Array;
  private readonly drawn: Int32Array;
  private readonly firstCounts: Int32Array;
  private readonly secondCounts: Int32Array;

  constructor(
    readonly stateCount: number,
    readonly size: number,
    memory: PairBatchMemory = {},
  ) {
    this.laplacian = memory.laplacian ?? new Float32Array(stateCount * stateCount);
    this.first = memory.first ?? new Float32Array(stateCount);
    const isRoom = this.laplacian.length === stateCount ** 2 && this.first.length === stateCount;
    if (!isRoom || !Number.isInteger(size) || size < 1) {
      throw new DataError(
        "invalid-argument",
        `PairBatch: got arrays of ${this.laplacian.length} and ${this.first.length} numbers for ${size} pairs, ` +
          `wanted ${stateCount ** 2} and ${stateCount} numbers, and a whole number of pairs from 1`,
      );
    }
    this.drawn = new Int32Array(size);
    this.firstCounts = new Int32Array(stateCount);
    this.secondCounts = new Int32Array(stateCount);
  }

  /** Replaces the pairs by those that `draw` writes, see {@link packPair}, and sums them up. */
  refill(draw: (pairs: Int32Array) => void): void {
    this.clear();
    draw(this.drawn);
    this.sum();
  }

  private clear(): void {
    const { laplacian, drawn, stateCount: n } = this;
    // A large Laplacian is mostly zero: undo the entries that the last pairs made instead of clearing all.
    if (n * n <= 8 * drawn.length) laplacian.fill(0);
    else {
      for (let i = 0; i < drawn.length; i++) {
        const row = drawn[i] >>> 16;
        const column = drawn[i] & 0xffff;
        laplacian[row * n + column] = 0;
        laplacian[column * n + row] = 0;
      }
      for (let state = 0; state < n; state++) laplacian[state * n + state] = 0;
    }
  }

  private sum(): void {
    const { laplacian, first, drawn, stateCount: n } = this;
    const firstCounts = this.firstCounts.fill(0);
    const secondCounts = this.secondCounts.fill(0);
    const share = 1 / drawn.length;
    for (let i = 0; i < drawn.length; i++) {
      const row = drawn[i] >>> 16;
      const column = drawn[i] & 0xffff;
      laplacian[row * n + column] -= share;
      laplacian[column * n + row] -= share;
      firstCounts[row]++;
      secondCounts[column]++;
    }
    for (let state = 0; state < n; state++) {
      laplacian[state * n + state] += (firstCounts[state] + secondCounts[state]) * share;
      first[state] = firstCounts[state] * share;
    }
  }
}

/** What batches are on average, the limit of ever larger ones: `size` is Infinity and nothing is drawn. */
export function exactBatch(law: PairLaw): Pick<PairBatch, "stateCount" | "size" | "laplacian" | "first"> {
  return {
    stateCount: law.stateCount,
    size: Infinity,
    laplacian: Float32Array.from(meanLaplacian(law)),
    first: Float32Array.from(law.first),
  };
}
