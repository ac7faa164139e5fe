// The same training session run eagerly by a tfjs backend: the reference that the compiled engine is held against.
import * as tf from "@tensorflow/tfjs-core";
import type { ResolvedDevice } from "../device.ts";
import { openEngine } from "../engines/index.ts";
import { adamScalars, adamSettings, loadAdamKernel, type AdamKernel, type AdamSettings, type AdamVectors } from "../optimizer/adam.ts";
import { averagingWeight, type AveragingOptions } from "../optimizer/averaging.ts";
import { BaseSession, type SessionParts } from "./base-session.ts";
import { checkInputs } from "./checks.ts";
import { checkCarry, lossAndGradients, nothingToTrain } from "./gradient-graph.ts";
import { inputViews, layOut, type TrainingLayout } from "./layout.ts";
import { SessionState } from "./state.ts";
import type {
  CompileOptions, Evaluator, HostTensor, InputArray, LossFunction, SessionStats, StepResult, TensorFunction, TensorSpec, TrainingOptions,
  TrainingSession, Tree,
} from "./types.ts";

/** Opens the backend and keeps parameters, moments and gradients in the same layout as the compiled session. */
export async function createEagerSession(options: TrainingOptions, { device }: ResolvedDevice): Promise<TrainingSession> {
  const { params, inputs, carry = {}, stepsPerCall = 1, averaging } = options;
  const started = performance.now();
  const { backend } = await openEngine("tfjs", device);
  const trainable = findTrainable(options);
  const layout = layOut({
    params, trainable, inputs, carry, stepsPerCall, scalars: [], averaged: averaging !== undefined, streamed: [], threads: 1,
  });
  const kernel = await loadAdamKernel(layout.memory);
  const shapes = mapValues(params, ({ shape }) => ({ shape }));
  const carryShapes = mapValues(carry, ({ shape }) => ({ shape }));
  const state = new SessionState(layout, shapes, carryShapes);
  const [first, second] = layout.stages.map((steps) => steps.map((staged) => inputViews(layout.memory, staged.inputs, inputs)));
  const stats: SessionStats = {
    engine: "tfjs", device, threads: 1, binding: backend, version: tf.version_core,
    traceMs: 0, compileMs: performance.now() - started, nodes: 0, parameters: state.parameterCount,
  };
  return new EagerSession({ state, staging: [first, second] }, options, kernel, { layout, trainable, shapes, carryShapes }, stats);
}

interface EagerLayout {
  layout: TrainingLayout;
  trainable: readonly string[];
  shapes: Record<string, TensorSpec>;
  carryShapes: Record<string, TensorSpec>;
}

class EagerSession extends BaseSession {
  private readonly settings: AdamSettings;
  private readonly staging: SessionParts["staging"];
  private readonly averaging: AveragingOptions | undefined;
  private readonly trainable: readonly string[];
  private readonly shapes: Record<string, TensorSpec>;
  private readonly carryShapes: Record<string, TensorSpec>;
  private readonly vectors: AdamVectors;
  private readonly loss: LossFunction;
  private readonly inputSpecs: Record<string, TensorSpec>;

  constructor(
    parts: SessionParts,
    { loss, inputs, optimizer, averaging }: TrainingOptions,
    private readonly kernel: AdamKernel,
    { layout, trainable, shapes, carryShapes }: EagerLayout,
    readonly stats: SessionStats,
  ) {
    super(parts);
    this.staging = parts.staging;
    this.trainable = trainable;
    this.shapes = shapes;
    this.carryShapes = carryShapes;
    this.averaging = averaging;
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

  protected async runSteps(stage: number, learningRates: readonly number[]): Promise<StepResult[]> {
    const results: StepResult[] = [];
    let { stepCount } = this.state;
    for (const [index, learningRate] of learningRates.entries()) {
      const result = this.runStep(this.staging[stage][index], learningRate, stepCount + 1);
      if (result.updated) stepCount++;
      results.push(result);
      await Bun.sleep(0); // lets progress, signals and the tracker have their turn between steps
    }
    return results;
  }

  private runStep(staged: Record<string, InputArray>, learningRate: number, stepCount: number): StepResult {
    const { kernel, vectors, state } = this;
    const { loss, metrics, carry } = withScope(() => {
      const inputs = toTensors(staged, this.inputSpecs);
      const result = lossAndGradients(this.loss, toTensors(this.params, this.shapes), inputs, toTensors(this.carry, this.carryShapes));
      for (const name of this.trainable) state.gradients[name].set(result.gradients[name]!.dataSync() as Float32Array);
      const scalars = mapValues(result.metrics, scalarOf);
      const nextCarry = mapValues(result.carry, (tensor) => tensor.dataSync() as Float32Array);
      tf.dispose([result.metrics, result.carry]); // lossAndGradients keeps them beyond every scope
      return { loss: scalarOf(result.loss), metrics: scalars, carry: nextCarry };
    });
    const gradNorm = Math.sqrt(kernel.squaredNorm(vectors, 0, vectors.length));
    const updated = Number.isFinite(loss) && Number.isFinite(gradNorm);
    if (updated) {
      kernel.update(vectors, 0, vectors.length, adamScalars(this.settings, learningRate, stepCount, gradNorm));
      const weight = this.averaging ? averagingWeight(this.averaging, stepCount) : 0;
      if (weight > 0) kernel.average(vectors, 0, vectors.length, weight);
      for (const [name, values] of Object.entries(carry)) this.carry[name].set(values);
    }
    return { loss, gradNorm, updated, metrics };
  }
}

/** One evaluation on zeros tells which parameters the loss reads. */
function findTrainable({ loss, params, inputs, carry = {} }: TrainingOptions): string[] {
  return withScope(() => {
    const zeros = (specs: Record<string, TensorSpec>): Tree =>
      mapValues(specs, ({ shape, dtype = "float32" }) => tf.zeros([...shape], dtype));
    const values: Tree = mapValues(params, ({ data, shape }: HostTensor) => toTensor(data, shape));
    const carried = mapValues(carry, ({ data, shape }: HostTensor) => toTensor(data, shape));
    const { gradients, metrics, carry: next } = lossAndGradients(loss, values, zeros(inputs), carried);
    checkCarry(next, carry);
    tf.dispose([metrics, next]);
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
