// The session that trains compiled: one ONNX program per step, run in the compute thread on bound buffers.
import type { Region } from "../memory.ts";
import { adamSettings } from "../optimizer/adam.ts";
import { loadCApi } from "../ort/c-api.ts";
import type { Program } from "../trace/ir.ts";
import { toOnnx } from "../trace/lower.ts";
import { optimize } from "../trace/rewrite.ts";
import { ComputeClient } from "../worker/client.ts";
import type { BindingPlan, SharedBinding, StreamPlan } from "../worker/protocol.ts";
import { BaseSession, type SessionParts } from "./base-session.ts";
import { checkInputs } from "./checks.ts";
import { compileEvaluator } from "./evaluator.ts";
import { gradientName, LOSS, metricName, traceGradients } from "./gradient-graph.ts";
import { floatViews, inputViews, layOut, type TrainingLayout } from "./layout.ts";
import { SessionState } from "./state.ts";
import { streamLargeGradients, type StreamedGradient } from "./streamed-gradients.ts";
import type {
  CompileOptions, Evaluator, SessionStats, StepResult, TensorFunction, TensorSpec, TrainingOptions,
} from "./types.ts";

const STEP_PROGRAM = 0;

/** Traces, compiles and opens the step. Throws TraceError, ComputeError. */
export async function createCompiledSession(options: TrainingOptions): Promise<CompiledSession> {
  const { inputs, averaging, threads = 1, binding = "auto", profilePrefix } = options;
  const shapes = specsOf(options.params); // the session keeps shapes, not a second copy of the parameters
  const started = performance.now();
  const { program: traced, trainable, metrics } = traceGradients(options.loss, shapes, inputs);
  const whole = optimize(traced);
  const canStream = binding !== "package" && loadCApi() !== null;
  const { program, streamed } = canStream ? streamLargeGradients(whole, trainable) : { program: whole, streamed: [] };
  const tracedAt = performance.now();

  const scalars = [LOSS, ...metrics.map(metricName), ...streamed.map(({ squaredNorm }) => squaredNorm)];
  const layout = layOut({
    params: options.params, trainable, inputs, scalars, streamed, threads, averaged: averaging !== undefined,
  });
  const client = new ComputeClient();
  try {
    const { binding: usedBinding, version } = await client.start({
      memory: layout.memory, threads, binding, profilePrefix,
      optimizer: {
        vectors: layout.vectors,
        settings: adamSettings(options.optimizer),
        streams: streamed.map((stream) => streamPlan(layout, stream)),
        scratch: layout.scratch.map(({ byteOffset }) => byteOffset),
      },
    });
    const plans = layout.inputs.map((stage) => stepBindings(layout, stage, shapes, inputs, program));
    await client.ask({ kind: "open", program: STEP_PROGRAM, model: toOnnx(program, { name: "training_step" }), plans });
    const state = new SessionState(layout, shapes);
    const staging = layout.inputs.map((stage) => inputViews(layout.memory, stage, inputs));
    const stats: SessionStats = {
      engine: "onnx", device: "cpu", threads, binding: usedBinding, version,
      traceMs: tracedAt - started, compileMs: performance.now() - tracedAt,
      nodes: program.nodes.length, parameters: state.parameterCount,
    };
    return new CompiledSession({ state, staging, averaging }, client, layout, shapes, metrics, stats);
  } catch (error) {
    client.terminate();
    throw error;
  }
}

class CompiledSession extends BaseSession {
  private readonly scalars: Record<string, Float32Array>;
  private nextProgram = STEP_PROGRAM + 1;

  constructor(
    parts: SessionParts,
    private readonly client: ComputeClient,
    private readonly layout: TrainingLayout,
    private readonly shapes: Record<string, TensorSpec>,
    private readonly metrics: readonly string[],
    readonly stats: SessionStats,
  ) {
    super(parts);
    this.scalars = floatViews(layout.memory, layout.scalars);
  }

  async compile(fn: TensorFunction, inputs: Record<string, TensorSpec>, { weights = "live" }: CompileOptions = {}): Promise<Evaluator> {
    const { layout, shapes } = this;
    const regions = { ...(weights === "live" ? layout.parameters : layout.averages), ...layout.frozen };
    const evaluate = await compileEvaluator(this.client, this.nextProgram++, fn, {
      paramSpecs: shapes, inputs,
      bindParam: (name) => floatBinding(layout, regions[name], name, shapes[name].shape),
    });
    return async (arrays) => {
      checkInputs("evaluate", inputs, arrays);
      return evaluate(arrays);
    };
  }

  close(): Promise<void> {
    return this.client.close();
  }

  protected async runStep(stage: number, learningRate: number): Promise<StepResult> {
    const { gradNorm, updated } = await this.client.step({
      program: STEP_PROGRAM, plan: stage, learningRate,
      stepCount: this.state.stepCount + 1,
      averagingWeight: this.nextAveragingWeight(),
      loss: this.layout.scalars[LOSS].byteOffset,
    });
    const metrics = Object.fromEntries(this.metrics.map((name) => [name, this.scalars[metricName(name)][0]]));
    return { loss: this.scalars[LOSS][0], gradNorm, updated, metrics };
  }
}

const specsOf = (tensors: Record<string, { shape: readonly number[] }>): Record<string, TensorSpec> =>
  Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, { shape }]));

const floatBinding = (layout: TrainingLayout, region: Region, name: string, shape: readonly number[]): SharedBinding => ({
  name, dtype: "float32", shape, buffer: layout.memory.buffer as unknown as SharedArrayBuffer, byteOffset: region.byteOffset,
});

const streamPlan = (layout: TrainingLayout, { parameter, left, right, squaredNorm, ...block }: StreamedGradient): StreamPlan => ({
  ...block,
  left: floatBinding(layout, layout.factors[left.name], left.name, left.shape),
  right: floatBinding(layout, layout.factors[right.name], right.name, right.shape),
  rows: left.shape[1],
  columns: right.shape[1],
  offset: (layout.parameters[parameter].byteOffset - layout.vectors.parameters) / 4,
  squaredNorm: layout.scalars[squaredNorm].byteOffset,
});

function stepBindings(
  layout: TrainingLayout,
  stage: Record<string, Region>,
  shapes: Record<string, TensorSpec>,
  inputs: TrainingOptions["inputs"],
  program: Program,
): BindingPlan {
  const parameters = { ...layout.parameters, ...layout.frozen };
  const gradients = Object.entries(layout.gradients).map(([name, region]) => [gradientName(name), region]);
  const places: Record<string, Region> = { ...Object.fromEntries(gradients), ...layout.scalars, ...layout.factors };
  const bindings = [
    ...Object.keys(shapes).map((name) => floatBinding(layout, parameters[name], name, shapes[name].shape)),
    ...Object.entries(inputs).map(([name, { shape, dtype = "float32" }]) => ({
      ...floatBinding(layout, stage[name], name, shape), dtype,
    })),
  ];
  return {
    inputs: bindings.filter(({ name }) => program.inputs.has(name)),
    outputs: [...program.outputs].map(([name, { shape }]) => floatBinding(layout, places[name], name, shape)),
  };
}
