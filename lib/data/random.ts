// Seeded random numbers for everything that is not read from NumPy: xoshiro128** with a state that survives JSON.

import { createHash } from "node:crypto";
import { DataError } from "./errors.ts";

/** Everything a {@link Random} needs to continue bit-exactly; plain JSON. */
export interface RandomState {
  /** Identity of the stream; forks are derived from it, not from the position. */
  key: string;
  /** The four 32-bit words of xoshiro128**. */
  words: [number, number, number, number];
  /** Second value of the last Box-Muller pair when only one was used. */
  spareNormal: number | null;
}

const TWO_POW_32 = 2 ** 32;

/**
 * A stream of random numbers: xoshiro128** 1.1 (Blackman and Vigna, "Scrambled linear pseudorandom number generators").
 * The words come from SHA-256 of the seed, so that neighbouring seeds give unrelated streams.
 */
export class Random {
  readonly key: string;
  private s0: number;
  private s1: number;
  private s2: number;
  private s3: number;
  private spareNormal: number | null;

  /** A seed (any safe integer) starts a new stream; a saved state continues an old one. */
  constructor(seed: number | RandomState) {
    if (typeof seed === "number" && !Number.isSafeInteger(seed)) {
      throw new DataError("invalid-argument", `Random: got seed ${seed}, wanted a whole number`);
    }
    const state = typeof seed === "number" ? freshState(`seed:${seed}`) : checkedState(seed);
    this.key = state.key;
    [this.s0, this.s1, this.s2, this.s3] = state.words;
    this.spareNormal = state.spareNormal;
  }

  /** The state before the next draw; `new Random(state)` continues from here. */
  state(): RandomState {
    return {
      key: this.key,
      words: [this.s0 >>> 0, this.s1 >>> 0, this.s2 >>> 0, this.s3 >>> 0],
      spareNormal: this.spareNormal,
    };
  }

  /**
   * An independent stream named by a label. The same label gives the same stream however many numbers were drawn,
   * so adding a draw in one place moves nothing elsewhere.
   */
  fork(label: string | number): Random {
    return new Random(freshState(createHash("sha256").update(`${this.key}/${label}`).digest("hex")));
  }

  /** The next 32 bits, as an unsigned integer. */
  uint32(): number {
    const scrambled = Math.imul(this.s1, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = this.s1 << 9;
    this.s2 ^= this.s0;
    this.s3 ^= this.s1;
    this.s1 ^= this.s2;
    this.s0 ^= this.s3;
    this.s2 ^= shifted;
    this.s3 = (this.s3 << 11) | (this.s3 >>> 21);
    return result;
  }

  /** A float in [0, 1) with 53 random bits. */
  uniform(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** A whole number in [0, n), without bias; n from 1 to 2^32. */
  int(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > TWO_POW_32) {
      throw new DataError("invalid-argument", `Random.int: got n = ${n}, wanted a whole number from 1 to 2^32`);
    }
    const limit = TWO_POW_32 - (TWO_POW_32 % n);
    let value = this.uint32();
    while (value >= limit) value = this.uint32();
    return value % n;
  }

  /**
   * Fills `out` with standard normals (Box-Muller, both values of a pair used) and returns it.
   * The draws are 32 bits wide, so |value| stays below 6.67.
   */
  normals<T extends Float32Array | Float64Array>(out: T): T {
    let filled = 0;
    if (this.spareNormal !== null && out.length > 0) {
      out[filled++] = this.spareNormal;
      this.spareNormal = null;
    }
    while (filled < out.length) {
      const radius = Math.sqrt(-2 * Math.log((this.uint32() + 1) / TWO_POW_32));
      const angle = (2 * Math.PI * this.uint32()) / TWO_POW_32;
      out[filled++] = radius * Math.cos(angle);
      const second = radius * Math.sin(angle);
      if (filled < out.length) out[filled++] = second;
      else this.spareNormal = second;
    }
    return out;
  }

  /** The numbers 0 to n-1 in random order (Fisher-Yates). */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, index) => index);
    for (let last = n - 1; last > 0; last--) {
      const other = this.int(last + 1);
      const swapped = order[last];
      order[last] = order[other];
      order[other] = swapped;
    }
    return order;
  }
}

function freshState(key: string): RandomState {
  const digest = createHash("sha256").update(key).digest();
  return {
    key,
    words: [digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8), digest.readUInt32LE(12)],
    spareNormal: null,
  };
}

function checkedState(state: RandomState): RandomState {
  const words: unknown = state?.words;
  const isUint32 = (word: unknown) => Number.isInteger(word) && (word as number) >= 0 && (word as number) < TWO_POW_32;
  const usable =
    Array.isArray(words) && words.length === 4 && words.every(isUint32) && words.some((word) => word !== 0);
  const spare: unknown = state?.spareNormal;
  if (!usable || typeof state.key !== "string" || !(spare === null || Number.isFinite(spare))) {
    throw new DataError(
      "invalid-argument",
      `Random: got state ${JSON.stringify(state)}, wanted what Random.state() returned`,
    );
  }
  return state;
}
