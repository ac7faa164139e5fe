// createTrainingSession: a loss in plain tfjs becomes a training step that runs compiled, in its own thread.
import type { Region } from "../memory.ts";
import { loadCApi } from "../ort/c-api.ts";
import type { Program } from "../trace/ir.ts";
import { adamSettings } from "../optimizer/adam.ts";
import { averagingWeight } from "../optimizer/averaging.ts";
import { optimize } from "../trace/rewrite.ts";
import { toOnnx } from "../trace/lower.ts";
import { ComputeClient } from "../worker/client.ts";
import type { BindingPlan, SharedBinding, StreamPlan } from "../worker/protocol.ts";
import { resolveDevice } from "../device.ts";
import { compileEvaluator } from "./evaluator.ts";
import { gradientName, LOSS, metricName, traceGradients } from "./gradient-graph.ts";
import { floatViews, inputViews, layOut, type TrainingLayout } from "./layout.ts";
import { checkInputs, checkOptions, checkState } from "./checks.ts";
import { SessionState } from "./state.ts";
import { streamLargeGradients, type StreamedGradient } from "./streamed-gradients.ts";
import type { TensorSpec, TrainingOptions, TrainingSession } from "./types.ts";

/**
 * Compiles loss, gradients and Adam into one training step.
 * Throws TraceError for a loss that cannot be compiled, DeviceError for a device that is absent, RangeError above 4 GiB.
 */
export async function createTrainingSession(options: TrainingOptions): Promise<TrainingSession> {
  checkOptions(options);
  const device = await resolveDevice(options.engine ?? "onnx", options.device ?? "auto");
  if (device.engine === "onnx") return createCompiledSession(options);
  const { createEagerSession } = await import("./eager-session.ts"); // keeps the eager backends out of compiled runs
  return createEagerSession(options, device);
}

async function createCompiledSession(options: TrainingOptions): Promise<TrainingSession> {
  const { inputs, averaging, threads = 1, binding = "auto", profilePrefix } = options;
  const shapes = specsOf(options.params); // closures below hold shapes, not a second copy of the parameters
  const started = performance.now();
  const graph = traceGradients(options.loss, shapes, inputs);
  const { trainable } = graph;
  const whole = optimize(graph.program);
  const canStream = binding !== "package" && loadCApi() !== null;
  const { program, streamed } = canStream ? streamLargeGradients(whole, trainable) : { program: whole, streamed: [] };
  const traced = performance.now();

  const scalars = [LOSS, ...graph.metrics.map(metricName), ...streamed.map(({ squaredNorm }) => squaredNorm)];
  const layout = layOut({
    params: options.params, trainable, inputs, scalars, streamed, threads, averaged: averaging !== undefined,
  });
  const { memory } = layout;
  const client = new ComputeClient();
  const settings = adamSettings(options.optimizer);
  const { binding: usedBinding, version } = await client.start({
    memory, threads, binding, profilePrefix,
    optimizer: {
      vectors: layout.vectors, settings,
      streams: streamed.map((stream) => streamPlan(layout, stream)),
      scratch: layout.scratch.map(({ byteOffset }) => byteOffset),
    },
  });
  const plans = layout.inputs.map((stage) => stepBindings(layout, stage, shapes, inputs, program));
  await client.ask({ kind: "open", program: 0, model: toOnnx(program, { name: "training_step" }), plans });

  const state = new SessionState(layout, shapes);
  const staging = layout.inputs.map((stage) => inputViews(memory, stage, inputs));
  const scalarViews = floatViews(memory, layout.scalars);
  let stage = 0;
  let inFlight = false;
  let nextProgram = 1;

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
      engine: "onnx", device: "cpu", threads, binding: usedBinding, version,
      traceMs: traced - started, compileMs: performance.now() - traced,
      nodes: program.nodes.length, parameters: state.parameterCount,
    },
    async step({ learningRate }) {
      if (inFlight) throw new Error("step: the previous step is still running; await it first");
      inFlight = true;
      const plan = stage;
      stage = 1 - stage;
      try {
        const { gradNorm, updated } = await client.step({
          program: 0, plan, learningRate, stepCount: state.stepCount + 1,
          loss: layout.scalars[LOSS].byteOffset,
          averagingWeight: averaging ? averagingWeight(averaging, state.stepCount + 1) : 0,
        });
        if (updated) state.stepCount++;
        const metrics = Object.fromEntries(graph.metrics.map((name) => [name, scalarViews[metricName(name)][0]]));
        return { loss: scalarViews[LOSS][0], gradNorm, updated, metrics };
      } finally {
        inFlight = false;
      }
    },
    async compile(fn, specs, { weights = "live" } = {}) {
      const regions = { ...(weights === "live" ? layout.parameters : layout.averages), ...layout.frozen };
      const evaluate = await compileEvaluator(client, nextProgram++, fn, {
        paramSpecs: shapes, inputs: specs,
        bindParam: (name) => floatBinding(layout, regions[name], name, shapes[name].shape),
      });
      return async (arrays) => {
        checkInputs("evaluate", specs, arrays);
        return evaluate(arrays);
      };
    },
    exportState: () => state.export(),
    importState(saved) {
      checkState(saved, shapes, trainable, averaging !== undefined);
      state.import(saved);
    },
    close: () => client.close(),
  };
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
