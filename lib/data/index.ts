// Sprite sequences, gridworlds and seeded random numbers: what this package offers.

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

// Gridworlds
export { GRIDWORLD_NAMES } from "./gridworlds/layouts.ts";
export type { GridworldName } from "./gridworlds/layouts.ts";
export { ACTION_NAMES, ACTION_STEPS, namedLayout, openRoom } from "./gridworlds/layout.ts";
export type { GridLayout, OneWayTile } from "./gridworlds/layout.ts";
export { parseLayout, readLayout } from "./gridworlds/layout-text.ts";
export { createGridworld, doorMarkers } from "./gridworlds/gridworld.ts";
export type { CoordinateConvention, DoorMarker, Gridworld, GridworldOptions } from "./gridworlds/gridworld.ts";
export type { Door } from "./gridworlds/doors.ts";
export { isSymmetricWalk, stationaryLaw, transitionMatrix } from "./gridworlds/transition.ts";

// What ALLO has to find
export { datasetSpectrum, exactSpectrum, GROUP_TOLERANCE } from "./gridworlds/spectrum.ts";
export type { Spectrum } from "./gridworlds/spectrum.ts";
export {
  laplacianEigenvalue,
  laplacianEigenvalues,
  transitionEigenvalue,
  transitionEigenvalues,
} from "./gridworlds/sampled-operator.ts";
export type { OffsetSampling } from "./gridworlds/sampled-operator.ts";

// Data of the random walk, and batches from it
export { collectRollouts, rolloutChunks, visitCounts } from "./gridworlds/rollouts.ts";
export type { RolloutOptions, Rollouts } from "./gridworlds/rollouts.ts";
export { expectedPairLaw, MAX_DENSE_STATES, meanLaplacian, pairLaw } from "./gridworlds/pair-law.ts";
export type { PairLaw } from "./gridworlds/pair-law.ts";
export { ReplaySampler } from "./gridworlds/replay-sampler.ts";
export { CountSampler } from "./gridworlds/count-sampler.ts";
export type { StateLaw } from "./gridworlds/count-sampler.ts";
export { exactBatch, packPair, PairBatch } from "./gridworlds/pair-batch.ts";
export type { PairBatchMemory } from "./gridworlds/pair-batch.ts";
