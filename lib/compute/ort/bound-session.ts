// An onnxruntime session whose inputs and outputs are fixed places in memory: run() moves no data.
import { ptr } from "bun:ffi";
import { cString, type CApi, type Handle } from "./c-api.ts";

/** Element types that cross the session boundary, with their ONNX codes. */
export const elementCode = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;
export type ElementType = keyof typeof elementCode;

/** One named tensor and the buffer that holds it: data is read (inputs) or written (outputs) in place at every run. */
export interface Binding {
  name: string;
  dtype: ElementType;
  shape: readonly number[];
  data: ArrayBufferView;
}

export interface SessionOptions {
  /** Threads inside one operator. They sleep between operators instead of spinning, so that neighbours keep their cores. */
  threads: number;
  /** Writes an onnxruntime trace beside the given prefix. */
  profilePrefix?: string;
}

/** Anything that runs a model on bound buffers. */
export interface BoundSession {
  run(set: BindingSet): void | Promise<void>;
  /** Prepares one assignment of buffers to all inputs and outputs; a session may hold several. */
  bind(inputs: readonly Binding[], outputs: readonly Binding[]): BindingSet;
  close(): void;
}

/** Opaque result of bind(). */
export interface BindingSet {
  readonly inputs: readonly Binding[];
  readonly outputs: readonly Binding[];
}

interface NativeBindingSet extends BindingSet {
  inputNames: BigUint64Array;
  inputValues: BigUint64Array;
  outputNames: BigUint64Array;
  outputValues: BigUint64Array;
  /** Buffers that native code points into: referenced here so that they outlive every run. */
  keepAlive: unknown[];
}

const address = (view: ArrayBufferView): bigint => BigInt(ptr(view as unknown as Uint8Array));

/** Opens a serialized ONNX model on the CPU provider through the C API. Throws OrtError when the model is refused. */
export function openNativeSession(api: CApi, model: Uint8Array, options: SessionOptions): BoundSession {
  const settings = api.create("CreateSessionOptions");
  const allOptimizations = 99;
  api.check("SetIntraOpNumThreads", settings, options.threads);
  api.check("SetInterOpNumThreads", settings, 1);
  api.check("SetSessionGraphOptimizationLevel", settings, allOptimizations);
  api.check("SetSessionLogSeverityLevel", settings, 4);
  for (const [key, value] of Object.entries(sessionConfig)) {
    const [keyBytes, valueBytes] = [cString(key), cString(value)]; // referenced until the call is over
    api.check("AddSessionConfigEntry", settings, ptr(keyBytes), ptr(valueBytes));
  }
  if (options.profilePrefix) {
    const prefix = cString(options.profilePrefix);
    api.check("EnableProfiling", settings, ptr(prefix));
  }
  let session: Handle;
  try {
    session = api.create("CreateSessionFromArray", api.environment, ptr(model), model.byteLength, settings);
  } finally {
    api.release("ReleaseSessionOptions", settings);
  }
  const sets: NativeBindingSet[] = [];

  const bindAll = (bindings: readonly Binding[], keepAlive: unknown[]) => {
    const names = new BigUint64Array(bindings.length);
    const values = new BigUint64Array(bindings.length);
    bindings.forEach(({ name, dtype, shape, data }, i) => {
      const nameBytes = cString(name);
      const dims = BigInt64Array.from(shape.length ? shape : [0], BigInt);
      names[i] = address(nameBytes);
      const byteLength = data.byteLength;
      values[i] = api.create(
        "CreateTensorWithDataAsOrtValue",
        api.cpuMemory, ptr(data as unknown as Uint8Array), byteLength, ptr(dims), shape.length, elementCode[dtype],
      );
      keepAlive.push(nameBytes, dims, data);
    });
    return { names, values };
  };

  return {
    bind(inputs, outputs) {
      const keepAlive: unknown[] = [];
      const bound = bindAll(inputs, keepAlive);
      const produced = bindAll(outputs, keepAlive);
      const set: NativeBindingSet = {
        inputs, outputs, keepAlive,
        inputNames: bound.names, inputValues: bound.values,
        outputNames: produced.names, outputValues: produced.values,
      };
      sets.push(set);
      return set;
    },
    run(set) {
      const { inputNames, inputValues, outputNames, outputValues } = set as NativeBindingSet;
      api.check(
        "Run", session, 0n,
        inputNames.length ? ptr(inputNames) : 0, inputValues.length ? ptr(inputValues) : 0, inputValues.length,
        ptr(outputNames), outputValues.length, ptr(outputValues),
      );
    },
    close() {
      for (const set of sets) {
        for (const value of [...set.inputValues, ...set.outputValues]) api.release("ReleaseValue", value);
      }
      api.release("ReleaseSession", session);
    },
  };
}

/** Session settings shared by both bindings. Spinning threads would halve the speed of any neighbour on the same cores. */
export const sessionConfig: Record<string, string> = {
  "session.intra_op.allow_spinning": "0",
  "session.set_denormal_as_zero": "1",
};
