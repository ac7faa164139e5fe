// The matrix products of a training step and nothing else: how fast the step would be if all the rest were free.
import type { TrainingOptions } from "@cleanloop/compute";
import { encodeModel, type OnnxNode, type OnnxValueInfo } from "../../lib/compute/onnx/model.ts";
import { openNativeSession, type Binding } from "../../lib/compute/ort/bound-session.ts";
import { loadCApi } from "../../lib/compute/ort/c-api.ts";
import { sizeOf, type Value } from "../../lib/compute/trace/ir.ts";
import { optimize } from "../../lib/compute/trace/rewrite.ts";
import { traceGradients } from "../../lib/compute/training/gradient-graph.ts";
import { median } from "./peer.ts";

/**
 * Milliseconds (median) that one run of the step's matrix products takes: the Gemm and MatMul operators that the compiler
 * makes of the loss and its gradient. They read what they read in the step, made-up numbers here, and results of one shape
 * are written to one place. Null where onnxruntime's C interface cannot be loaded.
 */
export function matrixProductsMs(options: TrainingOptions, seconds: number): number | null {
  const api = loadCApi();
  if (api === null) return null;
  const { model, inputs, outputs } = productsAlone(options);
  const session = openNativeSession(api, model, { threads: options.threads ?? 1 });
  const places = new Map(outputs.map((output) => [output.shape.join(), bindingOf(output, 0).data]));
  const results = outputs.map(({ name, shape }): Binding => {
    return { name, shape, dtype: "float32", data: places.get(shape.join())! };
  });
  const set = session.bind(inputs.map(bindingOf), results);
  const durations: number[] = [];
  const warmUpRuns = 10;
  const startMs = performance.now();
  while (performance.now() - startMs < seconds * 1000 || durations.length < 2 * warmUpRuns) {
    const before = performance.now();
    void session.run(set); // the C interface has finished when it returns
    durations.push(performance.now() - before);
  }
  session.close();
  return median(durations.slice(warmUpRuns));
}

function productsAlone({ loss, params, inputs = {}, carry = {} }: TrainingOptions) {
  const shapesOf = (tensors: Record<string, { shape: readonly number[] }>) =>
    Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, { shape }]));
  const { program } = traceGradients(loss, { params: shapesOf(params), inputs, carry: shapesOf(carry) });
  const names = new Map<Value, OnnxValueInfo>();
  const read = (value: Value): string => {
    const known = names.get(value);
    if (known) return known.name;
    const info = { name: `in_${names.size}`, dtype: "float32" as const, shape: value.shape };
    names.set(value, info);
    return info.name;
  };
  const nodes: OnnxNode[] = [];
  const outputs: OnnxValueInfo[] = [];
  for (const { op, domain, attributes, inputs: operands, outputs: [result] } of optimize(program).nodes) {
    // sums over rows are written as products with a row of ones: no arithmetic worth a matrix product
    const isProduct = /MatMul|Gemm/.test(op) && operands.every(({ uniform }) => uniform === undefined);
    if (!isProduct) continue;
    const name = `out_${outputs.length}`;
    outputs.push({ name, dtype: "float32", shape: result.shape });
    nodes.push({ name: `product_${nodes.length}`, op, domain, attributes, inputs: operands.map(read), outputs: [name] });
  }
  const given = [...names.values()];
  const model = encodeModel({ graphName: "matrix_products", nodes, initializers: [], inputs: given, outputs });
  return { model, inputs: given, outputs };
}

function bindingOf({ name, shape }: OnnxValueInfo, number: number): Binding {
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i + number)); // no zeros, no denormals
  return { name, dtype: "float32", shape, data };
}
