// How values of pictures are written as numbers, and how they become bytes without loss.

import { DataError } from "../errors.ts";
import { FRAME_EDGE, SEQUENCE_VALUES } from "./dataset.ts";
import type { ByteScale } from "./dataset.ts";

/** A way to write a byte as a number: byte = value * factor. */
export interface Encoding {
  readonly byteScale: ByteScale;
  readonly words: string;
  readonly factor: number;
  /** How far rounding of the stored numbers may move value * factor from a whole number. */
  readonly slack: number;
}

/** The numbers of one sequence; one class, so that the loop over them compiles to what it says. */
export type Row = Float64Array;

const PIXELS = FRAME_EDGE * FRAME_EDGE;

/** The encodings that a dtype may use; k/256 and whole numbers are exact in all of them. */
function encodingsOf(dtype: string): readonly Encoding[] {
  // float16 keeps 11 bits, so 255 * k/255 is off by up to 255 * 2^-12; wider floats are off by far less than 1e-4.
  const slack = dtype === "float16" ? 255 * 2 ** -12 + 1e-9 : 1e-4;
  return [
    { byteScale: 255, words: "whole numbers 0 to 255", factor: 1, slack: 0 },
    { byteScale: 256, words: "fractions k/256", factor: 256, slack: 0 },
    { byteScale: 255, words: "fractions k/255", factor: 255, slack },
  ];
}

/**
 * Finds the encoding from the first sequences, until one leaves a single answer: zeros and ones alone fit several.
 * Bytes are taken as byte/256, as in the published Sprites. Throws `bad-values` when a sequence fits no encoding.
 */
export function detectEncoding(path: string, dtype: string, count: number, rowAt: (index: number) => Row): Encoding {
  if (dtype === "uint8") return { byteScale: 256, words: "bytes, taken as byte/256", factor: 1, slack: 0 };
  const candidates = encodingsOf(dtype);
  const scratch = new Uint8Array(SEQUENCE_VALUES);
  for (let index = 0; index < count; index++) {
    const row = rowAt(index);
    const telling = row.findIndex((value) => value !== 0 && value !== 1);
    if (telling === -1) continue;
    const fitting = candidates.find((encoding) => bytesFrom(row, encoding, false, scratch, 0) === -1);
    if (fitting !== undefined) return fitting;
    throw new DataError(
      "bad-values",
      `${path}: got values such as ${row[telling]} in sequence ${index}; wanted whole numbers 0 to 255, or ` +
        "fractions k/256 or k/255. Anything else cannot be stored as bytes without loss: undo the normalisation first.",
    );
  }
  return candidates[2];
}

/**
 * Writes a sequence, [8, 3, 64, 64] or channels last [8, 64, 64, 3] numbers, as [8, 3, 64, 64] bytes at `offset`.
 * Returns the position of the first value that is not of this encoding, or -1 when all are.
 */
export function bytesFrom(
  row: Row,
  encoding: Encoding,
  channelsLast: boolean,
  out: Uint8Array,
  offset: number,
): number {
  const { factor, slack } = encoding;
  const [pixelStride, channelStride] = channelsLast ? [3, 1] : [1, PIXELS];
  for (let frame = 0; frame < SEQUENCE_VALUES; frame += 3 * PIXELS) {
    for (let channel = 0; channel < 3; channel++) {
      let from = frame + channel * channelStride;
      let to = offset + frame + channel * PIXELS;
      for (let pixel = 0; pixel < PIXELS; pixel++, from += pixelStride, to++) {
        const value = row[from] * factor;
        const byte = Math.round(value);
        if (!(byte >= 0 && byte <= 255 && Math.abs(value - byte) <= slack)) return from;
        out[to] = byte;
      }
    }
  }
  return -1;
}
