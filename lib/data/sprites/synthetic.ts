// The data set that needs no download: 1296 drawn characters, three directions, three actions, seeded order.

import { SPRITE_ACTIONS, SPRITE_DIRECTIONS } from "./dataset.ts";
import type { SequenceSource, SpriteAction } from "./dataset.ts";
import { catalogue } from "./characters.ts";
import { paintArms, paintBoots, paintHead, paintLegs } from "./character/body.ts";
import type { Canvas } from "./character/canvas.ts";
import { paintBottom, paintSleeves, paintTop } from "./character/clothes.ts";
import { paintHairBehind, paintHairInFront } from "./character/hair.ts";
import { poseOrder, skeleton } from "./character/poses.ts";
import type { Skeleton } from "./character/poses.ts";
import { composeSequence } from "./layers.ts";
import type { Layer } from "./layers.ts";

/** The layers of a picture, bottom first, and the attribute column (body, bottom, top, hair) each depends on. */
const layerStack: readonly { factor: 0 | 1 | 2 | 3 | null; paint: (pose: Skeleton, variant: number) => Canvas }[] = [
  { factor: 3, paint: paintHairBehind },
  { factor: 0, paint: (pose, variant) => paintArms(pose, false, variant) },
  { factor: 2, paint: (pose, variant) => paintSleeves(pose, false, variant) },
  { factor: 0, paint: paintLegs },
  { factor: null, paint: paintBoots },
  { factor: 1, paint: paintBottom },
  { factor: 2, paint: paintTop },
  { factor: 0, paint: paintHead },
  { factor: 3, paint: paintHairInFront },
  { factor: 0, paint: (pose, variant) => paintArms(pose, true, variant) },
  { factor: 2, paint: (pose, variant) => paintSleeves(pose, true, variant) },
];

/**
 * All sequences of the drawn characters: 3888 per action (1296 characters x 3 directions), in catalogue order.
 * Each layer is painted once per variant, direction and pose, so a sequence costs about 0.1 ms.
 */
export function syntheticSource(actions: readonly SpriteAction[] = ["slash"]): SequenceSource {
  const rows = catalogue(actions);
  const painted = new Map<number, Layer>();
  const layer = (action: number, direction: number, pose: number, depth: number, variant: number): Layer => {
    const key = (((action * 3 + direction) * 8 + pose) * layerStack.length + depth) * 6 + variant;
    let found = painted.get(key);
    if (found === undefined) {
      const view = SPRITE_DIRECTIONS[direction] === "front" ? "front" : "side";
      const joints = skeleton(SPRITE_ACTIONS[action], view, pose);
      found = layerStack[depth].paint(joints, variant).toLayer(SPRITE_DIRECTIONS[direction] === "right");
      painted.set(key, found);
    }
    return found;
  };
  return {
    ...rows,
    byteScale: 256,
    description: `drawn characters (no download), ${actions.join(", ")}`,
    read(index, out, offset) {
      const factors = rows.attributes.subarray(index * 6, index * 6 + 4);
      const direction = rows.attributes[index * 6 + 4];
      const action = rows.actions[index];
      composeSequence(
        poseOrder[SPRITE_ACTIONS[action]],
        (pose) =>
          layerStack.map(({ factor }, depth) =>
            layer(action, direction, pose, depth, factor === null ? 0 : factors[factor]),
          ),
        out,
        offset,
      );
    },
  };
}
