// The same bound session on the onnxruntime-node package's own binding: used where the C API cannot be loaded, and in tests
// that hold both against each other bit for bit. It copies outputs, so it is slower for large gradients.
import type { Tensor } from "onnxruntime-node";
import { sessionConfig, type BindingSet, type BoundSession, type SessionOptions } from "./bound-session.ts";
import { openPackage } from "./package.ts";

interface PackageBindingSet extends BindingSet {
  feeds: Record<string, Tensor>;
}

// The package accepts only tensors over plain ArrayBuffers: shared memory travels through private copies.
const isShared = (view: ArrayBufferView): boolean => view.buffer instanceof SharedArrayBuffer;

type ElementArray = Float32Array | Int32Array | BigInt64Array | Uint8Array;

const privateView = (view: ArrayBufferView): ElementArray => {
  const source = view as unknown as ElementArray;
  return isShared(view) ? source.slice() : source;
};

/** Opens a serialized ONNX model on the CPU provider through onnxruntime-node. */
export async function openPackageSession(model: Uint8Array, options: SessionOptions): Promise<BoundSession> {
  const { InferenceSession, Tensor } = await openPackage();
  const session = await InferenceSession.create(model, {
    executionProviders: ["cpu"],
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
    logSeverityLevel: 4,
    extra: nestedConfig(sessionConfig),
    ...(options.profilePrefix ? { enableProfiling: true, profileFilePrefix: options.profilePrefix } : {}),
  });

  return {
    bind(inputs, outputs) {
      const feeds = Object.fromEntries(inputs.map(({ name, dtype, shape, data }) => [
        name, new Tensor(dtype as "float32", privateView(data) as Float32Array, shape),
      ]));
      return { inputs, outputs, feeds } as PackageBindingSet;
    },
    async run(set) {
      const { inputs, outputs, feeds } = set as PackageBindingSet;
      for (const { name, data } of inputs) {
        if (isShared(data)) (feeds[name].data as Float32Array).set(data as Float32Array);
      }
      const results = await session.run(feeds, outputs.map(({ name }) => name));
      for (const { name, data } of outputs) (data as Float32Array).set(results[name].data as Float32Array);
    },
    close: () => void session.release(),
  };
}

/** { "a.b.c": "1" } -> { a: { b: { c: "1" } } }, the form in which the package takes session settings. */
function nestedConfig(flat: Record<string, string>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(flat)) {
    const keys = path.split(".");
    let node = root;
    for (const key of keys.slice(0, -1)) node = (node[key] ??= {}) as Record<string, unknown>;
    node[keys.at(-1)!] = value;
  }
  return root;
}
