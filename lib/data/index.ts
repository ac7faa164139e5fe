// Sprite sequences and seeded random numbers: what this package offers.

export { DataError } from "./errors.ts";
export type { DataErrorCode } from "./errors.ts";
export { Random } from "./random.ts";
export type { RandomState } from "./random.ts";
export { NumpyRandomState } from "./mt19937.ts";
export {
  fillBatch,
  fillFrames,
  firstLastMse,
  FRAME_EDGE,
  FRAME_VALUES,
  FRAMES_PER_SEQUENCE,
  readSequences,
  SEQUENCE_VALUES,
  SPRITE_ACTIONS,
  SPRITE_ATTRIBUTES,
  SPRITE_DIRECTIONS,
} from "./sprites/dataset.ts";
export type { ByteScale, SequenceSource, SpriteAction, SpriteDirection, SpriteSet } from "./sprites/dataset.ts";
export { syntheticSource } from "./sprites/synthetic.ts";
export { LPC_LICENSE, lpcSource } from "./sprites/lpc.ts";
export { decodePng, encodePng } from "./png.ts";
export type { Picture } from "./png.ts";
