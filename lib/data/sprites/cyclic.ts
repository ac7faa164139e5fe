// The cyclic part of a data set: sequences whose last frame is their first.

import { setImmediate } from "node:timers/promises";
import { SEQUENCE_VALUES, sequenceFirstLastMse } from "./dataset.ts";
import type { SequenceSource } from "./dataset.ts";

/** Which sequences close, and how far each is from closing. */
export interface CyclicExtract {
  /** Sequences with a first-last MSE below the threshold, in the order of the source. */
  readonly indices: Int32Array;
  /** [source.count] mean squared difference of frames 0 and 7, in value units. */
  readonly mse: Float64Array;
  readonly threshold: number;
}

export interface ExtractOptions {
  /** Called now and then with the number of sequences looked at. */
  onProgress?: (sequencesDone: number) => void;
  signal?: AbortSignal;
}

/** Sequences looked at before other work gets its turn. */
const TURN_SEQUENCES = 64;

/** Finds the sequences whose mean squared difference between frame 0 and frame 7 is below `threshold` (1e-4). */
export async function extractCyclic(
  source: SequenceSource,
  threshold = 1e-4,
  { onProgress, signal }: ExtractOptions = {},
): Promise<CyclicExtract> {
  const sequence = new Uint8Array(SEQUENCE_VALUES);
  const mse = new Float64Array(source.count);
  for (let index = 0; index < source.count; index++) {
    source.read(index, sequence, 0);
    mse[index] = sequenceFirstLastMse(sequence, 0, source.byteScale);
    if ((index + 1) % TURN_SEQUENCES !== 0) continue;
    onProgress?.(index + 1);
    await setImmediate();
    signal?.throwIfAborted();
  }
  const indices = Int32Array.from(mse.keys()).filter((index) => mse[index] < threshold);
  return { indices, mse, threshold };
}
