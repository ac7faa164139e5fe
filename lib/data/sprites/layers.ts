// Pictures as stacks of sparse layers: only the visible pixels of a 64 x 64 cell are kept and composed.

import { FRAME_EDGE, FRAMES_PER_SEQUENCE, FRAME_VALUES } from "./dataset.ts";

const PIXELS = FRAME_EDGE * FRAME_EDGE;

/** The visible pixels of one cell. */
export interface Layer {
  /** [n] pixel positions, row * 64 + column. */
  readonly positions: Uint16Array;
  /** [n, 3] red, green, blue. */
  readonly colors: Uint8Array;
  /** [n] opacities, or null when every pixel is opaque. */
  readonly alphas: Uint8Array | null;
}

/** Keeps the visible pixels of the 64 x 64 cell at (left, top) of an RGBA picture `width` pixels wide. */
export function layerFromRgba(rgba: Uint8Array, width: number, left: number, top: number): Layer {
  const positions = new Uint16Array(PIXELS);
  const colors = new Uint8Array(PIXELS * 3);
  const alphas = new Uint8Array(PIXELS);
  let count = 0;
  for (let row = 0; row < FRAME_EDGE; row++) {
    for (let column = 0; column < FRAME_EDGE; column++) {
      const from = ((top + row) * width + left + column) * 4;
      if (rgba[from + 3] === 0) continue;
      positions[count] = row * FRAME_EDGE + column;
      colors.set(rgba.subarray(from, from + 3), count * 3);
      alphas[count++] = rgba[from + 3];
    }
  }
  const opaque = alphas.subarray(0, count).every((alpha) => alpha === 255);
  return {
    positions: positions.slice(0, count),
    colors: colors.slice(0, count * 3),
    alphas: opaque ? null : alphas.slice(0, count),
  };
}

/** Composes layers, bottom first, on black into [3, 64, 64] bytes at `offset`. */
export function composeFrame(layers: readonly Layer[], out: Uint8Array, offset: number): void {
  out.fill(0, offset, offset + FRAME_VALUES);
  const green = offset + PIXELS;
  const blue = green + PIXELS;
  for (const { positions, colors, alphas } of layers) {
    for (let index = 0, color = 0; index < positions.length; index++, color += 3) {
      const position = positions[index];
      const alpha = alphas === null ? 255 : alphas[index];
      if (alpha === 255) {
        out[offset + position] = colors[color];
        out[green + position] = colors[color + 1];
        out[blue + position] = colors[color + 2];
      } else {
        out[offset + position] = over(colors[color], out[offset + position], alpha);
        out[green + position] = over(colors[color + 1], out[green + position], alpha);
        out[blue + position] = over(colors[color + 2], out[blue + position], alpha);
      }
    }
  }
}

/**
 * Composes the eight frames of a sequence into [8, 3, 64, 64] bytes at `offset`.
 * `cells[t]` names the picture of frame t; a cell that occurs again is copied.
 */
export function composeSequence(
  cells: readonly number[],
  layersOf: (cell: number) => readonly Layer[],
  out: Uint8Array,
  offset: number,
): void {
  for (let time = 0; time < FRAMES_PER_SEQUENCE; time++) {
    const target = offset + time * FRAME_VALUES;
    const earlier = cells.indexOf(cells[time]);
    if (earlier < time) {
      const source = offset + earlier * FRAME_VALUES;
      out.copyWithin(target, source, source + FRAME_VALUES);
    } else {
      composeFrame(layersOf(cells[time]), out, target);
    }
  }
}

/** 8-bit "source over" on an opaque background, with the rounding the published data was made with. */
function over(source: number, background: number, alpha: number): number {
  const t = 128 * (source * alpha + background * (255 - alpha)) + 16384;
  return (((t >> 8) + t) >> 8) >> 7;
}
