// Who is trained on and who is held out: splits in which no character is shared with the training set.

import { DataError } from "../errors.ts";
import { NumpyRandomState } from "../mt19937.ts";
import { Random } from "../random.ts";
import { CHARACTER_COUNT } from "./characters.ts";
import { SPRITE_ATTRIBUTES, SPRITE_DIRECTIONS } from "./dataset.ts";
import type { SequenceSource } from "./dataset.ts";

/** `identity`: three disjoint sets of characters. `original`: as published, where validation is the test set. */
export type SplitRule = "identity" | "original";

/** Sequences of a source in the order in which they are stored; `rule` says in words how they were chosen. */
export interface SpriteSplit {
  readonly train: Int32Array;
  readonly validation: Int32Array;
  readonly test: Int32Array;
  readonly rule: string;
}

/** The order in which characters are taken, and how the sequences of each part are shuffled. */
export interface CatalogueOrder {
  readonly name: string;
  /** All 1296 characters. */
  readonly characters: Int32Array;
  readonly shuffleTrain: (count: number) => Int32Array;
  readonly shuffleHeldOut: (count: number) => Int32Array;
}

const TRAIN_CHARACTERS = 1000;
const VALIDATION_CHARACTERS = 200;

/** The published characters (NumPy's RandomState(423)), each part shuffled with RandomState(0) and (1). */
export function publishedOrder(): CatalogueOrder {
  return {
    name: "RandomState(423)",
    characters: new NumpyRandomState(423).permutation(CHARACTER_COUNT),
    shuffleTrain: (count) => new NumpyRandomState(0).permutation(count),
    shuffleHeldOut: (count) => new NumpyRandomState(1).permutation(count),
  };
}

/** Characters and sequences in an order drawn from a seed. */
export function seededOrder(seed: number): CatalogueOrder {
  const random = new Random(seed).fork("sprite split");
  return {
    name: `seed ${seed}`,
    characters: random.fork("characters").permutation(CHARACTER_COUNT),
    shuffleTrain: (count) => random.fork("train").permutation(count),
    shuffleHeldOut: (count) => random.fork("held out").permutation(count),
  };
}

/**
 * Splits a full catalogue (every character in every direction): the first 1000 characters of the order train, the other
 * 296 are held out. Under `identity` the first 200 of those are for validation and 96 for the test; under `original`
 * all 296 serve as both. Only the sequences in `kept` are returned.
 */
export function splitCatalogue(
  source: SequenceSource,
  order: CatalogueOrder,
  rule: SplitRule = "identity",
  kept?: ArrayLike<number>,
): SpriteSplit {
  const rows = catalogueRows(source);
  const wanted = kept === undefined ? null : new Set(Array.from(kept));
  const inOrder = (characters: Int32Array, shuffle: (count: number) => Int32Array) =>
    rows.actions.flatMap((action) => {
      const listed = SPRITE_DIRECTIONS.flatMap((_, direction) =>
        Array.from(characters, (character) => rows.find(action, direction, character)),
      );
      return Array.from(shuffle(listed.length), (position) => listed[position]);
    });
  const keep = (indices: number[]) =>
    Int32Array.from(wanted === null ? indices : indices.filter((index) => wanted.has(index)));
  const train = keep(inOrder(order.characters.subarray(0, TRAIN_CHARACTERS), order.shuffleTrain));
  const heldOut = keep(inOrder(order.characters.subarray(TRAIN_CHARACTERS), order.shuffleHeldOut));
  const heldOutCount = CHARACTER_COUNT - TRAIN_CHARACTERS;
  if (rule === "original") {
    const words =
      `characters in the order of ${order.name}: ` +
      `${TRAIN_CHARACTERS} train, ${heldOutCount} serve as validation and test`;
    return { train, validation: heldOut, test: heldOut, rule: words };
  }
  const validators = new Set(order.characters.subarray(TRAIN_CHARACTERS, TRAIN_CHARACTERS + VALIDATION_CHARACTERS));
  const validates = (index: number) => validators.has(rows.characterOf(index));
  return {
    train,
    validation: heldOut.filter(validates),
    test: heldOut.filter((index) => !validates(index)),
    rule:
      `characters in the order of ${order.name}: ${TRAIN_CHARACTERS} train, ${VALIDATION_CHARACTERS} validation, ` +
      `${heldOutCount - VALIDATION_CHARACTERS} test; no character is in two of them`,
  };
}

/**
 * Splits the sequences `kept` by identity: whole identities, in seeded order, fill train (77 %), validation (15 %) and
 * test (the rest), the shares of the published split; within a part the order of the source is kept.
 * Throws `no-split` when there are fewer than three identities or one of them makes up half of the data.
 */
export function splitByIdentity(
  identities: ArrayLike<number>,
  kept: ArrayLike<number>,
  seed: number,
  origin: string,
): SpriteSplit {
  const groups = [...groupBy(kept, identities).values()];
  const largest = groups.reduce((most, group) => Math.max(most, group.length), 0);
  if (groups.length < 3 || largest * 2 > kept.length) {
    throw new DataError(
      "no-split",
      `splitByIdentity: got ${groups.length} identities among ${kept.length} sequences, the largest with ${largest}; ` +
        "wanted at least 3 and none with half of the data. " +
        "Name an attributes file: int32 [N, 6] or one identity per sequence, [N]",
    );
  }
  const shares = [TRAIN_CHARACTERS / CHARACTER_COUNT, (TRAIN_CHARACTERS + VALIDATION_CHARACTERS) / CHARACTER_COUNT];
  const parts: [number[], number[], number[]] = [[], [], []];
  const order = new Random(seed).fork("identity split").permutation(groups.length);
  order.forEach((group, position) => {
    const place = (position + 0.5) / order.length;
    parts[place < shares[0] ? 0 : place < shares[1] ? 1 : 2].push(...groups[group]);
  });
  const [train, validation, test] = parts.map((part) => Int32Array.from(part).sort());
  return {
    train,
    validation,
    test,
    rule: `${groups.length} identities (${origin}) in the order of seed ${seed}; none is in two parts`,
  };
}

/**
 * Splits two sources that were joined, training file first, as the published pair of files was: the first trains whole.
 * Under `identity` the second is split between validation and test by identity, under `original` it serves as both.
 */
export function splitPair(
  trainCount: number,
  identities: ArrayLike<number>,
  kept: Int32Array,
  seed: number,
  rule: SplitRule,
): SpriteSplit {
  const train = kept.filter((index) => index < trainCount);
  const heldOut = kept.filter((index) => index >= trainCount);
  const origin = "the training file trains; the test file is held out whole, as its makers split them";
  if (rule === "original")
    return { train, validation: heldOut, test: heldOut, rule: `${origin}, and serves as validation and test` };
  const groups = [...groupBy(heldOut, identities).values()];
  const validators = Math.round((groups.length * VALIDATION_CHARACTERS) / (CHARACTER_COUNT - TRAIN_CHARACTERS));
  const order = new Random(seed).fork("identity split").permutation(groups.length);
  const rowsOf = (numbers: Int32Array) => Int32Array.from(Array.from(numbers).flatMap((group) => groups[group])).sort();
  return {
    train,
    validation: rowsOf(order.subarray(0, validators)),
    test: rowsOf(order.subarray(validators)),
    rule:
      `${origin}: ${validators} of its ${groups.length} identities for validation, ` +
      `the rest for the test, in the order of seed ${seed}`,
  };
}

function groupBy(indices: ArrayLike<number>, identities: ArrayLike<number>): Map<number, number[]> {
  const members = new Map<number, number[]>();
  for (const index of Array.from(indices)) {
    const list = members.get(identities[index]);
    if (list === undefined) members.set(identities[index], [index]);
    else list.push(index);
  }
  return members;
}

function catalogueRows({ attributes, actions, count }: SequenceSource) {
  if (attributes === null || actions === null) {
    throw new DataError(
      "invalid-argument",
      "splitCatalogue: got a source without attributes, wanted a catalogue of characters",
    );
  }
  const width = SPRITE_ATTRIBUTES.length;
  const key = (action: number, direction: number, character: number) =>
    (action * 3 + direction) * CHARACTER_COUNT + character;
  const rowOf = new Map<number, number>();
  for (let row = 0; row < count; row++)
    rowOf.set(key(actions[row], attributes[row * width + 4], attributes[row * width + 5]), row);
  return {
    actions: [...new Set(actions)],
    characterOf: (row: number) => attributes[row * width + 5],
    find: (action: number, direction: number, character: number): number => {
      const row = rowOf.get(key(action, direction, character));
      if (row === undefined) {
        throw new DataError(
          "invalid-argument",
          `splitCatalogue: character ${character} lacks direction ${direction}, wanted a full catalogue`,
        );
      }
      return row;
    },
  };
}
