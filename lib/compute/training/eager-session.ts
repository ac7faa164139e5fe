// The same training session run eagerly by a tfjs backend: the reference that the compiled engine is held against.
import * as tf from "@tensorflow/tfjs-core";
import type { ResolvedDevice } from "../device.ts";
import { openEngine } from "../engines/index.ts";
import { adamScalars, adamSettings, loadAdamKernel, type AdamKernel, type AdamSettings, type AdamVectors } from "../optimizer/adam.ts";
import { BaseSession, type SessionParts } from "./base-session.ts";
import { checkInputs } from "./checks.ts";
import { lossAndGradients, nothingToTrain } from "./gradient-graph.ts";
import { inputViews, layOut, type TrainingLayout } from "./layout.ts";
import { SessionState } from "./state.ts";
import type {
  CompileOptions, Evaluator, HostTensor, InputArray, LossFunction, SessionStats, StepResult, TensorFunction, TensorSpec, TrainingOptions,
  TrainingSession, Tree,
} from "./types.ts";

/** Opens the backend and keeps parameters, moments and gradients in the same layout as the compiled session. */
export async function createEagerSession(options: TrainingOptions, { device }: ResolvedDevice): Promise<TrainingSession> {
  const { params, inputs, averaging } = options;
  const started = performance.now();
  const { backend } = await openEngine("tfjs", device);
  const trainable = findTrainable(options);
  const layout = layOut({ params, trainable, inputs, scalars: [], averaged: averaging !== undefined, streamed: [], threads: 1 });
  const kernel = await loadAdamKernel(layout.memory);
  const state = new SessionState(layout, params);
  const staging = layout.inputs.map((stage) => inputViews(layout.memory, stage, inputs));
  const shapes = mapValues(params, ({ shape }) => ({ shape }));
  const stats: SessionStats = {
    engine: "tfjs", device, threads: 1, binding: backend, version: tf.version_core,
    traceMs: 0, compileMs: performance.now() - started, nodes: 0, parameters: state.parameterCount,
  };
  return new EagerSession({ state, staging, averaging }, options, kernel, { layout, trainable, shapes }, stats);
}

class EagerSession extends BaseSession {
  private readonly settings: AdamSettings;
  private readonly staging: Record<string, InputArray>[];
  private readonly trainable: readonly string[];
  private readonly shapes: Record<string, TensorSpec>;
  private readonly vectors: AdamVectors;
  private readonly loss: LossFunction;
  private readonly inputSpecs: Record<string, TensorSpec>;

  constructor(
    parts: SessionParts,
    { loss, inputs, optimizer }: TrainingOptions,
    private readonly kernel: AdamKernel,
    { layout, trainable, shapes }: { layout: TrainingLayout; trainable: readonly string[]; shapes: Record<string, TensorSpec> },
    readonly stats: SessionStats,
  ) {
    super(parts);
    this.staging = parts.staging;
    this.trainable = trainable;
    this.shapes = shapes;
    this.vectors = layout.vectors;
    this.loss = loss;
    this.inputSpecs = inputs;
    this.settings = adamSettings(optimizer);
  }

  async compile(fn: TensorFunction, specs: Record<string, TensorSpec>, { weights = "live" }: CompileOptions = {}): Promise<Evaluator> {
    const values = weights === "live" ? this.params : this.averagedParams;
    return async (arrays) => {
      checkInputs("evaluate", specs, arrays);
      return withScope(() =>
        mapValues(fn(toTensors(values, this.shapes), toTensors(arrays, specs)), (tensor) => Float32Array.from(tensor.dataSync())),
      );
    };
  }

  async close(): Promise<void> {}

  protected async runStep(stage: number, learningRate: number): Promise<StepResult> {
    const { kernel, vectors, state } = this;
    const { loss, metrics } = withScope(() => {
      const inputs = toTensors(this.staging[stage], this.inputSpecs);
      const result = lossAndGradients(this.loss, toTensors(this.params, this.shapes), inputs);
      for (const name of this.trainable) state.gradients[name].set(result.gradients[name]!.dataSync() as Float32Array);
      const scalars = mapValues(result.metrics, scalarOf);
      tf.dispose(result.metrics); // lossAndGradients keeps them beyond every scope
      return { loss: scalarOf(result.loss), metrics: scalars };
    });
    const gradNorm = Math.sqrt(kernel.squaredNorm(vectors, 0, vectors.length));
    const updated = Number.isFinite(loss) && Number.isFinite(gradNorm);
    if (updated) {
      kernel.update(vectors, 0, vectors.length, adamScalars(this.settings, learningRate, state.stepCount + 1, gradNorm));
      const weight = this.nextAveragingWeight();
      if (weight > 0) kernel.average(vectors, 0, vectors.length, weight);
    }
    await Bun.sleep(0); // lets progress, signals and the tracker have their turn between steps
    return { loss, gradNorm, updated, metrics };
  }
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
    if (trainable.length === 0) throw nothingToTrain();
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
