// Sprite sequences and seeded random numbers: what this package offers.

// Errors
export { DataError } from "./errors.ts";
export type { DataErrorCode } from "./errors.ts";

// Random numbers
export { Random } from "./random.ts";
export type { RandomState } from "./random.ts";
export { NumpyRandomState } from "./mt19937.ts";

// Sprites for a training loop
export { loadSprites } from "./sprites/load.ts";
export type { LoadedSprites, LoadOptions } from "./sprites/load.ts";
export {
  fillBatch,
  fillFrames,
  firstLastMse,
  FRAME_EDGE,
  FRAME_VALUES,
  FRAMES_PER_SEQUENCE,
  joinSources,
  readSequences,
  SEQUENCE_VALUES,
  SPRITE_ACTIONS,
  SPRITE_ATTRIBUTES,
  SPRITE_DIRECTIONS,
} from "./sprites/dataset.ts";
export type { ByteScale, SequenceSource, SpriteAction, SpriteDirection, SpriteSet } from "./sprites/dataset.ts";

// Where sprites come from
export { syntheticSource } from "./sprites/synthetic.ts";
export { isLpcFolder, LPC_LICENSE, lpcSource } from "./sprites/lpc.ts";
export { attributesBeside, importSequences } from "./sprites/import.ts";
export type { FileSource } from "./sprites/import.ts";

// Preparing a data set
export { extractCyclic } from "./sprites/cyclic.ts";
export type { CyclicExtract, ExtractOptions } from "./sprites/cyclic.ts";
export { identitiesByAppearance } from "./sprites/appearance.ts";
export { publishedOrder, seededOrder, splitByIdentity, splitCatalogue, splitPair } from "./sprites/split.ts";
export type { CatalogueOrder, SplitRule, SpriteSplit } from "./sprites/split.ts";
export { prepareSprites } from "./sprites/prepare.ts";
export type { PrepareOptions } from "./sprites/prepare.ts";
export { preparedFiles } from "./sprites/prepared-files.ts";
export type { PreparedFiles } from "./sprites/prepared-files.ts";
export { isPrepared, readMetadata } from "./sprites/metadata.ts";
export type { PreparedPart, SpriteMetadata } from "./sprites/metadata.ts";

// Pictures
export { contactSheet, reconstructionStrip } from "./sprites/sheet.ts";
export type { ReconstructionStrip } from "./sprites/sheet.ts";
export { decodePng, encodePng } from "./png.ts";
export type { Picture } from "./png.ts";
