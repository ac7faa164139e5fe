// Where an ALLO run stands, as its checkpoints hold it: steps done, and the random numbers of the batch that comes next.
import type { JsonObject, Run } from "@cleanloop/artifacts";
import type { TrainingState } from "@cleanloop/compute";
import type { RandomState } from "@cleanloop/data";
import { saveCheckpoint } from "../shared/training_state.ts";

export interface Position {
  /** Steps done, also those that changed nothing because they were not finite. */
  step: number;
  nonFiniteSteps: number;
  /** State of the batches' random numbers before the batch of step `step`. */
  batches: RandomState;
}

/** Writes a checkpoint that replaces the one before it; the state must not change before the promise resolves. */
export async function savePosition(run: Run, state: TrainingState, position: Position, config: JsonObject): Promise<void> {
  const name = `step-${String(position.step).padStart(8, "0")}`;
  await saveCheckpoint(run, state, { name, step: position.step, pointers: ["last"], position, config });
}
