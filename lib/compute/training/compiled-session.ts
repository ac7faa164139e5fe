// The session that trains compiled: one ONNX program per step, run in the compute thread on bound buffers.
import type { Region } from "../memory.ts";
import { adamSettings } from "../optimizer/adam.ts";
import { loadCApi } from "../ort/c-api.ts";
import type { Program } from "../trace/ir.ts";
import { toOnnx } from "../trace/lower.ts";
import { optimize } from "../trace/rewrite.ts";
import { ComputeClient } from "../worker/client.ts";
import type { BindingPlan, CarryMove, SharedBinding, StreamPlan } from "../worker/protocol.ts";
import { BaseSession, type SessionParts } from "./base-session.ts";
import { checkInputs } from "./checks.ts";
import { compileEvaluator } from "./evaluator.ts";
import { withFlatOutputs } from "./flat-outputs.ts";
import { carryName, gradientName, LOSS, metricName, nextCarryName, traceGradients } from "./gradient-graph.ts";
import { floatViews, inputViews, layOut, type StagedStep, type TrainingLayout } from "./layout.ts";
import { SessionState } from "./state.ts";
import { streamLargeGradients, type StreamedGradient } from "./streamed-gradients.ts";
import type {
  CompileOptions, Evaluator, SessionStats, StepResult, TensorFunction, TensorSpec, TrainingOptions,
} from "./types.ts";

const STEP_PROGRAM = 0;

/** Traces, compiles and opens the step. Throws TraceError, ComputeError. */
export async function createCompiledSession(options: TrainingOptions): Promise<CompiledSession> {
  const { inputs, carry = {}, averaging, stepsPerCall = 1, threads = 1, binding = "auto", profilePrefix } = options;
  const shapes = specsOf(options.params); // the session keeps shapes, not a second copy of the parameters
  const started = performance.now();
  const carryShapes = specsOf(carry);
  const { program: traced, trainable, metrics, carried } = traceGradients(options.loss, { params: shapes, inputs, carry: carryShapes });
  const whole = withFlatOutputs(optimize(traced));
  const canStream = binding !== "package" && loadCApi() !== null;
  const { program, streamed } = canStream ? streamLargeGradients(whole, trainable) : { program: whole, streamed: [] };
  const tracedAt = performance.now();

  const layout = layOut({
    params: options.params, trainable, inputs, carry, stepsPerCall, streamed, threads,
    scalars: [LOSS, ...metrics.map(metricName)], averaged: averaging !== undefined,
  });
  const client = new ComputeClient();
  try {
    const { binding: usedBinding, version } = await client.start({
      memory: layout.memory, threads, binding, profilePrefix,
      optimizer: {
        vectors: layout.vectors,
        settings: adamSettings(options.optimizer),
        averaging,
        streams: streamed.map((stream) => streamPlan(layout, stream)),
        scratch: layout.scratch.map(({ byteOffset }) => byteOffset),
      },
    });
    const bound: BoundSpecs = { params: shapes, inputs, carry: carryShapes };
    const plans = layout.stages.flat().map((staged) => stepBindings(layout, staged, bound, program));
    await client.ask({ kind: "open", program: STEP_PROGRAM, model: toOnnx(program, { name: "training_step" }), plans });
    const state = new SessionState(layout, shapes, carryShapes);
    const [first, second] = layout.stages.map((steps) => steps.map((staged) => inputViews(layout.memory, staged.inputs, inputs)));
    const stats: SessionStats = {
      engine: "onnx", device: "cpu", threads, binding: usedBinding, version,
      traceMs: tracedAt - started, compileMs: performance.now() - tracedAt,
      nodes: program.nodes.length, parameters: state.parameterCount,
    };
    return new CompiledSession({ state, staging: [first, second] }, client, layout, shapes, { metrics, carried }, stats);
  } catch (error) {
    client.terminate();
    throw error;
  }
}

class CompiledSession extends BaseSession {
  private readonly scalars: Record<string, Float32Array>[][];
  private readonly carries: CarryMove[];
  private nextProgram = STEP_PROGRAM + 1;

  constructor(
    parts: SessionParts,
    private readonly client: ComputeClient,
    private readonly layout: TrainingLayout,
    private readonly shapes: Record<string, TensorSpec>,
    private readonly reported: { metrics: readonly string[]; carried: readonly string[] },
    readonly stats: SessionStats,
  ) {
    super(parts);
    this.scalars = layout.stages.map((steps) => steps.map(({ scalars }) => floatViews(layout.memory, scalars)));
    this.carries = reported.carried.map((name) => ({
      from: layout.nextCarry[name].byteOffset, to: layout.carry[name].byteOffset, length: layout.carry[name].length,
    }));
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

  protected async runSteps(stage: number, learningRates: readonly number[]): Promise<StepResult[]> {
    const { layout, carries } = this;
    const { outcomes } = await this.client.step({
      program: STEP_PROGRAM,
      firstPlan: stage * layout.stages[stage].length,
      learningRates,
      losses: learningRates.map((_, index) => layout.stages[stage][index].scalars[LOSS].byteOffset),
      carries,
      stepCount: this.state.stepCount,
    });
    return outcomes.map(({ gradNorm, updated }, index) => {
      const scalars = this.scalars[stage][index];
      const metrics = Object.fromEntries(this.reported.metrics.map((name) => [name, scalars[metricName(name)][0]]));
      return { loss: scalars[LOSS][0], gradNorm, updated, metrics };
    });
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
  squaredNorm: layout.norms[squaredNorm].byteOffset,
});

interface BoundSpecs {
  params: Record<string, TensorSpec>;
  inputs: TrainingOptions["inputs"];
  carry: Record<string, TensorSpec>;
}

function stepBindings(layout: TrainingLayout, staged: StagedStep, { params, inputs, carry }: BoundSpecs, program: Program): BindingPlan {
  const parameters = { ...layout.parameters, ...layout.frozen };
  const renamed = (regions: Record<string, Region>, rename: (name: string) => string): Record<string, Region> =>
    Object.fromEntries(Object.entries(regions).map(([name, region]) => [rename(name), region]));
  const places: Record<string, Region> = {
    ...renamed(layout.gradients, gradientName), ...renamed(layout.nextCarry, nextCarryName),
    ...staged.scalars, ...layout.norms, ...layout.factors,
  };
  const bindings = [
    ...Object.keys(params).map((name) => floatBinding(layout, parameters[name], name, params[name].shape)),
    ...Object.keys(carry).map((name) => floatBinding(layout, layout.carry[name], carryName(name), carry[name].shape)),
    ...Object.entries(inputs).map(([name, { shape, dtype = "float32" }]) => ({
      ...floatBinding(layout, staged.inputs[name], name, shape), dtype,
    })),
  ];
  return {
    inputs: bindings.filter(({ name }) => program.inputs.has(name)),
    outputs: [...program.outputs].map(([name, { shape }]) => floatBinding(layout, places[name], name, shape)),
  };
}
