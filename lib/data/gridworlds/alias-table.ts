// Walker's alias method in integers: draws from a discrete law in constant time and, but for rare ties, one word each.

import { DataError } from "../errors.ts";

/** A discrete law as 2^bits equally likely columns, each shared by at most two of its values. */
export interface AliasTable {
  /** From 1 to 24. */
  readonly bits: number;
  /** [2^bits, 3] per column: the share of its own value in units of 2^-32, its own value, the other value. */
  readonly columns: Int32Array;
}

const MAX_BITS = 24;
const UNIT = 2 ** 32;

/**
 * The table that draws `values[i]` (32-bit integers) with probability proportional to `weights[i]`, by Vose's method.
 * Throws `invalid-argument` for a negative or infinite weight or when none is positive.
 */
export function aliasTable(weights: Float64Array, values: Int32Array): AliasTable {
  const { total, entryCount } = checkedSums(weights);
  const bits = Math.max(1, Math.ceil(Math.log2(entryCount)));
  if (bits > MAX_BITS) {
    throw new DataError("too-large", `aliasTable: got ${entryCount} values, wanted at most ${2 ** MAX_BITS}`);
  }

  // Masses in units of a column; the columns beyond the last entry start empty and are filled first.
  const count = 2 ** bits;
  const masses = new Float64Array(count);
  const columns = new Int32Array(3 * count);
  for (let entry = 0, column = 0; entry < weights.length; entry++) {
    if (weights[entry] === 0) continue;
    masses[column] = (weights[entry] / total) * count;
    columns[3 * column + 1] = columns[3 * column + 2] = values[entry];
    column++;
  }
  const light = new Int32Array(count);
  const heavy = new Int32Array(count);
  let lightCount = 0;
  let heavyCount = 0;
  for (let column = 0; column < count; column++) {
    if (masses[column] < 1) light[lightCount++] = column;
    else heavy[heavyCount++] = column;
  }
  while (lightCount > 0 && heavyCount > 0) {
    const column = light[--lightCount];
    const donor = heavy[heavyCount - 1];
    columns[3 * column] = Math.min(Math.round(masses[column] * UNIT), UNIT - 1) | 0;
    columns[3 * column + 2] = columns[3 * donor + 1];
    masses[donor] -= 1 - masses[column];
    if (masses[donor] < 1) light[lightCount++] = heavy[--heavyCount];
  }
  // What is left has mass one up to rounding and keeps its own value on both sides.
  return { bits, columns };
}

function checkedSums(weights: Float64Array): { total: number; entryCount: number } {
  let total = 0;
  let entryCount = 0;
  let isNegative = false;
  for (let entry = 0; entry < weights.length; entry++) {
    total += weights[entry];
    if (weights[entry] !== 0) entryCount++;
    if (weights[entry] < 0) isNegative = true;
  }
  if (isNegative || !(total > 0 && total < Infinity)) {
    throw new DataError("invalid-argument", `aliasTable: got weights of sum ${total}, wanted finite numbers from 0`);
  }
  return { total, entryCount };
}

/**
 * Fills `out` with independent draws; `words` [4] is the state of xoshiro128** as in `Random` and is advanced. The top
 * bits of a random word name the column and the rest is compared with the column's share; where they are equal, one
 * chance in 2^(32 - bits), the next word decides the share's remaining bits, so nothing is rounded.
 */
export function drawValues({ bits, columns }: AliasTable, words: Int32Array, out: Int32Array): void {
  // The generator of `Random`, repeated here so that its state stays in registers: half of the time of a draw.
  let s0 = words[0];
  let s1 = words[1];
  let s2 = words[2];
  let s3 = words[3];
  const restBits = 32 - bits;
  const restMask = 0xffffffff >>> bits;
  const tieMask = (1 << bits) - 1;
  let tied = -1;
  for (let i = 0; i < out.length; ) {
    const scrambled = Math.imul(s1, 5);
    const word = Math.imul((scrambled << 7) | (scrambled >>> 25), 9);
    const shifted = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = (s3 << 11) | (s3 >>> 21);

    if (tied !== -1) {
      const isOwn = word >>> restBits < (columns[tied] & tieMask);
      out[i++] = columns[isOwn ? tied + 1 : tied + 2];
      tied = -1;
      continue;
    }
    const column = (word >>> restBits) * 3;
    const rest = word & restMask;
    const share = columns[column] >>> bits;
    if (rest === share) tied = column;
    // The sign bit is one for the column's own value; a branch would be mispredicted too often.
    else out[i++] = columns[column + 2 - ((rest - share) >>> 31)];
  }
  words[0] = s0;
  words[1] = s1;
  words[2] = s2;
  words[3] = s3;
}
