// Six heads of hair, each with its own colour: spikes, bob, long, ponytail, curls, crest.

import { Canvas, Mask } from "./canvas.ts";
import type { Point, Ramp } from "./canvas.ts";
import { hairs } from "./palette.ts";
import type { Skeleton } from "./poses.ts";

/** Places relative to the centre of the head; the face is about 9 pixels in radius. */
type Corners = readonly (readonly [number, number])[];

interface Style {
  /** Behind the body. */
  back?: Corners;
  /** Over the head. */
  front: Corners;
  /** Lines of hair: from, to. */
  strands: readonly (readonly [number, number, number, number])[];
}

const SPIKES = 0;
const CURLS = 4;

const styles: Record<"front" | "side", readonly Style[]> = {
  front: [
    {
      front: [
        [-9, 3], [-11.5, 0], [-10, -2], [-12.5, -6], [-9.5, -7], [-10, -12], [-6, -10.8], [-4, -15], [-1, -11.8], [3.4, -15.4],
        [5.4, -11], [10, -12.6], [9.4, -8], [12.5, -6], [10, -2], [11.5, 0], [9, 3], [7.6, -2], [5, 0.4], [3, -3], [0, 0],
        [-2.4, -3], [-5, 0.4], [-7.6, -2],
      ],
      strands: [[-7, -9, -5, -3], [-2, -12, -1, -4], [3, -12, 2, -5], [7, -9, 5, -3]],
    },
    {
      front: [
        [-10.5, 8], [-11.4, 0], [-10, -7], [-6, -11.4], [0, -12.8], [6, -11.4], [10, -7], [11.4, 0], [10.5, 8], [6.6, 8.6],
        [7.4, 0], [6.4, -2.4], [-6.4, -2.4], [-7.4, 0], [-6.6, 8.6],
      ],
      strands: [[-4, -9, -4, -3], [0, -10, 0, -3], [4, -9, 4, -3], [-9, -2, -9, 6], [9, -2, 9, 6]],
    },
    {
      back: [[-10.5, -4], [-12, 10], [-11, 20], [-6, 22], [6, 22], [11, 20], [12, 10], [10.5, -4]],
      front: [
        [-10, 6], [-11, -2], [-9.4, -8], [-5, -11.8], [0, -12.8], [5, -11.8], [9.4, -8], [11, -2], [10, 6], [8, 4], [6.8, -1],
        [1, -7], [-4, -2], [-7, 0], [-8, 5],
      ],
      strands: [[1, -11, -4, -4], [2, -11, 7, -4], [-8, -5, -9.5, 2], [8.5, -5, 9.5, 2]],
    },
    {
      back: [[5, -8], [11, -11.4], [14, -5], [12.4, 3], [14, 9], [10, 6], [9.6, -2]],
      front: [
        [-9.4, 2], [-10.4, -3], [-8.6, -8.4], [-4, -11.6], [1, -12.2], [6, -11], [9.4, -7.4], [10.4, -2], [9.4, 2], [7.6, -3],
        [3, -6.4], [-1, -3.4], [-5, -1], [-7.6, 0],
      ],
      strands: [[5, -10, -4, -4], [7, -8, 1, -5], [-7, -7, -8.4, -1]],
    },
    {
      front: [
        [-9, 5], [-12.4, 2], [-13, -4], [-11, -10], [-6, -14.6], [0, -16], [6, -14.6], [11, -10], [13, -4], [12.4, 2], [9, 5],
        [7.6, 0], [6, -3.4], [2, -4.6], [-2, -4.6], [-6, -3.4], [-7.6, 0],
      ],
      strands: [],
    },
    {
      front: [
        [-3, -3], [-4.4, -8], [-4, -13], [-1.6, -17], [0, -15], [2.4, -17.4], [4.2, -13], [4.4, -8], [3, -3], [1, -5.4], [-1, -5.4],
      ],
      strands: [[-1, -14, -1, -6], [2, -14, 1.6, -6]],
    },
  ],
  side: [
    {
      front: [
        [-6, 0.4], [-7, -3], [-10.6, -4.6], [-8.4, -7], [-10, -11.4], [-5.4, -10.8], [-4, -15.2], [-0.6, -12], [3.4, -15.4],
        [5, -11.2], [10, -12], [9.4, -7.6], [13, -5.6], [10.4, -2.4], [12.4, 1.4], [9.4, 2], [10, 6.4], [5.6, 4], [3.4, -1], [1, -3],
        [-1.6, -0.4], [-3, -3.4],
      ],
      strands: [[-5, -9, -4, -4], [0, -12, 0, -5], [5, -10, 5, -1], [8, -6, 8, 2]],
    },
    {
      front: [
        [-7, -1.4], [-8, -6], [-5, -10.8], [1, -12.8], [7, -11], [10.6, -6], [11.4, 1], [10.6, 8], [4.6, 8.8], [2.4, 6], [2, -1.4],
      ],
      strands: [[-3, -9, -4, -3], [2, -10, 1, -3], [6, -6, 5.4, 6], [9, -3, 8.6, 6]],
    },
    {
      back: [[0, -4], [2, 20], [7, 22.4], [12, 20], [12.6, 8], [11, -4]],
      front: [
        [-7.6, 0], [-8.6, -5], [-5, -10.8], [1, -12.8], [7, -11], [10.6, -6], [11.6, 2], [12, 9], [6, 8], [3, 2], [-1, -5], [-5, -3.6],
      ],
      strands: [[1, -11, -5, -5], [4, -9, 7, 4], [8, -6, 10, 6]],
    },
    {
      back: [[6, -8], [11.6, -10.6], [15, -5], [14, 2], [16, 8.6], [11.6, 6], [10, 0], [8, -3]],
      front: [
        [-7.4, 0], [-8.4, -5], [-5, -10.4], [1, -12.2], [6.6, -10.6], [10, -6], [10.2, 0], [7.6, 4], [4.4, 0], [2.6, -4.4], [-3, -4],
      ],
      strands: [[-2, -9, -6, -3], [6, -9, 0, -5], [8, -4, 6, 2]],
    },
    {
      front: [
        [-6.6, -1], [-9.4, -4], [-9, -10], [-4, -15], [2, -16], [8.4, -14], [12.6, -8.4], [13.4, -1], [11, 5], [6, 7.4], [3.4, 2], [0, -3.4],
      ],
      strands: [],
    },
    {
      front: [
        [-7, -4], [-9.4, -9], [-6.4, -12], [-6, -15.4], [-2.4, -14.4], [0, -17.6], [2.6, -15], [6.4, -16], [7.6, -12.4], [11.4, -11.4],
        [10.4, -7], [13, -3.4], [10.6, -1], [11.6, 3], [8.4, 2.4], [7.4, -4], [2, -7.4], [-3, -6.6],
      ],
      strands: [[-4, -12, -4, -7], [1, -14, 1, -8], [6, -13, 5, -7], [10, -8, 8.6, -4]],
    },
  ],
};

/** The hair that hangs behind the body; empty for short hair. */
export function paintHairBehind({ view, head }: Skeleton, variant: number): Canvas {
  const { back } = styles[view][variant];
  const canvas = new Canvas();
  return back === undefined ? canvas : canvas.paint(new Mask().polygon(placed(back, head)), hairs[variant]);
}

/** The hair over the head. */
export function paintHairInFront({ view, head }: Skeleton, variant: number): Canvas {
  const { front, strands } = styles[view][variant];
  const tones = hairs[variant];
  const mask = new Mask().polygon(placed(front, head));
  const canvas = new Canvas().paint(mask, tones);
  for (const [x0, y0, x1, y1] of strands) {
    canvas.line({ x: head.x + x0, y: head.y + y0 }, { x: head.x + x1, y: head.y + y1 }, tones.deep, mask);
    canvas.line({ x: head.x + x0 - 1, y: head.y + y0 }, { x: head.x + x1 - 1, y: head.y + y1 }, tones.light, mask);
  }
  if (variant === CURLS) curls(canvas, mask, head, tones);
  if (variant === SPIKES) canvas.dot(head.x - 3, head.y - 9, tones.shine).dot(head.x + 4, head.y - 9, tones.shine);
  return canvas;
}

/** Rings of light and dark all over, fixed to the head. */
function curls(canvas: Canvas, mask: Mask, head: Point, { outline, deep, light, shine }: Ramp): void {
  for (let row = -5; row <= 2; row++) {
    for (let column = -5; column <= 5; column++) {
      const x = head.x + column * 3 + (row % 2 === 0 ? 0 : 1.5);
      const y = head.y + row * 3;
      const spots: [number, number, number][] = [
        [0, 0, light],
        [1, 1, deep],
        [-1, 0, column + row < -3 ? shine : light],
        [1, 0, outline],
      ];
      for (const [dx, dy, color] of spots) {
        if (mask.has(Math.round(x + dx), Math.round(y + dy))) canvas.dot(x + dx, y + dy, color);
      }
    }
  }
}

function placed(corners: Corners, head: Point): [number, number][] {
  return corners.map(([x, y]) => [head.x + x, head.y + y]);
}
