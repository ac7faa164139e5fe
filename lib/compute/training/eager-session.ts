// The same training session run eagerly by a tfjs backend: the reference that the compiled engine is held against.
import * as tf from "@tensorflow/tfjs-core";
import { DeviceError, type ResolvedDevice } from "../device.ts";
import { openEngine } from "../engines/index.ts";
import { averagingWeight } from "../optimizer/averaging.ts";
import { adamScalars, adamSettings, loadAdamKernel } from "../optimizer/adam.ts";
import { checkInputs, checkState } from "./checks.ts";
import { lossAndGradients } from "./gradient-graph.ts";
import { inputViews, layOut } from "./layout.ts";
import { SessionState } from "./state.ts";
import type { HostTensor, InputArray, TensorSpec, TrainingOptions, TrainingSession, Tree } from "./types.ts";

/** Opens the backend and keeps parameters, moments and gradients in the same layout as the compiled session. */
export async function createEagerSession(options: TrainingOptions, { device }: ResolvedDevice): Promise<TrainingSession> {
  const { params, inputs, averaging } = options;
  const started = performance.now();
  const { backend } = await openEngine("tfjs", device);
  const trainable = findTrainable(options);
  const layout = layOut({ params, trainable, inputs, scalars: [], averaged: averaging !== undefined, streamed: [], threads: 1 });
  const kernel = await loadAdamKernel(layout.memory);
  const settings = adamSettings(options.optimizer);
  const state = new SessionState(layout, params);
  const staging = layout.inputs.map((stage) => inputViews(layout.memory, stage, inputs));
  let stage = 0;
  let inFlight = false;

  const paramTensors = (values: Record<string, Float32Array>): Tree =>
    Object.fromEntries(Object.entries(params).map(([name, { shape }]) => [name, toTensor(values[name], shape)]));

  return {
    get inputs() {
      return staging[stage];
    },
    get params() {
      return state.params;
    },
    get averagedParams() {
      return state.averagedParams;
    },
    get stepCount() {
      return state.stepCount;
    },
    stats: {
      engine: "tfjs", device, threads: 1, binding: backend, version: tf.version_core,
      traceMs: 0, compileMs: performance.now() - started, nodes: 0, parameters: state.parameterCount,
    },
    async step({ learningRate }) {
      if (inFlight) throw new Error("step: the previous step is still running; await it first");
      inFlight = true;
      const current = staging[stage];
      stage = 1 - stage;
      try {
        const { loss, metrics } = withScope(() => {
          const result = lossAndGradients(options.loss, paramTensors(state.params), toTensors(current, inputs));
          for (const name of trainable) state.gradients[name].set(result.gradients[name]!.dataSync() as Float32Array);
          const scalars = mapValues(result.metrics, scalarOf);
          tf.dispose(result.metrics); // lossAndGradients keeps them beyond every scope
          return { loss: scalarOf(result.loss), metrics: scalars };
        });
        const gradNorm = Math.sqrt(kernel.squaredNorm(layout.vectors, 0, layout.vectors.length));
        const updated = Number.isFinite(loss) && Number.isFinite(gradNorm);
        if (updated) {
          state.stepCount++;
          kernel.update(layout.vectors, 0, layout.vectors.length, adamScalars(settings, learningRate, state.stepCount, gradNorm));
          const weight = averaging ? averagingWeight(averaging, state.stepCount) : 0;
          if (weight > 0) kernel.average(layout.vectors, 0, layout.vectors.length, weight);
        }
        await Bun.sleep(0); // lets progress, signals and the tracker have their turn between steps
        return { loss, gradNorm, updated, metrics };
      } finally {
        inFlight = false;
      }
    },
    async compile(fn, specs, { weights = "live" } = {}) {
      const values = weights === "live" ? state.params : state.averagedParams;
      return async (arrays) => {
        checkInputs("evaluate", specs, arrays);
        return withScope(() =>
          mapValues(fn(paramTensors(values), toTensors(arrays, specs)), (tensor) => Float32Array.from(tensor.dataSync())),
        );
      };
    },
    exportState: () => state.export(),
    importState(saved) {
      checkState(saved, params, trainable, averaging !== undefined);
      state.import(saved);
    },
    close: async () => {},
  };
}

/** One evaluation on zeros tells which parameters the loss reads. */
function findTrainable({ loss, params, inputs }: TrainingOptions): string[] {
  return withScope(() => {
    const zeros = (specs: Record<string, TensorSpec>): Tree =>
      mapValues(specs, ({ shape, dtype = "float32" }) => tf.zeros([...shape], dtype));
    const values: Tree = mapValues(params, ({ data, shape }: HostTensor) => toTensor(data, shape));
    const { gradients, metrics } = lossAndGradients(loss, values, zeros(inputs));
    tf.dispose(metrics);
    const trainable = Object.keys(params).filter((name) => gradients[name]);
    if (trainable.length === 0) throw new DeviceError("mismatch", "createTrainingSession: the loss depends on none of the parameters");
    return trainable;
  });
}

/** Frees every tensor made inside and not kept. */
function withScope<T>(work: () => T): T {
  const engine = tf.engine();
  engine.startScope();
  try {
    return work();
  } finally {
    engine.endScope();
  }
}

// Shared memory is copied: tfjs backends hold on to the arrays they are given.
const toTensor = (data: InputArray, shape: readonly number[]): tf.Tensor =>
  tf.tensor(data.slice(), [...shape], data instanceof Int32Array ? "int32" : "float32");

const toTensors = (arrays: Record<string, InputArray>, specs: Record<string, TensorSpec>): Tree =>
  mapValues(specs, ({ shape }, name) => toTensor(arrays[name], shape));

const scalarOf = (tensor: tf.Tensor): number => tensor.dataSync()[0];

const mapValues = <A, B>(record: Record<string, A>, map: (value: A, name: string) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]));
