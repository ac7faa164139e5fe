// The cyclic part of a data set: sequences whose last frame is their first.

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

/** Finds the sequences whose mean squared difference between frame 0 and frame 7 is below `threshold` (1e-4). */
export function extractCyclic(source: SequenceSource, threshold = 1e-4): CyclicExtract {
  const sequence = new Uint8Array(SEQUENCE_VALUES);
  const mse = Float64Array.from({ length: source.count }, (_, index) => {
    source.read(index, sequence, 0);
    return sequenceFirstLastMse(sequence, 0, source.byteScale);
  });
  const indices = Int32Array.from(mse.keys()).filter((index) => mse[index] < threshold);
  return { indices, mse, threshold };
}
