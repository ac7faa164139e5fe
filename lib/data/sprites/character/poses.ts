// Where the joints are: the actions of the synthetic characters as tables of small shifts from the standing pose.

import type { SpriteAction } from "../dataset.ts";
import type { Point } from "./canvas.ts";

/** A character is seen from the front or facing left; facing right is the mirror image of left. */
export type View = "front" | "side";

/** Shoulder, elbow, hand, or hip, knee, foot. */
export interface Limb {
  readonly root: Point;
  readonly joint: Point;
  readonly end: Point;
  /** Whether it is drawn over the body or behind it. */
  readonly inFront: boolean;
}

/** All joints of one pose; limbs are [screen left, screen right] from the front and [far, near] from the side. */
export interface Skeleton {
  readonly view: View;
  readonly head: Point;
  readonly chest: Point;
  readonly hips: Point;
  readonly arms: readonly [Limb, Limb];
  readonly legs: readonly [Limb, Limb];
}

/** Shifts in pixels from the standing pose; what is left out is at rest. */
interface Pose {
  /** The whole upper body; the feet stay. */
  body?: readonly [number, number];
  /** Chest and head against the hips. */
  lean?: readonly [number, number];
  /** Head against the chest. */
  nod?: readonly [number, number];
  /** Places of the hands against their shoulders; a third number puts the arm in front (1) or behind (0). */
  hands?: readonly [readonly number[] | null, readonly number[] | null];
  /** Feet against their place on the ground. */
  feet?: readonly [readonly [number, number], readonly [number, number]];
}

interface RestPose {
  head: Point;
  chest: Point;
  hips: Point;
  shoulders: readonly [Point, Point];
  hands: readonly [Point, Point];
  handsInFront: readonly [boolean, boolean];
  legRoots: readonly [Point, Point];
  feet: readonly [Point, Point];
  /** Which way elbows and knees bend: the sign of the sideways shift. */
  elbows: readonly [number, number];
  knees: readonly [number, number];
}

const at = (x: number, y: number): Point => ({ x, y });

const ARM_BONE = 5.7;
const LEG_BONE = 5.6;

const rest: Record<View, RestPose> = {
  front: {
    head: at(32, 26.5), chest: at(32, 37.5), hips: at(32, 48.5),
    shoulders: [at(-7.5, 3), at(7.5, 3)], hands: [at(-1.6, 10), at(1.6, 10)], handsInFront: [false, false],
    legRoots: [at(-3.6, 0), at(3.6, 0)], feet: [at(26.5, 59.5), at(37.5, 59.5)],
    elbows: [-1, 1], knees: [-1, 1],
  },
  side: {
    head: at(31.5, 26.5), chest: at(32.5, 37.5), hips: at(32.5, 48.5),
    shoulders: [at(-1.5, 3), at(1.5, 3)], hands: [at(-2.5, 10), at(0, 10.5)], handsInFront: [false, true],
    legRoots: [at(-1.2, 0), at(1.2, 0)], feet: [at(29.5, 59), at(35.5, 59.5)],
    elbows: [1, 1], knees: [-1, -1],
  },
};

/** Pose numbers of frames 0 to 7: slash repeats a pose and closes on pose 0, walk and spellcast do not close. */
export const poseOrder: Record<SpriteAction, readonly number[]> = {
  slash: [0, 1, 2, 3, 4, 5, 4, 0],
  spellcast: [0, 1, 2, 3, 4, 5, 4, 6],
  walk: [0, 1, 2, 3, 4, 5, 6, 7],
};

const poses: Record<SpriteAction, Record<View, readonly Pose[]>> = {
  slash: {
    front: [
      {},
      { nod: [-1, 0], hands: [null, [-1, 10, 1]] },
      { body: [-1, 2], hands: [[-2, 9], [-9, 8, 1]], feet: [[0, 0], [1, 0]] },
      { body: [1, 1], hands: [null, [1, 9, 1]], feet: [[0, 0], [1, 0]] },
      { body: [2, 1], hands: [[-3, 8], [12, 4, 1]], feet: [[0, 0], [2, 0]] },
      { body: [2, 1], hands: [[-3, 8], [13, -1, 1]], feet: [[0, 0], [2, 0]] },
    ],
    side: [
      {},
      { body: [1, 3], nod: [-1, 0], hands: [[-7, 8], [7, 6, 1]], feet: [[-1, 0], [1, 0]] },
      { body: [0, 1], hands: [[-5, 9], [8, -1, 1]], feet: [[-1, 0], [1, 0]] },
      { body: [0, 1], lean: [-1, 0], hands: [[2, 10], [-10, 8, 1]], feet: [[-1, 0], [1, 0]] },
      { body: [-1, 1], lean: [-1, 0], hands: [[5, 9], [-18, 0, 1]], feet: [[-2, 0], [1, 0]] },
      { body: [-1, 1], lean: [-1, 0], hands: [[5, 9], [-18, -1, 1]], feet: [[-2, 0], [1, 0]] },
    ],
  },
  spellcast: {
    front: [
      {},
      { hands: [[3, 7, 1], [-3, 7, 1]] },
      { body: [0, 1], nod: [0, 1], hands: [[5, 4, 1], [-5, 4, 1]] },
      { body: [0, 0], hands: [[-5, -3, 1], [5, -3, 1]] },
      { body: [0, -1], hands: [[-7, -9, 1], [7, -9, 1]] },
      { body: [0, -1], hands: [[-6, -11, 1], [6, -11, 1]] },
      { hands: [[-6, 6], [6, 6]] },
    ],
    side: [
      {},
      { hands: [[-6, 7], [-5, 7, 1]] },
      { body: [1, 1], nod: [0, 1], hands: [[-8, 3], [-7, 4, 1]] },
      { body: [0, 0], hands: [[-10, -2], [-9, -1, 1]] },
      { body: [-1, 0], hands: [[-12, -6], [-11, -7, 1]] },
      { body: [-1, 0], hands: [[-11, -9], [-10, -10, 1]] },
      { hands: [[-8, 7], [-7, 7, 1]] },
    ],
  },
  walk: {
    front: [0, 1, 2, 3, 4, 5, 6, 7].map((phase): Pose => {
      const swing = Math.round(3 * Math.sin((2 * Math.PI * (phase + 0.5)) / 8));
      const lift = phase % 4 === 1 || phase % 4 === 2 ? -1 : 0;
      return {
        body: [0, lift],
        hands: [[-1.5, 10 - Math.max(0, swing)], [1.5, 10 + Math.min(0, swing)]],
        feet: [[0, Math.min(0, -swing)], [0, Math.min(0, swing)]],
      };
    }),
    side: [0, 1, 2, 3, 4, 5, 6, 7].map((phase): Pose => {
      const swing = Math.round(6 * Math.sin((2 * Math.PI * (phase + 0.5)) / 8));
      const raise = Math.round(2 * Math.cos((2 * Math.PI * (phase + 0.5)) / 8));
      const lift = phase % 4 === 0 || phase % 4 === 3 ? -1 : 0;
      return {
        body: [0, lift],
        hands: [[swing - 2, 10], [-swing, 10, 1]],
        feet: [[3 - swing, Math.min(0, raise)], [swing - 3, Math.min(0, -raise)]],
      };
    }),
  },
};

/** The joints of pose `number` of an action, in pixels of the cell. */
export function skeleton(action: SpriteAction, view: View, number: number): Skeleton {
  const pose = poses[action][view][number];
  const base = rest[view];
  const [bodyX, bodyY] = pose.body ?? [0, 0];
  const [leanX, leanY] = pose.lean ?? [0, 0];
  const [nodX, nodY] = pose.nod ?? [0, 0];
  const hips = at(base.hips.x + bodyX, base.hips.y + bodyY);
  const chest = at(base.chest.x + bodyX + leanX, base.chest.y + bodyY + leanY);
  const head = at(base.head.x + bodyX + leanX + nodX, base.head.y + bodyY + leanY + nodY);
  const arm = (side: 0 | 1): Limb => {
    const shoulder = base.shoulders[side];
    const hand = pose.hands?.[side] ?? [base.hands[side].x, base.hands[side].y, base.handsInFront[side] ? 1 : 0];
    const root = at(chest.x + shoulder.x, chest.y + shoulder.y);
    const inFront = hand.length > 2 ? hand[2] === 1 : base.handsInFront[side];
    return { ...bend(root, at(root.x + hand[0], root.y + hand[1]), ARM_BONE, base.elbows[side]), inFront };
  };
  const leg = (side: 0 | 1): Limb => {
    const [footX, footY] = pose.feet?.[side] ?? [0, 0];
    const root = at(hips.x + base.legRoots[side].x, hips.y + base.legRoots[side].y);
    const foot = at(base.feet[side].x + footX, base.feet[side].y + footY);
    return { ...bend(root, foot, LEG_BONE, base.knees[side]), inFront: side === 1 };
  };
  return { view, head, chest, hips, arms: [arm(0), arm(1)], legs: [leg(0), leg(1)] };
}

/** Two equal bones from root to end, bent to one side; beyond their reach they stretch, as drawn limbs do. */
function bend(root: Point, end: Point, bone: number, side: number): Omit<Limb, "inFront"> {
  const dx = end.x - root.x;
  const dy = end.y - root.y;
  const distance = Math.max(Math.hypot(dx, dy), 1e-9);
  const height = side * Math.sqrt(Math.max(0, bone * bone - (distance / 2) ** 2));
  const joint = at((root.x + end.x) / 2 + (dy / distance) * height, (root.y + end.y) / 2 - (dx / distance) * height);
  return { root, joint, end };
}
