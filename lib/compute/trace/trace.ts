// trace: runs a tfjs function once on symbolic tensors and returns the program it performed.
import * as tf from "@tensorflow/tfjs-core";
import { registerGradients } from "../gradients/index.ts";
import { placeholder, registerTraceBackend, traceBackend } from "./backend.ts";
import { TraceError } from "./errors.ts";
import { withGuards } from "./guards.ts";
import type { Program, TensorSpec, Value } from "./ir.ts";

export type TensorFunction = (inputs: Record<string, tf.Tensor>) => Record<string, tf.Tensor>;

/**
 * Records what `fn` does with inputs of the given shapes; gradients taken inside are part of the record.
 * Tensors captured from eager backends become constants. Throws TraceError for anything that cannot be compiled.
 */
export function trace(fn: TensorFunction, specs: Record<string, TensorSpec>): Program {
  registerGradients();
  registerTraceBackend();
  if (traceBackend.isRecording)
    throw new TraceError("nested-trace", "trace: called inside a traced function; call the function itself");
  checkSpecs(specs);
  const inputs = new Map(Object.entries(specs).map(([name, spec]) => [name, placeholder(name, spec)]));
  const graph = traceBackend.begin();
  try {
    const outputs = withGuards(() => {
      const results = new Map<string, Value>();
      tf.tidy(() => {
        const tensors = Object.fromEntries([...inputs].map(([name, value]) => [name, traceBackend.inputTensor(value)]));
        for (const [name, tensor] of Object.entries(fn(tensors))) results.set(name, outputValue(name, tensor));
      });
      return results;
    });
    return { inputs, outputs, nodes: graph.nodes };
  } finally {
    traceBackend.end();
  }
}

function outputValue(name: string, tensor: unknown): Value {
  if (tensor instanceof tf.Tensor) return traceBackend.symbolic(tensor);
  const got = tensor instanceof Promise ? "a promise (async functions cannot be traced)" : typeof tensor;
  throw new TraceError("output-invalid", `trace: output '${name}' is ${got}; return an object of tensors`);
}

function checkSpecs(specs: Record<string, TensorSpec>): void {
  for (const [name, { shape }] of Object.entries(specs)) {
    const bad = shape.find((dimension) => !Number.isInteger(dimension) || dimension < 0);
    if (bad !== undefined) {
      throw new TraceError(
        "input-invalid",
        `trace: input '${name}' has shape [${shape}]; every dimension must be a whole number, not ${bad}`,
      );
    }
  }
}
