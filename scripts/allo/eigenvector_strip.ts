// One small picture of a run: the exact eigenvectors in the upper row, the learned ones below them.
import type { Gridworld, Spectrum } from "@cleanloop/data";
import { encodePng } from "@cleanloop/data";

/** ColorBrewer's RdBu reversed: low is blue, high is red. */
const ANCHORS = [0x053061, 0x2166ac, 0x4393c3, 0x92c5de, 0xd1e5f0, 0xf7f7f7, 0xfddbc7, 0xf4a582, 0xd6604d, 0xb2182b, 0x67001f];
/** Few enough for a palette, together with walls and paper. */
const LEVELS = 201;
const WALL = 0x808080;
const PAPER = 0xffffff;
/** A panel is about this wide, in pixels. */
const PANEL_EDGE = 52;
const GAP = 4;

/**
 * The PNG of the first columns of `features` [n, d] below those of `exact`. Every feature has unit length and the sign that
 * agrees with its eigenvector; both share one range, symmetric about zero.
 */
export function eigenvectorStrip({ layout, canonicalStates }: Gridworld, exact: Spectrum, features: ArrayLike<number>): Uint8Array {
  const d = exact.eigenvalues.length;
  const scale = Math.max(1, Math.floor(PANEL_EDGE / Math.max(layout.width, layout.height)));
  const panel = { width: layout.width * scale, height: layout.height * scale };
  const width = d * (panel.width + GAP) + GAP;
  const height = 2 * (panel.height + GAP) + GAP;
  const data = new Uint8Array(width * height * 3);
  const paint = (x: number, y: number, columns: number, rows: number, color: number) => {
    for (let row = y; row < y + rows; row++) {
      for (let at = (row * width + x) * 3, end = at + columns * 3; at < end; ) for (const shift of [16, 8, 0]) data[at++] = (color >> shift) & 255;
    }
  };
  paint(0, 0, width, height, PAPER);
  for (let column = 0; column < d; column++) {
    const wanted = unitColumn(exact.eigenvectors, d, column);
    const learned = unitColumn(features, d, column);
    const agreement = wanted.reduce((sum, value, state) => sum + value * learned[state], 0);
    const range = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const x = GAP + column * (panel.width + GAP);
    for (const [row, values] of [wanted, learned.map((value) => (agreement < 0 ? -value : value))].entries()) {
      const y = GAP + row * (panel.height + GAP);
      paint(x, y, panel.width, panel.height, WALL);
      canonicalStates.forEach((cell, state) => {
        const left = x + (cell % layout.width) * scale;
        paint(left, y + Math.floor(cell / layout.width) * scale, scale, scale, colorOf(values[state] / range));
      });
    }
  }
  return encodePng({ width, height, channels: 3, data });
}

/** The color of a value from -1 to 1; what lies outside has the color of the end. */
function colorOf(value: number): number {
  const level = Math.round(((Math.min(1, Math.max(-1, value)) + 1) / 2) * (LEVELS - 1));
  const place = (level / (LEVELS - 1)) * (ANCHORS.length - 1);
  const below = Math.min(Math.floor(place), ANCHORS.length - 2);
  const mixed = [16, 8, 0].map((shift) => {
    const [a, b] = [(ANCHORS[below] >> shift) & 255, (ANCHORS[below + 1] >> shift) & 255];
    return Math.round(a + (b - a) * (place - below)) << shift;
  });
  return mixed.reduce((color, part) => color | part, 0);
}

function unitColumn(values: ArrayLike<number>, d: number, column: number): Float64Array {
  const out = Float64Array.from({ length: values.length / d }, (_, state) => values[state * d + column]);
  const norm = Math.sqrt(out.reduce((sum, value) => sum + value * value, 0));
  return norm > 0 ? out.map((value) => value / norm) : out;
}
