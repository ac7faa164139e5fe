// PNG in and out: pictures as RGB or RGBA bytes, rows from the top.

import { decode, encode } from "fast-png";
import type { DecodedPng } from "fast-png";
import { DataError } from "./errors.ts";

/** A picture: [height, width, channels] bytes. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
  readonly data: Uint8Array;
}

const HIGHEST = { zlib: { level: 9 } } as const;

/**
 * The bytes of a PNG file; the same picture always gives the same bytes.
 * RGB pictures of at most 256 colours are stored with a palette: one byte per pixel before compression.
 */
export function encodePng({ width, height, channels, data }: Picture): Uint8Array {
  if (data.length !== width * height * channels) {
    throw new DataError(
      "invalid-argument",
      `encodePng: got ${data.length} bytes, wanted ${width} * ${height} * ${channels} = ${width * height * channels}`,
    );
  }
  const indexed = channels === 3 ? indexColors(data) : null;
  if (indexed === null) return encode({ width, height, data, channels, depth: 8 }, HIGHEST);
  return encode({ width, height, data: indexed.indices, channels: 1, depth: 8, palette: indexed.palette }, HIGHEST);
}

/** Reads a PNG file into RGB or RGBA bytes, palettes expanded; throws `bad-file` naming `label`. */
export function decodePng(bytes: Uint8Array, label: string): Picture {
  const { width, height, channels, depth, data } = decodeAny(bytes, label);
  if (!(data instanceof Uint8Array) || (channels !== 3 && channels !== 4)) {
    throw new DataError(
      "bad-file",
      `${label}: got ${channels} channels of ${depth} bits, wanted RGB, RGBA or a palette of 8 bits`,
    );
  }
  return { width, height, channels, data };
}

function decodeAny(bytes: Uint8Array, label: string) {
  try {
    const image = decode(bytes, { checkCrc: true });
    const { width, height, depth } = image;
    if (image.palette === undefined) return { width, height, depth, channels: image.channels, data: image.data };
    return { width, height, depth, channels: image.palette[0].length, data: expandPalette(image, image.palette) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataError("bad-file", `${label}: cannot be read as a PNG picture (${reason}). Copy it again.`, { cause });
  }
}

/** One colour per pixel; the library's own expansion takes ten times as long on a sheet of a million pixels. */
function expandPalette(
  { width, height, depth, data }: DecodedPng,
  palette: readonly (readonly number[])[],
): Uint8Array {
  const channels = palette[0].length;
  const colors = Uint8Array.from(palette.flat());
  const out = new Uint8Array(width * height * channels);
  const rowBytes = Math.ceil((width * depth) / 8);
  const mask = (1 << depth) - 1;
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      const index = (data[y * rowBytes + (bit >> 3)] >> (8 - depth - (bit & 7))) & mask;
      if (index >= palette.length) throw new RangeError(`palette index ${index} of ${palette.length} colours`);
      for (let channel = 0; channel < channels; channel++) out[to++] = colors[index * channels + channel];
    }
  }
  return out;
}

/** Colours numbered in the order of their appearance, or null when there are more than 256. */
function indexColors(rgb: Uint8Array): { indices: Uint8Array; palette: number[][] } | null {
  const numbers = new Map<number, number>();
  const indices = new Uint8Array(rgb.length / 3);
  for (let pixel = 0, from = 0; pixel < indices.length; pixel++, from += 3) {
    const color = (rgb[from] << 16) | (rgb[from + 1] << 8) | rgb[from + 2];
    let number = numbers.get(color);
    if (number === undefined) {
      if (numbers.size === 256) return null;
      number = numbers.size;
      numbers.set(color, number);
    }
    indices[pixel] = number;
  }
  return { indices, palette: [...numbers.keys()].map((color) => [color >> 16, (color >> 8) & 255, color & 255]) };
}
