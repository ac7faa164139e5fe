// Compiles a function of the live parameters into a model of its own in the compute thread.
import { sizeOf, type Program } from "../trace/ir.ts";
import { optimize } from "../trace/rewrite.ts";
import { toOnnx } from "../trace/lower.ts";
import { trace } from "../trace/trace.ts";
import type { ComputeClient } from "../worker/client.ts";
import type { SharedBinding } from "../worker/protocol.ts";
import { mergeSpecs, pick } from "./gradient-graph.ts";
import type { Evaluator, InputArray, TensorFunction, TensorSpec } from "./types.ts";

interface EvaluatorSpecs {
  paramSpecs: Record<string, TensorSpec>;
  inputs: Record<string, TensorSpec>;
  bindParam: (name: string) => SharedBinding;
}

/** Traces and optimizes fn(params, inputs). Outputs are float32 and named differently from all inputs. */
export function traceFunction(fn: TensorFunction, params: Record<string, TensorSpec>, inputs: Record<string, TensorSpec>): Program {
  const specs = mergeSpecs(params, inputs);
  const program = optimize(trace((tensors) => fn(pick(tensors, params), pick(tensors, inputs)), specs));
  for (const [name, { dtype }] of program.outputs) {
    if (name in specs) throw new Error(`compile: "${name}" names an input and an output; rename one of them`);
    if (dtype !== "float32") throw new TypeError(`compile: output "${name}" is ${dtype}; cast it to float32 in the function`);
  }
  return program;
}

export async function compileEvaluator(
  client: ComputeClient, id: number, fn: TensorFunction, { paramSpecs, inputs, bindParam }: EvaluatorSpecs,
): Promise<Evaluator> {
  const program = traceFunction(fn, paramSpecs, inputs);
  const shared = (name: string, dtype: SharedBinding["dtype"], shape: readonly number[]): SharedBinding => ({
    name, dtype, shape, buffer: new SharedArrayBuffer(sizeOf(shape) * 4), byteOffset: 0,
  });
  const inputBindings = Object.entries(inputs).map(([name, { shape, dtype = "float32" }]) => shared(name, dtype, shape));
  const paramBindings = Object.keys(paramSpecs).map(bindParam);
  const outputs = [...program.outputs].map(([name, { shape }]) => shared(name, "float32", shape));
  const used = [...paramBindings, ...inputBindings].filter(({ name }) => program.inputs.has(name));
  await client.ask({ kind: "open", program: id, model: toOnnx(program, { name: "evaluator" }), plans: [{ inputs: used, outputs }] });

  const stage = inputBindings.map(({ name, dtype, buffer }) => ({
    name, array: dtype === "int32" ? new Int32Array(buffer) : new Float32Array(buffer),
  }));
  // One set of buffers per evaluator, so calls take turns.
  let last: Promise<unknown> = Promise.resolve();
  const evaluate = async (arrays: Record<string, InputArray>): Promise<Record<string, Float32Array>> => {
    for (const { name, array } of stage) array.set(arrays[name]);
    await client.ask({ kind: "run", program: id, plan: 0 });
    return Object.fromEntries(outputs.map(({ name, buffer }) => [name, new Float32Array(buffer).slice()]));
  };
  return (arrays) => {
    const turn = last.then(() => evaluate(arrays));
    last = turn.catch(() => undefined);
    return turn;
  };
}
