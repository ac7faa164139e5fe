// What a synthetic character wears: six kinds of trousers and six kinds of tops, fitted to the joints of a pose.

import { limbMask } from "./body.ts";
import { Canvas, Mask } from "./canvas.ts";
import type { Point } from "./canvas.ts";
import { bottoms, tops } from "./palette.ts";
import type { Skeleton } from "./poses.ts";

const JEANS = 0;
const SHORTS = 2;
const SKIRT = 3;
const BAGGY = 4;
const PATCHED = 5;

/** Trousers, shorts or skirt. */
export function paintBottom({ view, hips, legs }: Skeleton, variant: number): Canvas {
  const canvas = new Canvas();
  const { cloth, trim } = bottoms[variant];
  const halfWidth = view === "front" ? 6.4 : 5.6;
  if (variant === SKIRT) {
    const spread = view === "front" ? 9.5 : 8;
    const hem = hips.y + 8;
    const skirt = new Mask().polygon([
      [hips.x - halfWidth, hips.y - 4], [hips.x + halfWidth, hips.y - 4],
      [hips.x + spread, hem], [hips.x, hem + 1.2], [hips.x - spread, hem],
    ]);
    canvas.paint(skirt, cloth);
    for (const fold of [-0.45, 0.1, 0.55]) {
      canvas.line(at(hips.x + halfWidth * fold, hips.y + 1), at(hips.x + spread * fold, hem - 2), cloth.deep, skirt);
    }
    for (let x = -spread + 1.5; x < spread - 1; x++) canvas.dot(hips.x + x, hem - 1, trim);
    return canvas;
  }
  const width = variant === BAGGY ? 4.4 : 3.7;
  for (const leg of legs) {
    const mask = new Mask();
    if (variant === SHORTS) mask.capsule(leg.root, between(leg.joint, leg.end, 0.25), 4, 4);
    else {
      const ankle = between(leg.joint, leg.end, 0.55);
      mask.capsule(leg.root, leg.joint, width, width).capsule(leg.joint, ankle, width, variant === BAGGY ? 3.9 : 3.2);
    }
    canvas.paint(mask, cloth);
    if (variant === JEANS) canvas.line(between(leg.root, leg.joint, 0.5), between(leg.joint, leg.end, 0.6), cloth.shine, mask);
    if (variant === SHORTS) canvas.line(between(leg.root, leg.joint, 0.2), between(leg.joint, leg.end, 0.2), trim, mask);
    if (variant === PATCHED) {
      for (const [x, y] of [[0, 0], [-1, 0], [0, 1], [-1, 1], [1, 0]]) canvas.dot(leg.joint.x + x, leg.joint.y + y, trim);
    }
    if (variant === BAGGY) canvas.line(at(leg.end.x - 3, leg.end.y - 1), at(leg.end.x + 3, leg.end.y - 1), trim);
  }
  const seat = new Mask().polygon([
    [hips.x - halfWidth, hips.y - 5], [hips.x + halfWidth, hips.y - 5],
    [hips.x + halfWidth, hips.y + 2.5], [hips.x, hips.y + 3.5], [hips.x - halfWidth, hips.y + 2.5],
  ]);
  canvas.paint(seat, cloth);
  return canvas;
}

const TUNIC = 0;
const SHIRT = 1;
const VEST = 2;
const PLATE = 3;
const JERSEY = 4;
const HOODED = 5;

/** The trunk of a top: cloth, then what makes it a tunic, a shirt, a vest, a plate, a jersey or a hooded cape. */
export function paintTop({ view, chest, hips }: Skeleton, variant: number): Canvas {
  const canvas = new Canvas();
  const { cloth, accent } = tops[variant];
  const front = view === "front";
  const shoulder = front ? 8.2 : 6.4;
  const waist = front ? 6.6 : 5.8;
  const hem = variant === TUNIC || variant === HOODED ? 3.4 : variant === VEST ? -0.6 : 0.8;
  const flare = variant === TUNIC ? 1.6 : variant === HOODED ? 2.4 : 0;
  const trunk = new Mask().polygon([
    [chest.x - shoulder + 2.5, chest.y - 2], [chest.x + shoulder - 2.5, chest.y - 2],
    [chest.x + shoulder, chest.y + 1], [chest.x + shoulder - 0.6, chest.y + 5],
    [hips.x + waist, hips.y - 3], [hips.x + waist + flare, hips.y + hem],
    [hips.x - waist - flare, hips.y + hem], [hips.x - waist, hips.y - 3],
    [chest.x - shoulder + 0.6, chest.y + 5], [chest.x - shoulder, chest.y + 1],
  ]);
  canvas.paint(trunk, cloth);
  const ahead = front ? 0 : -3;
  const row = (y: number, color: number) => canvas.line(at(hips.x - 12, y), at(hips.x + 12, y), color, inner(trunk));
  if (variant === TUNIC || variant === VEST) {
    const belt = hips.y - 3;
    row(belt, accent.dark);
    row(belt + 1, accent.base);
    for (const x of [-1, 0, 1]) canvas.dot(hips.x + ahead + x, belt, accent.shine);
    canvas.dot(hips.x + ahead, belt + 1, accent.outline);
  }
  if (variant === TUNIC) canvas.line(at(chest.x + ahead, chest.y), at(chest.x + ahead, chest.y + 5), accent.light, trunk);
  if (variant === VEST) {
    for (const y of [1, 4, 7]) canvas.dot(chest.x + ahead, chest.y + y, accent.light);
    canvas.line(at(chest.x + ahead - 1, chest.y - 1), at(chest.x + ahead - 1, hips.y - 4), cloth.outline, trunk);
  }
  if (variant === SHIRT) {
    const tie = new Mask().polygon([
      [chest.x + ahead - 1.4, chest.y - 1.5], [chest.x + ahead + 1.4, chest.y - 1.5], [chest.x + ahead + 1, chest.y + 1],
      [chest.x + ahead + 2, chest.y + 8], [chest.x + ahead, chest.y + 10.2], [chest.x + ahead - 2, chest.y + 8], [chest.x + ahead - 1, chest.y + 1],
    ]);
    canvas.paint(tie, accent);
    canvas.line(at(chest.x + ahead, chest.y + 2), at(chest.x + ahead, chest.y + 7), accent.light);
  }
  if (variant === PLATE) {
    canvas.line(at(chest.x + ahead, chest.y), at(hips.x + ahead, hips.y - 1), cloth.deep, inner(trunk));
    row(chest.y + 6, cloth.deep);
    row(chest.y + 7, cloth.shine);
    row(hips.y - 1, accent.base);
    row(chest.y - 1, accent.light);
  }
  if (variant === JERSEY) for (let y = chest.y + 1; y < hips.y - 1; y += 4) [y, y + 1].forEach((stripe) => row(stripe, accent.base));
  if (variant === HOODED) {
    canvas.paint(new Mask().ellipse(at(chest.x, chest.y), front ? 8.5 : 7, 3.6), accent);
    canvas.line(at(chest.x + ahead, chest.y + 4), at(hips.x + ahead, hips.y + 2), cloth.outline, trunk);
  }
  return canvas;
}

/** The sleeves of a top, over the arms in front of the body or behind it. */
export function paintSleeves({ arms }: Skeleton, inFront: boolean, variant: number): Canvas {
  const canvas = new Canvas();
  const { cloth, accent, sleeves } = tops[variant];
  for (const arm of arms.filter((limb) => limb.inFront === inFront)) {
    if (sleeves === "long") {
      const cuff = between(arm.joint, arm.end, 0.72);
      canvas.paint(limbMask({ ...arm, end: cuff }, 3.5, 3.1, 3), cloth);
      if (variant !== SHIRT) edge(canvas, arm.joint, cuff, accent.base);
    } else if (sleeves === "short") {
      canvas.paint(new Mask().capsule(arm.root, between(arm.root, arm.joint, 0.62), 3.5, 3.4), cloth);
      if (variant === PLATE) canvas.paint(new Mask().ellipse(at(arm.root.x, arm.root.y - 0.5), 4.2, 3.6), accent);
    } else {
      canvas.paint(new Mask().ellipse(arm.root, 3.2, 2.6), cloth);
    }
  }
  return canvas;
}

/** A cuff: the last pixels of a sleeve, across the arm. */
function edge(canvas: Canvas, from: Point, to: Point, color: number): void {
  const length = Math.max(Math.hypot(to.x - from.x, to.y - from.y), 1e-9);
  const across = at((-(to.y - from.y) / length) * 2, ((to.x - from.x) / length) * 2);
  const end = between(from, to, 1.25);
  canvas.line(at(end.x - across.x, end.y - across.y), at(end.x + across.x, end.y + across.y), color);
}

function inner(mask: Mask): Mask {
  return Object.assign(new Mask(), { inside: mask.inside.slice() }).clip(
    (x, y) => mask.has(x - 1, y) && mask.has(x + 1, y) && mask.has(x, y - 1) && mask.has(x, y + 1),
  );
}

function between(from: Point, to: Point, part: number): Point {
  return at(from.x + (to.x - from.x) * part, from.y + (to.y - from.y) * part);
}

function at(x: number, y: number): Point {
  return { x, y };
}

