// A checkpoint: one safetensors file with every tensor, and everything that is not a tensor as JSON in its metadata.
import type { PutOptions } from "./artifact-store.ts";
import { ArtifactError } from "./errors.ts";
import { decodeJson, encodeJson, type JsonObject } from "./json.ts";
import type { ArtifactEntry } from "./manifest.ts";
import { type NdArray, ndarray, type Shape, type TypedArray } from "./ndarray.ts";
import type { Run } from "./run.ts";
import { openSafetensors, readSafetensors, safetensorsChunks } from "./safetensors.ts";

/** The value of the metadata key `format`, which tells a checkpoint from other safetensors files. */
const checkpointFormat = "cleanloop-checkpoint-1";

export interface Checkpoint {
  tensors: Record<string, NdArray>;
  /** Step, epoch, config, random state: JSON values; non-finite numbers survive, exact bits belong into tensors. */
  state: JsonObject;
}

/** What can be saved: arrays, or shape and data, whose dtype follows from the typed array. */
export interface CheckpointInput {
  tensors: Readonly<Record<string, NdArray | { shape: Shape; data: TypedArray }>>;
  state: JsonObject;
}

/**
 * Writes a checkpoint as an artifact, without a second copy of the tensors in memory. With `pointers`, `best` or `last`
 * move to it in the same instant and the files they leave are removed.
 */
export async function writeCheckpoint(
  run: Run,
  name: string,
  checkpoint: CheckpointInput,
  options: PutOptions & { kind?: string } = {},
): Promise<ArtifactEntry> {
  const { kind = "checkpoint", ...put } = options;
  const metadata = { format: checkpointFormat, state: encodeJson(checkpoint.state) };
  return run.writeArtifact(name, kind, safetensorsChunks(toArrays(checkpoint.tensors), metadata), put);
}

function toArrays(tensors: CheckpointInput["tensors"]): Record<string, NdArray> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => {
      return [name, "dtype" in tensor ? tensor : ndarray(tensor.shape, tensor.data)];
    }),
  );
}

/** Reads a checkpoint; throws `not-this-format` for a safetensors file that is none, and the errors of the format. */
export function readCheckpoint(path: string): Checkpoint {
  const { tensors, metadata } = readSafetensors(path);
  return { tensors: Object.fromEntries(tensors), state: stateOf(path, metadata) };
}

/** A checkpoint whose tensors are read one by one. */
export interface CheckpointFile extends Disposable {
  readonly state: JsonObject;
  /** Undefined where there is no such tensor. */
  read(name: string): NdArray | undefined;
  close(): void;
}

/** Opens a checkpoint without reading its tensors; throws as readCheckpoint. */
export function openCheckpoint(path: string): CheckpointFile {
  const file = openSafetensors(path);
  try {
    const state = stateOf(path, file.metadata);
    const close = () => file.close();
    return { state, read: (name) => (file.tensors.has(name) ? file.read(name) : undefined), close, [Symbol.dispose]: close };
  } catch (error) {
    file.close();
    throw error;
  }
}

function stateOf(path: string, metadata: Readonly<Record<string, string>>): JsonObject {
  if (metadata.format !== checkpointFormat || metadata.state === undefined) {
    throw new ArtifactError(
      "not-this-format",
      `${path} is a safetensors file without "format": "${checkpointFormat}", so it is no checkpoint. Use readSafetensors.`,
    );
  }
  return decodeJson(metadata.state) as JsonObject;
}
