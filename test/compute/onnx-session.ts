// Runs an ONNX model through the onnxruntime-node package: the neutral judge of the tests in this folder.
import * as ort from "onnxruntime-node";
import type { TensorSpec } from "../../lib/compute/trace/ir.ts";

export interface Plain {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly data: Float32Array | Int32Array | Uint8Array;
}

/** Runs the model once; inputs by name. */
export async function runModel(
  model: Uint8Array,
  inputs: Record<string, TensorSpec & { data: ArrayLike<number> }>,
): Promise<Record<string, Plain>> {
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const feeds: Record<string, ort.Tensor> = {};
  for (const [name, { shape, dtype = "float32", data }] of Object.entries(inputs)) {
    if (!session.inputNames.includes(name)) continue;
    const elements =
      dtype === "float32" ? Float32Array.from(data) : dtype === "int32" ? Int32Array.from(data) : Uint8Array.from(data);
    feeds[name] = new ort.Tensor(dtype, elements as Float32Array, [...shape]);
  }
  const results = await session.run(feeds);
  await session.release();
  return Object.fromEntries(
    Object.entries(results).map(([name, tensor]) => [
      name,
      { shape: tensor.dims, dtype: tensor.type, data: tensor.data as Float32Array },
    ]),
  );
}
