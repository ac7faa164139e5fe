// Where a training run stands, as a checkpoint: weights, moments, averages, schedule, and the sums of an epoch that was cut short.
import type { JsonObject, NdArray, Pointer, Run } from "@cleanloop/artifacts";
import { expectArray, ndarray, openCheckpoint, writeCheckpoint } from "@cleanloop/artifacts";
import type { HostTensor, StateKind, TrainingSession } from "@cleanloop/compute";
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

/** What the names of the tensors of each kind begin with. */
const PREFIXES: Record<StateKind, string> = {
  params: "", firstMoment: "adam.firstMoment/", secondMoment: "adam.secondMoment/", average: "average/", carry: "carry/",
};

const COLLECT_AFTER_BYTES = 50e6;

/** Writes a checkpoint and moves `pointers` to it; training must not go on before the promise resolves. */
export async function saveCheckpoint(
  run: Run,
  session: TrainingSession,
  position: Position,
  config: JsonObject,
  pointers: readonly Pointer[],
): Promise<void> {
  const { params, firstMoment, secondMoment, average, carry, stepCount } = session.exportState();
  const name = `checkpoints/epoch-${pad(position.epoch, 4)}-batch-${pad(position.batch, 6)}.safetensors`;
  const tensors = {
    ...params,
    ...withPrefix(PREFIXES.firstMoment, firstMoment),
    ...withPrefix(PREFIXES.secondMoment, secondMoment),
    ...withPrefix(PREFIXES.average, average),
    ...withPrefix(PREFIXES.carry, carry),
  };
  const state = { ...position, stepCount, config } as unknown as JsonObject;
  await writeCheckpoint(run, name, { tensors, state }, { step: position.epoch, pointers });
}

/** Puts a checkpoint into the session and returns where it stands. Throws ArtifactError for a file that is no checkpoint. */
export function loadCheckpoint(path: string, session: TrainingSession): Position {
  using file = openCheckpoint(path);
  let readBytes = 0;
  const { stepCount, config: _config, ...position } = file.state as unknown as Position & { stepCount: number; config: unknown };
  session.importState({
    stepCount,
    read(kind, name) {
      const array = file.read(PREFIXES[kind] + name);
      readBytes += array?.data.byteLength ?? 0;
      if (readBytes > COLLECT_AFTER_BYTES) {
        Bun.gc(true); // the tensors are copied and dropped faster than the collector would come
        readBytes = 0;
      }
      return array && hostTensor(array, `${path}, ${name}`);
    },
  });
  return position;
}

/** The averaged parameters, the ones that are validated. */
export function averagedWeights(session: TrainingSession): Record<string, HostTensor> {
  const { params } = session.exportState();
  return Object.fromEntries(Object.entries(session.averagedParams).map(([name, data]) => [name, { shape: params[name].shape, data }]));
}

/** The averaged parameters as arrays that can be written. */
export function weightArrays(session: TrainingSession): Record<string, NdArray> {
  return Object.fromEntries(Object.entries(averagedWeights(session)).map(([name, { shape, data }]) => [name, ndarray(shape, data)]));
}

function hostTensor(array: NdArray, label: string): HostTensor {
  const { shape, data } = expectArray(array, { dtype: "float32" }, label);
  return { shape, data };
}

function withPrefix(prefix: string, tensors: Record<string, HostTensor>): Record<string, HostTensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]));
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}
