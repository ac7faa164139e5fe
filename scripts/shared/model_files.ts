// Files of a trained model: ONNX models that were reopened and compared before anybody relies on them.
import type { HostTensor, InputArray, TensorFunction } from "@cleanloop/compute";
import { exportOnnx, verifyOnnx } from "@cleanloop/compute";

/** A file of the trained model. */
export interface ModelFile {
  name: string;
  bytes: Uint8Array;
}

/** All weights as one file in the log; a run that keeps its weights there is whole when it has this one. */
export const WEIGHTS_FILE = "weights.safetensors";

/**
 * `fn` with its parameters as an ONNX file. It is opened again and run on `inputs`; throws ComputeError when it does not give
 * `expected`.
 */
export async function verifiedModel(
  name: string,
  fn: TensorFunction,
  params: Record<string, HostTensor>,
  inputs: Record<string, { shape: readonly number[]; data: InputArray }>,
  expected: Record<string, Float32Array>,
): Promise<ModelFile> {
  const bytes = exportOnnx(fn, params, inputs);
  await verifyOnnx(bytes, inputs, expected);
  Bun.gc(true); // the reopened model had a copy of the weights
  return { name, bytes };
}
