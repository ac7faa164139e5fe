// Sprite sequences in memory: eight 64 x 64 RGB frames each, kept as bytes and turned into floats batch by batch.

import { DataError } from "../errors.ts";

/** Frames of one sequence. */
export const FRAMES_PER_SEQUENCE = 8;
/** Width and height of a frame in pixels. */
export const FRAME_EDGE = 64;
/** Values of one frame, channels first: 3 * 64 * 64. */
export const FRAME_VALUES = 3 * FRAME_EDGE * FRAME_EDGE;
/** Values of one sequence: 8 * 3 * 64 * 64. */
export const SEQUENCE_VALUES = FRAMES_PER_SEQUENCE * FRAME_VALUES;

/** A byte b stands for the value b / byteScale: 256 in the published Sprites data, 255 in pictures at large. */
export type ByteScale = 255 | 256;

/** The actions, in the order of their published labels; `SpriteSet.actions` holds positions in this list. */
export const SPRITE_ACTIONS = ["walk", "spellcast", "slash"] as const;
export type SpriteAction = (typeof SPRITE_ACTIONS)[number];

/** The directions, in the order of their published labels; column 4 of the attributes holds positions in this list. */
export const SPRITE_DIRECTIONS = ["front", "left", "right"] as const;
export type SpriteDirection = (typeof SPRITE_DIRECTIONS)[number];

/** Columns of the attributes array. */
export const SPRITE_ATTRIBUTES = ["body", "bottom", "top", "hair", "direction", "character"] as const;

/** Sequences and what is known about them. */
export interface SpriteSet {
  /** [count, 8, 3, 64, 64] bytes. */
  readonly frames: Uint8Array;
  readonly count: number;
  readonly byteScale: ByteScale;
  /** [count, 6] body, bottom, top, hair, direction, character; null when nobody knows. */
  readonly attributes: Int32Array | null;
  /** [count] positions in SPRITE_ACTIONS; null when nobody knows. */
  readonly actions: Uint8Array | null;
}

/** Anything that can produce sequences one at a time: a generator, a folder of sheets, a file. */
export interface SequenceSource {
  readonly count: number;
  readonly byteScale: ByteScale;
  readonly attributes: Int32Array | null;
  readonly actions: Uint8Array | null;
  /** One line for people: where the pictures come from. */
  readonly description: string;
  /** Writes sequence `index`, [8, 3, 64, 64] bytes, to `out` at `offset`. */
  read(index: number, out: Uint8Array, offset: number): void;
}

/** Reads the sequences `indices` of a source into memory, in that order. */
export function readSequences(source: SequenceSource, indices: ArrayLike<number>): SpriteSet {
  const count = indices.length;
  const frames = new Uint8Array(count * SEQUENCE_VALUES);
  for (let row = 0; row < count; row++) source.read(indices[row], frames, row * SEQUENCE_VALUES);
  return { frames, count, byteScale: source.byteScale, ...selectMetadata(source, indices) };
}

/** Two sources as one, the first in front; throws `bad-values` when their bytes stand for different values. */
export function joinSources(first: SequenceSource, second: SequenceSource): SequenceSource {
  if (first.byteScale !== second.byteScale) {
    throw new DataError(
      "bad-values",
      `joinSources: got ${first.description} and ${second.description}, wanted the same kind of values`,
    );
  }
  const both = <T>(one: T | null, other: T | null, join: (one: T, other: T) => T) =>
    one === null || other === null ? null : join(one, other);
  return {
    count: first.count + second.count,
    byteScale: first.byteScale,
    attributes: both(first.attributes, second.attributes, (one, other) => Int32Array.from([...one, ...other])),
    actions: both(first.actions, second.actions, (one, other) => Uint8Array.from([...one, ...other])),
    description: `${first.description}; ${second.description}`,
    read: (index, out, offset) =>
      index < first.count ? first.read(index, out, offset) : second.read(index - first.count, out, offset),
  };
}

/** The attributes and actions of the sequences `indices`, in that order; null where the source knows none. */
export function selectMetadata(
  source: Pick<SequenceSource, "attributes" | "actions">,
  indices: ArrayLike<number>,
): Pick<SpriteSet, "attributes" | "actions"> {
  const width = SPRITE_ATTRIBUTES.length;
  const { attributes, actions } = source;
  const chosen = attributes === null ? null : new Int32Array(indices.length * width);
  if (attributes !== null && chosen !== null) {
    for (let row = 0; row < indices.length; row++) {
      chosen.set(attributes.subarray(indices[row] * width, (indices[row] + 1) * width), row * width);
    }
  }
  return { attributes: chosen, actions: actions === null ? null : Uint8Array.from(indices, (index) => actions[index]) };
}

/**
 * Writes the sequences `indices` as float32, [B, 8, 12288] channels first, to the front of `out` and returns it.
 * Values are byte / byteScale, correctly rounded.
 */
export function fillBatch(set: SpriteSet, indices: ArrayLike<number>, out: Float32Array): Float32Array {
  return fill("fillBatch", set, indices, SEQUENCE_VALUES, set.count, out);
}

/**
 * Writes single frames as float32, [B, 12288] channels first, to the front of `out` and returns it.
 * A frame index is sequence * 8 + time.
 */
export function fillFrames(set: SpriteSet, frameIndices: ArrayLike<number>, out: Float32Array): Float32Array {
  return fill("fillFrames", set, frameIndices, FRAME_VALUES, set.count * FRAMES_PER_SEQUENCE, out);
}

/** Mean squared difference between frame 0 and frame 7 of each sequence, [count], in value units (0 to 1). */
export function firstLastMse(set: SpriteSet): Float64Array {
  return Float64Array.from({ length: set.count }, (_, row) =>
    sequenceFirstLastMse(set.frames, row * SEQUENCE_VALUES, set.byteScale),
  );
}

/** The mean squared difference between frame 0 and frame 7 of the sequence that starts at `offset`. */
export function sequenceFirstLastMse(frames: Uint8Array, offset: number, byteScale: ByteScale): number {
  const last = offset + (FRAMES_PER_SEQUENCE - 1) * FRAME_VALUES;
  let sum = 0;
  for (let index = 0; index < FRAME_VALUES; index++) {
    const difference = frames[offset + index] - frames[last + index];
    sum += difference * difference;
  }
  return sum / (FRAME_VALUES * byteScale * byteScale);
}

const valueTables: Record<ByteScale, Float32Array> = {
  255: Float32Array.from({ length: 256 }, (_, byte) => byte / 255),
  256: Float32Array.from({ length: 256 }, (_, byte) => byte / 256),
};

function fill(
  caller: string,
  set: SpriteSet,
  indices: ArrayLike<number>,
  itemValues: number,
  itemCount: number,
  out: Float32Array,
): Float32Array {
  if (out.length < indices.length * itemValues) {
    throw new DataError(
      "invalid-argument",
      `${caller}: got an output of ${out.length} values, wanted at least ${indices.length} * ${itemValues}`,
    );
  }
  const table = valueTables[set.byteScale];
  const { frames } = set;
  for (let row = 0; row < indices.length; row++) {
    const index = indices[row];
    if (!(index >= 0 && index < itemCount)) {
      throw new DataError("invalid-argument", `${caller}: got index ${index}, wanted one from 0 to ${itemCount - 1}`);
    }
    const from = index * itemValues;
    const to = row * itemValues;
    for (let value = 0; value < itemValues; value++) out[to + value] = table[frames[from + value]];
  }
  return out;
}
