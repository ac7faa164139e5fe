// Pictures of sequences: contact sheets of a data set, and the strip that shows what a model reconstructs.

import { DataError } from "../errors.ts";
import { encodePng } from "../png.ts";
import type { Picture } from "../png.ts";
import { FRAME_EDGE, FRAMES_PER_SEQUENCE, FRAME_VALUES, SEQUENCE_VALUES } from "./dataset.ts";
import type { SpriteSet } from "./dataset.ts";

const PIXELS = FRAME_EDGE * FRAME_EDGE;

/** The sequences `indices` as a picture: one row of eight frames each, `columns` sequences side by side. */
export function contactSheet(set: SpriteSet, indices: ArrayLike<number>, columns = 1): Picture {
  const rows = Math.ceil(indices.length / columns);
  const picture = blank(columns * FRAMES_PER_SEQUENCE * FRAME_EDGE, rows * FRAME_EDGE);
  for (let place = 0; place < indices.length; place++) {
    const left = (place % columns) * FRAMES_PER_SEQUENCE * FRAME_EDGE;
    const top = Math.floor(place / columns) * FRAME_EDGE;
    for (let time = 0; time < FRAMES_PER_SEQUENCE; time++) {
      const frame = indices[place] * SEQUENCE_VALUES + time * FRAME_VALUES;
      drawFrame(picture, left + time * FRAME_EDGE, top, FRAME_EDGE, (position) => set.frames[frame + position]);
    }
  }
  return picture;
}

/** What a model saw and what it made of it; values 0 to 1, channels first. */
export interface ReconstructionStrip {
  /** [sequences, 8, 12288]. */
  originals: Float32Array;
  /** [sequences, 8, 12288]. */
  reconstructions: Float32Array;
  sequences: number;
  /** 1: cells of 64 pixels, 216 colours; 0.5: cells of 32 pixels, 64 colours, for a log with a budget. */
  scale?: 1 | 0.5;
}

/**
 * A PNG of three rows per sequence: original, reconstruction, absolute error (grey, four times enlarged).
 * Colours are reduced, so that two sequences take less than 25 KB at scale 1 and less than 6 KB at scale 0.5;
 * the same values give the same bytes.
 */
export function reconstructionStrip({
  originals,
  reconstructions,
  sequences,
  scale = 1,
}: ReconstructionStrip): Uint8Array {
  const wanted = sequences * SEQUENCE_VALUES;
  if (originals.length < wanted || reconstructions.length < wanted) {
    throw new DataError(
      "invalid-argument",
      `reconstructionStrip: got ${originals.length} and ${reconstructions.length} values, ` +
        `wanted ${wanted} for ${sequences} sequences`,
    );
  }
  const step = scale === 1 ? 1 : 2;
  const levels = scale === 1 ? 6 : 4;
  const greys = scale === 1 ? 8 : 6;
  const cell = FRAME_EDGE / step;
  const picture = blank(FRAMES_PER_SEQUENCE * cell, sequences * 3 * cell);
  for (let sequence = 0; sequence < sequences; sequence++) {
    for (let time = 0; time < FRAMES_PER_SEQUENCE; time++) {
      const frame = (sequence * FRAMES_PER_SEQUENCE + time) * FRAME_VALUES;
      const error = (position: number) => errorAt(originals, reconstructions, frame + (position % PIXELS));
      const rows = [
        { levels, valueAt: (position: number) => originals[frame + position] },
        { levels, valueAt: (position: number) => reconstructions[frame + position] },
        { levels: greys, valueAt: (position: number) => 4 * error(position) },
      ];
      rows.forEach(({ levels: shades, valueAt }, row) => {
        const reduced = (position: number) => quantize(areaMean(valueAt, position, step), shades);
        drawFrame(picture, time * cell, (sequence * 3 + row) * cell, cell, reduced);
      });
    }
  }
  return encodePng(picture);
}

/** Mean absolute error of a pixel over its three colours. */
function errorAt(originals: Float32Array, reconstructions: Float32Array, pixel: number): number {
  let sum = 0;
  for (let channel = 0; channel < 3; channel++) {
    sum += Math.abs(originals[pixel + channel * PIXELS] - reconstructions[pixel + channel * PIXELS]);
  }
  return sum / 3;
}

/** Mean over the square of `step` x `step` values whose upper left corner is `position`. */
function areaMean(valueAt: (position: number) => number, position: number, step: number): number {
  let sum = 0;
  for (let y = 0; y < step; y++) for (let x = 0; x < step; x++) sum += valueAt(position + y * FRAME_EDGE + x);
  return sum / (step * step);
}

/** The byte of the nearest of `levels` evenly spaced values from 0 to 1. */
function quantize(value: number, levels: number): number {
  const level = Math.round(Math.min(1, Math.max(0, value)) * (levels - 1));
  return Math.round((level * 255) / (levels - 1));
}

function blank(width: number, height: number): Picture {
  return { width, height, channels: 3, data: new Uint8Array(width * height * 3) };
}

/** Draws a frame as `edge` x `edge` pixels; `byteAt` takes positions of a [3, 64, 64] frame. */
function drawFrame(
  picture: Picture,
  left: number,
  top: number,
  edge: number,
  byteAt: (position: number) => number,
): void {
  const step = FRAME_EDGE / edge;
  for (let y = 0; y < edge; y++) {
    for (let x = 0; x < edge; x++) {
      const to = ((top + y) * picture.width + left + x) * 3;
      const from = y * step * FRAME_EDGE + x * step;
      for (let channel = 0; channel < 3; channel++) picture.data[to + channel] = byteAt(from + channel * PIXELS);
    }
  }
}
