// Random words in bulk: the stream of `Random`, written out by a loop that keeps the generator in registers.

import { Random } from "../random.ts";
import type { RandomState } from "../random.ts";

/** The words that `Random.uint32` would give, many at a time and as signed 32-bit integers. */
export class WordSource {
  private readonly key: string;
  private readonly words: Int32Array;

  constructor(random: Random) {
    const { key, words } = random.state();
    this.key = key;
    this.words = Int32Array.from(words, (word) => word | 0);
  }

  /** Fills `out` with the next words. */
  fill(out: Int32Array): void {
    let [s0, s1, s2, s3] = this.words;
    for (let i = 0; i < out.length; i++) {
      const scrambled = Math.imul(s1, 5);
      out[i] = Math.imul((scrambled << 7) | (scrambled >>> 25), 9);
      const shifted = s1 << 9;
      s2 ^= s0;
      s3 ^= s1;
      s1 ^= s2;
      s0 ^= s3;
      s2 ^= shifted;
      s3 = (s3 << 11) | (s3 >>> 21);
    }
    this.words[0] = s0;
    this.words[1] = s1;
    this.words[2] = s2;
    this.words[3] = s3;
  }

  /** The state before the next word; `new Random(state)` continues from here. */
  state(): RandomState {
    const [s0, s1, s2, s3] = this.words;
    return { key: this.key, words: [s0 >>> 0, s1 >>> 0, s2 >>> 0, s3 >>> 0], spareNormal: null };
  }
}
