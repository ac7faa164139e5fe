// Pixel art from shapes: a mask says where a part is, a ramp of tones gives it light, shade and a dark outline.

import { FRAME_EDGE } from "../dataset.ts";
import type { Layer } from "../layers.ts";

const PIXELS = FRAME_EDGE * FRAME_EDGE;

/** A place in a cell, in pixels from the top left corner; fractions are allowed. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The tones of one material, dark to light, as 0xRRGGBB. */
export interface Ramp {
  readonly outline: number;
  readonly deep: number;
  readonly dark: number;
  readonly base: number;
  readonly light: number;
  readonly shine: number;
}

/** A set of pixels, built by adding and cutting shapes. */
export class Mask {
  readonly inside = new Uint8Array(PIXELS);

  ellipse(center: Point, radiusX: number, radiusY: number, value: 0 | 1 = 1): this {
    const box = boxAround([center], Math.max(radiusX, radiusY));
    return this.where(box, (x, y) => ((x - center.x) / radiusX) ** 2 + ((y - center.y) / radiusY) ** 2 <= 1, value);
  }

  /** A limb: a line from one point to another whose half-width goes from `from` to `to`. */
  capsule(start: Point, end: Point, from: number, to: number, value: 0 | 1 = 1): this {
    const dx = end.x - start.x;
    const dy = end.y - start.y;
    const lengthSquared = Math.max(dx * dx + dy * dy, 1e-9);
    const box = boxAround([start, end], Math.max(from, to));
    return this.where(
      box,
      (x, y) => {
        const along = Math.min(1, Math.max(0, ((x - start.x) * dx + (y - start.y) * dy) / lengthSquared));
        const radius = from + (to - from) * along;
        return (x - start.x - along * dx) ** 2 + (y - start.y - along * dy) ** 2 <= radius * radius;
      },
      value,
    );
  }

  /** A filled polygon of [x, y] corners, by the even-odd rule. */
  polygon(corners: readonly (readonly [number, number])[], value: 0 | 1 = 1): this {
    const box = boxAround(
      corners.map(([x, y]) => ({ x, y })),
      0,
    );
    return this.where(
      box,
      (x, y) => {
        let odd = false;
        corners.forEach(([x1, y1], index) => {
          const [x0, y0] = corners[(index + corners.length - 1) % corners.length];
          if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) odd = !odd;
        });
        return odd;
      },
      value,
    );
  }

  /** Keeps only the pixels for which `keep` holds. */
  clip(keep: (x: number, y: number) => boolean): this {
    return this.where(wholeCell, (x, y) => !keep(x, y), 0);
  }

  has(x: number, y: number): boolean {
    return x >= 0 && y >= 0 && x < FRAME_EDGE && y < FRAME_EDGE && this.inside[y * FRAME_EDGE + x] === 1;
  }

  private where(box: Box, test: (x: number, y: number) => boolean, value: 0 | 1): this {
    for (let y = box.top; y <= box.bottom; y++) {
      for (let x = box.left; x <= box.right; x++) if (test(x, y)) this.inside[y * FRAME_EDGE + x] = value;
    }
    return this;
  }
}

/** Pixels that a shape can touch; both ends are included. */
interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const wholeCell: Box = { left: 0, right: FRAME_EDGE - 1, top: 0, bottom: FRAME_EDGE - 1 };

function boxAround(points: readonly Point[], margin: number): Box {
  const xs = points.map(({ x }) => x);
  const ys = points.map(({ y }) => y);
  const inCell = (value: number) => Math.min(FRAME_EDGE - 1, Math.max(0, value));
  return {
    left: inCell(Math.floor(Math.min(...xs) - margin)),
    right: inCell(Math.ceil(Math.max(...xs) + margin)),
    top: inCell(Math.floor(Math.min(...ys) - margin)),
    bottom: inCell(Math.ceil(Math.max(...ys) + margin)),
  };
}

/** One transparent cell that parts are painted on. */
export class Canvas {
  private readonly colors = new Int32Array(PIXELS).fill(-1);

  /** Paints a mask with light from the upper left: outline at the rim, then shine to deep along the diagonal. */
  paint(mask: Mask, ramp: Ramp): this {
    for (let y = 0; y < FRAME_EDGE; y++) {
      for (let x = 0; x < FRAME_EDGE; x++) if (mask.has(x, y)) this.dot(x, y, tone(mask, ramp, x, y));
    }
    return this;
  }

  /** Sets one pixel, fractions rounded; outside the cell nothing happens. */
  dot(x: number, y: number, color: number): this {
    const column = Math.round(x);
    const row = Math.round(y);
    if (column >= 0 && row >= 0 && column < FRAME_EDGE && row < FRAME_EDGE)
      this.colors[row * FRAME_EDGE + column] = color;
    return this;
  }

  /** Sets the pixels of a straight line, both ends included, where `within` allows it. */
  line(start: Point, end: Point, color: number, within?: Mask): this {
    const steps = Math.max(1, Math.ceil(Math.max(Math.abs(end.x - start.x), Math.abs(end.y - start.y))));
    for (let step = 0; step <= steps; step++) {
      const x = Math.round(start.x + ((end.x - start.x) * step) / steps);
      const y = Math.round(start.y + ((end.y - start.y) * step) / steps);
      if (within === undefined || within.has(x, y)) this.dot(x, y, color);
    }
    return this;
  }

  /** The painted pixels as a layer, mirrored left to right on request. */
  toLayer(mirrored: boolean): Layer {
    const painted: number[] = [];
    this.colors.forEach((color, position) => {
      if (color >= 0) painted.push(position);
    });
    const positions = Uint16Array.from(painted, (position) => (mirrored ? position ^ (FRAME_EDGE - 1) : position));
    const colors = new Uint8Array(painted.length * 3);
    painted.forEach((position, index) => {
      const color = this.colors[position];
      colors.set([color >> 16, (color >> 8) & 255, color & 255], index * 3);
    });
    return { positions, colors, alphas: null };
  }
}

const LONGEST_SHADE = 9;

function tone(mask: Mask, ramp: Ramp, x: number, y: number): number {
  const rim = !mask.has(x - 1, y) || !mask.has(x + 1, y) || !mask.has(x, y - 1) || !mask.has(x, y + 1);
  if (rim) return ramp.outline;
  let toLight = 1;
  while (toLight < LONGEST_SHADE && mask.has(x - toLight, y - toLight)) toLight++;
  let toShade = 1;
  while (toShade < LONGEST_SHADE && mask.has(x + toShade, y + toShade)) toShade++;
  const depth = toLight / (toLight + toShade);
  if (depth < 0.24) return ramp.shine;
  if (depth < 0.42) return ramp.light;
  if (depth < 0.62) return ramp.base;
  return depth < 0.76 ? ramp.dark : ramp.deep;
}
