// A training session as a checkpoint: weights, moments, averages and carry as tensors, and where the run stands as JSON.
import type { JsonObject, NdArray, Pointer, Run } from "@cleanloop/artifacts";
import { expectArray, ndarray, openCheckpoint, writeCheckpoint } from "@cleanloop/artifacts";
import type { HostTensor, StateKind, TrainingSession, TrainingState } from "@cleanloop/compute";

/** What the names of the tensors of each kind begin with. */
const PREFIXES: Record<StateKind, string> = {
  params: "", firstMoment: "adam.firstMoment/", secondMoment: "adam.secondMoment/", average: "average/", carry: "carry/",
};
const KINDS = Object.keys(PREFIXES) as StateKind[];

const COLLECT_AFTER_BYTES = 50e6;

export interface CheckpointOptions {
  /** File name without folder and ending. */
  name: string;
  /** Epoch or gradient step that the checkpoint belongs to. */
  step: number;
  pointers: readonly Pointer[];
  /** Everything that is not a tensor, for {@link loadCheckpoint}. */
  position: object;
  /** The flags, for whoever finds the file alone. */
  config: JsonObject;
}

/** Writes a checkpoint and moves the pointers to it; the tensors must not change before the promise resolves. */
export async function saveCheckpoint(run: Run, state: TrainingState, options: CheckpointOptions): Promise<void> {
  const { name, step, pointers, position, config } = options;
  const named = KINDS.flatMap((kind) => Object.entries(state[kind]).map(([tensor, value]) => [PREFIXES[kind] + tensor, value] as const));
  const json = { ...position, stepCount: state.stepCount, config } as unknown as JsonObject;
  await writeCheckpoint(run, `checkpoints/${name}.safetensors`, { tensors: Object.fromEntries(named), state: json }, { step, pointers });
}

/** Puts a checkpoint into the session and returns where it stands. Throws ArtifactError for a file that is no checkpoint. */
export function loadCheckpoint<Position>(path: string, session: TrainingSession): Position {
  using file = openCheckpoint(path);
  let readBytes = 0;
  const { stepCount, config: _config, ...position } = file.state;
  session.importState({
    stepCount: stepCount as number,
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
  return position as Position;
}

/** A copy that stays as it is while training goes on. */
export function copiedState(state: TrainingState): TrainingState {
  const copied = (tensors: Record<string, HostTensor>) =>
    Object.fromEntries(Object.entries(tensors).map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]));
  const kinds = KINDS.map((kind) => [kind, copied(state[kind])] as const);
  return { ...(Object.fromEntries(kinds) as Record<StateKind, Record<string, HostTensor>>), stepCount: state.stepCount };
}

/** The averaged parameters, which are the live ones where no average is kept. */
export function averagedWeights(session: TrainingSession): Record<string, HostTensor> {
  const { params } = session.exportState();
  return Object.fromEntries(Object.entries(session.averagedParams).map(([name, data]) => [name, { shape: params[name].shape, data }]));
}

/** Tensors as arrays that can be written. */
export function arraysOf(tensors: Readonly<Record<string, HostTensor>>): Record<string, NdArray> {
  return Object.fromEntries(Object.entries(tensors).map(([name, { shape, data }]) => [name, ndarray(shape, data)]));
}

function hostTensor(array: NdArray, label: string): HostTensor {
  const { shape, data } = expectArray(array, { dtype: "float32" }, label);
  return { shape, data };
}
