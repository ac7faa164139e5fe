// NumPy's legacy RandomState (MT19937), bit for bit, for splits and orders that were published with it.

import { mersenne } from "pure-rand/generator/mersenne";
import { DataError } from "./errors.ts";

/** What `numpy.random.RandomState(seed)` draws, for the methods that published splits use. */
export class NumpyRandomState {
  private readonly generator: ReturnType<typeof mersenne>;

  /** Seeds by init_genrand, as NumPy does for a whole number from 0 to 2^32 - 1. */
  constructor(seed: number) {
    if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
      throw new DataError(
        "invalid-argument",
        `NumpyRandomState: got seed ${seed}, wanted a whole number from 0 to 2^32 - 1`,
      );
    }
    this.generator = mersenne(seed);
  }

  /** The next 32 bits of MT19937, as an unsigned integer. */
  uint32(): number {
    return this.generator.next() >>> 0;
  }

  /** `random_sample()`: a float in [0, 1) with 53 random bits. */
  randomSample(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** `randint(low, high)`: a whole number in [low, high), ranges up to 2^32, by masked rejection. */
  randint(low: number, high: number): number {
    const span = high - low - 1;
    if (!Number.isInteger(low) || !Number.isInteger(high) || span < 0 || span > 0xffffffff) {
      throw new DataError(
        "invalid-argument",
        `NumpyRandomState.randint: got [${low}, ${high}), wanted whole numbers, low < high`,
      );
    }
    return low + this.bounded(span);
  }

  /** `permutation(n)`: the numbers 0 to n-1, shuffled from the last position down. */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, index) => index);
    for (let last = n - 1; last > 0; last--) {
      const other = this.bounded(last);
      const swapped = order[last];
      order[last] = order[other];
      order[other] = swapped;
    }
    return order;
  }

  /** A whole number in [0, max]; draws nothing when max is 0, as NumPy does. */
  private bounded(max: number): number {
    if (max === 0) return 0;
    const mask = 0xffffffff >>> Math.clz32(max);
    let value = (this.uint32() & mask) >>> 0;
    while (value > max) value = (this.uint32() & mask) >>> 0;
    return value;
  }
}
