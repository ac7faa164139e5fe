// Writes a prepared directory: the cyclic part of a source, split by identity, as .npy files with their metadata.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { npyChunks, systemError, writeAtomic } from "@cleanloop/artifacts";
import { DataError } from "../errors.ts";
import { encodePng } from "../png.ts";
import type { CyclicExtract } from "./cyclic.ts";
import {
  FRAME_EDGE,
  FRAMES_PER_SEQUENCE,
  readSequences,
  selectMetadata,
  SEQUENCE_VALUES,
  SPRITE_ATTRIBUTES,
} from "./dataset.ts";
import type { SequenceSource } from "./dataset.ts";
import { METADATA_FILE } from "./metadata.ts";
import type { MseSummary, Part, PreparedPart, SpriteMetadata } from "./metadata.ts";
import { preparedFiles, PREVIEW_FILE, removePreparedFiles } from "./prepared-files.ts";
import { contactSheet } from "./sheet.ts";
import type { SpriteSplit } from "./split.ts";

export interface PrepareOptions {
  readonly source: SequenceSource;
  readonly extract: CyclicExtract;
  readonly split: SpriteSplit;
  readonly license: string;
  /** An existing or new directory; the files of an earlier preparation there are replaced, anything else stays. */
  readonly directory: string;
  /** Called after each file. */
  readonly onWritten?: (file: string, sizeBytes: number) => void;
  readonly signal?: AbortSignal;
}

/** Sequences shown in preview.png. */
const PREVIEW_SEQUENCES = 12;
/** Sequences in memory at a time while a file is written. */
const CHUNK_SEQUENCES = 64;

/**
 * Writes train, validation and test arrays (uint8 [N, 8, 3, 64, 64]), their attributes (int32 [N, 6]) when known,
 * preview.png, and last metadata.json, without which the directory does not count as prepared. Each file is atomic.
 * When validation and test are the same sequences, one file serves both. Throws `exists`, before anything is removed, when
 * a file in the way is not of an earlier preparation; a failure or an abort later leaves no file of this one.
 */
export async function prepareSprites(options: PrepareOptions): Promise<SpriteMetadata> {
  const { source, extract, split, directory } = options;
  if (split.train.length === 0 || split.validation.length === 0) {
    throw new DataError(
      "not-enough",
      `prepareSprites: got ${split.train.length} training and ${split.validation.length} validation sequences of ` +
        `${source.count} with a first-last MSE below ${extract.threshold}, wanted at least one of each. ` +
        "Raise --threshold, or check the source",
    );
  }
  clearDirectory(directory);
  const written: string[] = [];
  const onWritten = (file: string, sizeBytes: number) => {
    written.push(file);
    options.onWritten?.(file, sizeBytes);
  };
  try {
    return await writeParts({ ...options, onWritten });
  } catch (error) {
    removePreparedFiles(directory, written);
    throw error;
  }
}

async function writeParts(options: PrepareOptions): Promise<SpriteMetadata> {
  const { source, extract, split, license } = options;
  const train = await writePart(options, "train");
  const test = await writePart(options, "test");
  const validation = sameRows(split.validation, split.test) ? test : await writePart(options, "validation");

  const shown = readSequences(source, split.train.subarray(0, PREVIEW_SEQUENCES));
  const sheet = encodePng(
    contactSheet(
      shown,
      Int32Array.from({ length: shown.count }, (_, row) => row),
      2,
    ),
  );
  await write(options, PREVIEW_FILE, sheet);

  const kept = new Set(extract.indices);
  const rejected = Float64Array.from(extract.mse.keys()).filter((index) => !kept.has(index));
  const metadata: SpriteMetadata = {
    format: "cleanloop-sprites",
    version: 1,
    source: source.description,
    license,
    byteScale: source.byteScale,
    threshold: extract.threshold,
    sequencesRead: source.count,
    sequencesKept: extract.indices.length,
    percentCyclic: (100 * extract.indices.length) / source.count,
    firstLastMse: { kept: summary(extract.indices, extract.mse), rejected: summary(rejected, extract.mse) },
    splitRule: split.rule,
    parts: { train, validation, test },
  };
  await write(options, METADATA_FILE, `${JSON.stringify(metadata, null, 2)}\n`);
  return metadata;
}

/** Makes the directory if need be and removes an earlier preparation from it; refuses before it touches anything. */
function clearDirectory(directory: string): void {
  const { own, foreign } = preparedFiles(directory);
  if (foreign.length > 0) {
    throw new DataError(
      "exists",
      `prepareSprites: ${directory} holds ${foreign.join(", ")}, which no metadata of an earlier preparation lists. ` +
        "Choose another directory, or move them away",
    );
  }
  try {
    mkdirSync(directory, { recursive: true });
  } catch (cause) {
    throw systemError("write to", directory, cause);
  }
  removePreparedFiles(directory, own);
}

async function writePart(options: PrepareOptions, part: Part): Promise<PreparedPart> {
  const { source, split } = options;
  const indices = split[part];
  const count = indices.length;
  const framesFile = `${part}.npy`;
  const shape = [count, FRAMES_PER_SEQUENCE, 3, FRAME_EDGE, FRAME_EDGE];
  const frames = await write(options, framesFile, npyChunks("uint8", shape, sequenceChunks(options, indices)));
  const { attributes } = selectMetadata(source, indices);
  if (attributes === null) return { count, characters: null, frames, attributes: null };
  const width = SPRITE_ATTRIBUTES.length;
  const characters = new Set(attributes.filter((_, position) => position % width === width - 1)).size;
  const attributesFile = await write(
    options,
    `${part}_attributes.npy`,
    npyChunks("int32", [count, width], [attributes]),
  );
  return { count, characters, frames, attributes: attributesFile };
}

function* sequenceChunks({ source, signal }: PrepareOptions, indices: Int32Array): Generator<Uint8Array> {
  for (let start = 0; start < indices.length; start += CHUNK_SEQUENCES) {
    signal?.throwIfAborted();
    const rows = indices.subarray(start, start + CHUNK_SEQUENCES);
    // A fresh buffer each time: the writer may still be flushing the last one.
    const chunk = new Uint8Array(rows.length * SEQUENCE_VALUES);
    rows.forEach((index, row) => source.read(index, chunk, row * SEQUENCE_VALUES));
    yield chunk;
  }
}

async function write(
  { directory, onWritten }: PrepareOptions,
  file: string,
  content: Parameters<typeof writeAtomic>[1],
) {
  const { sizeBytes, sha256 } = await writeAtomic(join(directory, file), content);
  onWritten?.(file, sizeBytes);
  return { file, sizeBytes, sha256 };
}

function summary(indices: ArrayLike<number>, mse: Float64Array): MseSummary | null {
  if (indices.length === 0) return null;
  const values = Array.from(indices, (index) => mse[index]);
  const [min, max] = values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
  return { min, mean: values.reduce((sum, value) => sum + value, 0) / values.length, max };
}

function sameRows(first: Int32Array, second: Int32Array): boolean {
  return first.length === second.length && first.every((index, row) => index === second[row]);
}
