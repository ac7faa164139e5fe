// The catalogue of characters: four factors of six variants, numbered as in the published Sprites data.

import { SPRITE_ACTIONS, SPRITE_ATTRIBUTES, SPRITE_DIRECTIONS } from "./dataset.ts";
import type { SpriteAction } from "./dataset.ts";

/** Number of characters: 6 bodies x 6 bottoms x 6 tops x 6 heads of hair. */
export const CHARACTER_COUNT = 1296;

/** What is known about every sequence of a catalogue. */
export interface Catalogue {
  readonly count: number;
  /** [count, 6] in the columns of SPRITE_ATTRIBUTES. */
  readonly attributes: Int32Array;
  /** [count] positions in SPRITE_ACTIONS. */
  readonly actions: Uint8Array;
}

/** Every character in every direction, action by action, direction by direction, then by character number. */
export function catalogue(actions: readonly SpriteAction[]): Catalogue {
  const perAction = SPRITE_DIRECTIONS.length * CHARACTER_COUNT;
  const count = actions.length * perAction;
  const attributes = new Int32Array(count * SPRITE_ATTRIBUTES.length);
  const labels = new Uint8Array(count);
  for (let index = 0; index < count; index++) {
    const character = index % CHARACTER_COUNT;
    const direction = Math.floor(index / CHARACTER_COUNT) % SPRITE_DIRECTIONS.length;
    attributes.set([...factorsOf(character), direction, character], index * SPRITE_ATTRIBUTES.length);
    labels[index] = SPRITE_ACTIONS.indexOf(actions[Math.floor(index / perAction)]);
  }
  return { count, attributes, actions: labels };
}

/** Body, bottom, top and hair of a character: the digits of its number to base 6. */
export function factorsOf(character: number): [number, number, number, number] {
  return [Math.floor(character / 216), Math.floor(character / 36) % 6, Math.floor(character / 6) % 6, character % 6];
}
