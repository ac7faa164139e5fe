// How values of pictures are written as numbers, and how they become bytes without loss.

import { DataError } from "../errors.ts";
import type { ByteScale } from "./dataset.ts";

/**
 * Every encoding that bytes can hold; `toByte` gives -1 for a value that is not of this encoding.
 * `slack` is how far rounding of the stored floats may move 255 times a fraction: k/256 and whole numbers are exact.
 */
export const encodings = {
  bytes: {
    byteScale: 256,
    words: "bytes, taken as byte/256",
    toByte: (value: number) => value,
  },
  fraction256: {
    byteScale: 256,
    words: "fractions k/256",
    toByte: (value: number) => wholeByte(value * 256, 0),
  },
  fraction255: {
    byteScale: 255,
    words: "fractions k/255",
    toByte: (value: number, slack: number) => wholeByte(value * 255, slack),
  },
  whole: {
    byteScale: 255,
    words: "whole numbers 0 to 255",
    toByte: (value: number) => wholeByte(value, 0),
  },
} as const satisfies Record<
  string,
  { byteScale: ByteScale; words: string; toByte: (value: number, slack: number) => number }
>;

export type Encoding = keyof typeof encodings;

/** The slack of a dtype: float16 keeps 11 bits, so 255 * k/255 is off by up to 255 * 2^-12; wider floats by far less. */
export function slackOf(dtype: string): number {
  return dtype === "float16" ? 255 * 2 ** -12 + 1e-9 : 1e-4;
}

/**
 * Finds the encoding from the first sequences, until one row leaves a single answer: zeros and ones alone fit several.
 * Throws `bad-values` when a row fits none.
 */
export function detectEncoding(
  path: string,
  count: number,
  slack: number,
  rowAt: (index: number) => ArrayLike<number | bigint>,
): Encoding {
  for (let index = 0; index < count; index++) {
    const row = rowAt(index);
    const decisive = (position: number) => Number(row[position]) !== 0 && Number(row[position]) !== 1;
    let position = 0;
    while (position < row.length && !decisive(position)) position++;
    if (position === row.length) continue;
    const candidates = (["whole", "fraction256", "fraction255"] as const).filter((name) =>
      fits(row, (value) => encodings[name].toByte(value, slack)),
    );
    if (candidates.length > 0) return candidates[0];
    const culprit = Number(row[position]);
    throw new DataError(
      "bad-values",
      `${path}: got values such as ${culprit} in sequence ${index}; wanted whole numbers 0 to 255, or fractions k/256 or k/255. ` +
        "Anything else cannot be stored as bytes without loss: undo the normalisation first.",
    );
  }
  return "fraction255";
}

function fits(row: ArrayLike<number | bigint>, toByte: (value: number) => number): boolean {
  for (let position = 0; position < row.length; position++) if (toByte(Number(row[position])) < 0) return false;
  return true;
}

function wholeByte(value: number, tolerance: number): number {
  const rounded = Math.round(value);
  return rounded >= 0 && rounded <= 255 && Math.abs(value - rounded) <= tolerance ? rounded : -1;
}
