// Everything this package offers, by subject. FORMAT.md describes the files.

// Errors
export { ArtifactError, type ArtifactErrorCode, artifactErrorCodes, systemError } from "./errors.ts";

// Arrays
export {
  allocate,
  arrayFromBytes,
  type ArrayPattern,
  bytesOf,
  type Dtype,
  type DtypeArrays,
  type DtypeOf,
  elementCount,
  expectArray,
  itemSizeBytes,
  type NdArray,
  ndarray,
  type Shape,
  type TypedArray,
} from "./ndarray.ts";

// Array files
export { decodeNpy, encodeNpy, npyChunks, type NpyFile, openNpy, readNpy, writeNpy } from "./npy.ts";
export { decodeNpz, encodeNpz, type NpzOptions, readNpz, writeNpz } from "./npz.ts";
export {
  decodeSafetensors,
  encodeSafetensors,
  openSafetensors,
  readSafetensors,
  type Safetensors,
  safetensorsChunks,
  type SafetensorsFile,
  writeSafetensors,
} from "./safetensors.ts";

// Python's files: pickles read without running them and written, torch checkpoints read
export { parsePickle, type PickleGlobal, type PickleOptions } from "./pickle.ts";
export { numpyGlobals } from "./pickle-numpy.ts";
export { type PickleKey, type PickleValue, PyFloat, pyFloat, PyTuple, pyTuple } from "./pickle-values.ts";
export { encodePickle } from "./pickle-writer.ts";
export { decodeTorch, openTorch, type TorchFile } from "./torch.ts";
export { TorchTensor } from "./torch-tensor.ts";

// Atomic writes
export { type Chunks, writeAtomic, writeAtomicSync, type Written } from "./atomic.ts";

// Run directories
export { isPlainFileName } from "./artifact-name.ts";
export { parseRunName, runName, type RunNameParts } from "./run-name.ts";
export { createRun, type CreateRunOptions } from "./create-run.ts";
export { heartbeatIntervalMs, type Progress, type Run } from "./run.ts";
export { resumeRun } from "./resume.ts";
export { type ArtifactProblem, openRun, type RunView } from "./open-run.ts";
export {
  type ExitDetail,
  type FinalState,
  readStatus,
  type RunState,
  type RunStatus,
  staleHeartbeatMs,
} from "./status.ts";
export { type ArtifactEntry, type Pointer } from "./manifest.ts";
export { type PutOptions } from "./artifact-store.ts";
export { metricsColumns, metricsRecords, type MetricsRow, readMetrics } from "./metrics.ts";
export { decodeJson, encodeJson, type JsonObject, type JsonValue } from "./json.ts";

// Checkpoints
export {
  type Checkpoint,
  type CheckpointFile,
  type CheckpointInput,
  openCheckpoint,
  readCheckpoint,
  writeCheckpoint,
} from "./checkpoint.ts";
