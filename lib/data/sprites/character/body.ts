// The skin of a synthetic character: head with ears and face, arms with hands, legs with boots.

import { Canvas, Mask } from "./canvas.ts";
import type { Point } from "./canvas.ts";
import { face, leather, skins } from "./palette.ts";
import type { Limb, Skeleton } from "./poses.ts";

/** The head with its face; hair comes over it. */
export function paintHead({ view, head }: Skeleton, variant: number): Canvas {
  const canvas = new Canvas();
  const { skin, iris, iris2, blush, pointedEars } = skins[variant];
  const p = (x: number, y: number): Point => ({ x: head.x + x, y: head.y + y });
  const ear = (x: number, outward: number) =>
    pointedEars
      ? new Mask().polygon([
          [head.x + x - outward, head.y - 1],
          [head.x + x + 5.2 * outward, head.y - 4.6],
          [head.x + x + 1.5 * outward, head.y + 5],
          [head.x + x - outward, head.y + 6],
        ])
      : new Mask().ellipse(p(x, 2.5), 2.6, 3.3);
  if (view === "front") {
    canvas.paint(ear(-8.5, -1), skin).paint(ear(8.5, 1), skin);
    canvas.paint(new Mask().ellipse(p(0, 0), 9, 9.5).ellipse(p(0, 3.5), 8.2, 6.6), skin);
    eye(canvas, p(-4.5, 2), iris, iris2, 1);
    eye(canvas, p(4.5, 2), iris, iris2, -1);
    for (const x of [-6, -5, 5, 6]) canvas.dot(head.x + x, head.y + 6, blush);
    canvas.dot(head.x - 0.5, head.y + 7, face.mouth).dot(head.x + 0.5, head.y + 7, face.mouth);
    canvas.dot(head.x, head.y + 4.5, skin.dark);
  } else {
    canvas.paint(
      new Mask().ellipse(p(0.5, 0), 8.6, 9.5).ellipse(p(-0.5, 3.5), 7.6, 6.4).ellipse(p(-7.4, 4), 1.6, 1.6),
      skin,
    );
    canvas.paint(ear(3.2, 1), skin);
    eye(canvas, p(-5, 2), iris, iris2, 1);
    canvas.dot(head.x - 4, head.y + 6, blush).dot(head.x - 3, head.y + 6, blush);
    canvas.dot(head.x - 6, head.y + 7.5, face.mouth).dot(head.x - 5, head.y + 7.5, face.mouth);
  }
  return canvas;
}

/** Bare arms and hands; sleeves come over them. */
export function paintArms({ arms }: Skeleton, inFront: boolean, variant: number): Canvas {
  const canvas = new Canvas();
  const { skin } = skins[variant];
  for (const arm of arms.filter((limb) => limb.inFront === inFront)) {
    canvas.paint(limbMask(arm, 2.9, 2.6, 2.3), skin);
    const reach = Math.max(Math.hypot(arm.end.x - arm.joint.x, arm.end.y - arm.joint.y), 1);
    const palm = {
      x: arm.end.x + (arm.end.x - arm.joint.x) / reach,
      y: arm.end.y + (arm.end.y - arm.joint.y) / reach,
    };
    canvas.paint(new Mask().ellipse(palm, 2.9, 2.9), skin);
  }
  return canvas;
}

/** Bare legs; trousers come over them. */
export function paintLegs({ legs }: Skeleton, variant: number): Canvas {
  const canvas = new Canvas();
  for (const leg of legs) canvas.paint(limbMask(leg, 3.4, 3, 2.6), skins[variant].skin);
  return canvas;
}

/** Boots, the same for everybody. */
export function paintBoots({ view, legs }: Skeleton): Canvas {
  const canvas = new Canvas();
  legs.forEach(({ end }, side) => {
    const outward = view === "side" ? -1.6 : side === 0 ? -0.8 : 0.8;
    canvas.paint(
      new Mask()
        .ellipse({ x: end.x + outward, y: end.y + 0.8 }, view === "side" ? 4.2 : 3.6, 2.4)
        .ellipse({ x: end.x, y: end.y - 0.6 }, 3, 2.6),
      leather,
    );
  });
  return canvas;
}

/** The outline of a limb: half-widths at root, joint and end. */
export function limbMask(limb: Limb, root: number, joint: number, end: number): Mask {
  return new Mask().capsule(limb.root, limb.joint, root, joint).capsule(limb.joint, limb.end, joint, end);
}

/** A tall eye: lash, white on the outer side, pupil, and an iris lit from below; `inner` is the side of the nose. */
function eye(canvas: Canvas, center: Point, iris: number, spot: number, inner: number): void {
  const rows = [
    [face.lash, face.lash, face.lash],
    [face.white, face.lash, iris],
    [face.white, face.lash, spot],
    [face.white, iris, spot],
  ];
  rows.forEach((colors, row) => {
    colors.forEach((color, column) => canvas.dot(center.x + (column - 1) * inner, center.y + row - 2, color));
  });
}
