// Saves a function with its trained parameters as an .onnx file, and checks a saved file by running it.
import { ComputeError } from "./errors.ts";
import { openPackage } from "./ort/package.ts";
import { toOnnx } from "./trace/lower.ts";
import { sizeOf } from "./trace/ir.ts";
import { traceFunction } from "./training/evaluator.ts";
import type { HostTensor, InputArray, TensorFunction, TensorSpec } from "./training/types.ts";

/**
 * The bytes of an ONNX model (operator set 18) of fn with `params` baked in; the inputs keep their names.
 * Parameters and inputs that fn does not read are left out.
 */
export function exportOnnx(
  fn: TensorFunction, params: Record<string, HostTensor>, inputs: Record<string, TensorSpec>, metadata: Record<string, string> = {},
): Uint8Array {
  const shapes = Object.fromEntries(Object.entries(params).map(([name, { shape }]) => [name, { shape }]));
  const program = traceFunction(fn, shapes, inputs);
  const read = new Set(program.nodes.flatMap((node) => node.inputs));
  const used = new Map([...program.inputs].filter(([, value]) => read.has(value)));
  const initializers = Object.fromEntries(Object.entries(params).filter(([name]) => used.has(name)));
  return toOnnx({ ...program, inputs: used }, { initializers, name: "cleanloop", metadata });
}

/**
 * Opens a saved model afresh with the onnxruntime-node package, runs it on `inputs` and compares every expected output.
 * Returns the largest absolute difference relative to the largest expected value; throws ComputeError above `tolerance`.
 */
export async function verifyOnnx(
  model: Uint8Array, inputs: Record<string, { shape: readonly number[]; data: InputArray }>,
  expected: Record<string, Float32Array>, tolerance = 1e-5,
): Promise<number> {
  const { InferenceSession, Tensor } = await openPackage();
  const session = await InferenceSession.create(model, {
    logSeverityLevel: 4, extra: { session: { disable_prepacking: "1" } }, // a second copy of the weights for one run
  });
  try {
    const feeds = Object.fromEntries(session.inputNames.map((name) => {
      const input = inputs[name];
      if (!input || input.data.length !== sizeOf(input.shape)) throw new ComputeError("export-differs", `verifyOnnx: the model wants an input "${name}" that was not given in its shape`);
      // the runtime takes private memory only
      return [name, new Tensor(input.data instanceof Int32Array ? "int32" : "float32", input.data.slice() as Float32Array, input.shape)];
    }));
    const outputs = await session.run(feeds);
    let worst = 0;
    for (const [name, wanted] of Object.entries(expected)) {
      const got = outputs[name]?.data as Float32Array | undefined;
      if (got?.length !== wanted.length) {
        throw new ComputeError("export-differs", `verifyOnnx: output "${name}" has ${got?.length ?? "no"} values; expected ${wanted.length}`);
      }
      worst = Math.max(worst, relativeDifference(got, wanted));
    }
    if (!(worst <= tolerance)) throw new ComputeError("export-differs", `verifyOnnx: outputs differ by ${worst.toExponential(1)}, more than ${tolerance}`);
    return worst;
  } finally {
    await session.release();
  }
}

function relativeDifference(got: Float32Array, wanted: Float32Array): number {
  let difference = 0;
  let scale = Number.MIN_VALUE;
  for (let i = 0; i < wanted.length; i++) {
    const gap = Math.abs(got[i] - wanted[i]);
    if (Number.isNaN(gap)) return Number.POSITIVE_INFINITY;
    difference = Math.max(difference, gap);
    scale = Math.max(scale, Math.abs(wanted[i]));
  }
  return difference / scale;
}
