// Where an RlVAE run stands, as its checkpoints hold it: epoch and batch, schedule, and the sums of an epoch that was cut short.
import type { JsonObject, Pointer, Run } from "@cleanloop/artifacts";
import type { TrainingSession } from "@cleanloop/compute";
import { saveCheckpoint } from "../shared/training_state.ts";
import type { EpochSums } from "./epoch_sums.ts";
import { emptySums } from "./epoch_sums.ts";
import type { PlateauState } from "./plateau_schedule.ts";

export interface BestEpoch {
  epoch: number;
  valTotal: number;
  trainTotal: number;
}

/** Everything that is not a tensor. Random numbers follow from seed, epoch and batch, so no generator state is needed. */
export interface Position {
  /** The epoch that the next step belongs to, and its number within the epoch. */
  epoch: number;
  batch: number;
  sums: EpochSums;
  schedule: PlateauState;
  best: BestEpoch | null;
}

/** Before the first step. */
export function startPosition(learningRate: number): Position {
  return { epoch: 0, batch: 0, sums: emptySums(), schedule: { learningRate, best: null, badEpochs: 0 }, best: null };
}

/** Writes a checkpoint and moves `pointers` to it; training must not go on before the promise resolves. */
export async function savePosition(
  run: Run,
  session: TrainingSession,
  position: Position,
  config: JsonObject,
  pointers: readonly Pointer[],
): Promise<void> {
  const name = `epoch-${pad(position.epoch, 4)}-batch-${pad(position.batch, 6)}`;
  await saveCheckpoint(run, session.exportState(), { name, step: position.epoch, pointers, position, config });
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}
