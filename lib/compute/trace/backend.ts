// A tfjs backend whose kernels record ONNX operators instead of computing.
import * as tf from "@tensorflow/tfjs-core";
import { GraphBuilder } from "./builder.ts";
import { modelLine, TraceError } from "./errors.ts";
import { constant, type DType, sameShape, sizeOf, type TensorSpec, type Value } from "./ir.ts";
import { mappedKernels } from "./kernels/index.ts";
import type { Kernel } from "./kernels/kernel.ts";
import { reshape } from "./ops.ts";

export const backendName = "onnx-trace";

type DataId = tf.TensorInfo["dataId"];

function supported(dtype: tf.DataType): DType {
  if (dtype === "float32" || dtype === "int32" || dtype === "bool") return dtype;
  throw new TraceError(
    "dtype-unsupported",
    `trace: tensors of type ${dtype} cannot be compiled; use float32, int32 or bool`,
  );
}

function typedArray(values: ArrayLike<unknown>, dtype: DType): Float32Array | Int32Array | Uint8Array {
  const elements = values as ArrayLike<number>;
  if (dtype === "float32") return Float32Array.from(elements);
  return dtype === "int32" ? Int32Array.from(elements) : Uint8Array.from(elements);
}

/** Holds the values behind tfjs's data ids during one trace. */
class TraceBackend extends tf.KernelBackend {
  private graph: GraphBuilder | undefined;
  private values = new WeakMap<DataId, Value>();

  begin(): GraphBuilder {
    this.graph = new GraphBuilder();
    this.values = new WeakMap();
    return this.graph;
  }

  end(): void {
    this.graph = undefined;
  }

  /** The graph being recorded; tensors of a finished trace are of no use to anyone. */
  get recording(): GraphBuilder {
    if (!this.graph)
      throw new TraceError(
        "value-read",
        "trace: a tensor of a finished trace was used; return it from the traced function instead",
      );
    return this.graph;
  }

  get isRecording(): boolean {
    return this.graph !== undefined;
  }

  /** The symbolic value of a tensor; a tensor of an eager backend enters as a constant. */
  symbolic(tensor: tf.TensorInfo): Value {
    let value = this.values.get(tensor.dataId);
    if (!value) {
      const owner = tf.engine().state.tensorInfo.get(tensor.dataId)?.backend;
      if (!owner || owner === this) this.recordingEnded();
      const dtype = supported(tensor.dtype);
      value = constant(typedArray(owner.readSync(tensor.dataId), dtype), tensor.shape, dtype);
      this.values.set(tensor.dataId, value);
    }
    return sameShape(value.shape, tensor.shape) ? value : reshape(this.recording, value, tensor.shape);
  }

  /** What tfjs knows of a tensor that stands for a symbolic value. */
  describe(value: Value): tf.TensorInfo {
    const dataId = {};
    this.values.set(dataId, value);
    return { dataId, shape: [...value.shape], dtype: value.dtype as tf.DataType };
  }

  inputTensor(value: Value): tf.Tensor {
    const { dataId, shape, dtype } = this.describe(value);
    return tf.engine().makeTensorFromDataId(dataId, shape, dtype);
  }

  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): DataId {
    const dataId = {};
    this.move(dataId, values, shape, dtype);
    return dataId;
  }

  override move(dataId: DataId, values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): void {
    this.values.set(dataId, constant(typedArray(values, supported(dtype)), shape, supported(dtype)));
  }

  override readSync(dataId: DataId): tf.backend_util.BackendValues {
    const value = this.values.get(dataId);
    if (value?.constant && !(value.constant instanceof BigInt64Array)) return value.constant;
    if (value?.uniform !== undefined) {
      return typedArray(
        Array.from({ length: sizeOf(value.shape) }, () => value.uniform),
        value.dtype,
      );
    }
    throw new TraceError(
      "value-read",
      "trace: the value of a traced tensor was asked for (dataSync, arraySync, data, print ...); it is known only " +
        "when the compiled function runs. Return it as an output, or compute with tensors (tf.where instead of if)",
    );
  }

  override async read(dataId: DataId): Promise<tf.backend_util.BackendValues> {
    return this.readSync(dataId);
  }

  override disposeData(): boolean {
    return true;
  }

  override incRef(): void {}

  override refCount(): number {
    return 1;
  }

  override numDataIds(): number {
    return 0;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override dispose(): void {}

  private recordingEnded(): never {
    throw new TraceError(
      "value-read",
      "trace: a tensor without data was used: it was disposed, or it belongs to an earlier trace",
    );
  }
}

export const traceBackend = new TraceBackend();

/** Symbolic placeholder of a named input. */
export function placeholder(name: string, spec: TensorSpec): Value {
  return { shape: [...spec.shape], dtype: supported(spec.dtype ?? "float32"), inputName: name };
}

function record(
  kernelName: string,
  kernel: Kernel<never>,
  inputs: tf.NamedTensorInfoMap,
  attributes: unknown,
): tf.TensorInfo | tf.TensorInfo[] {
  const graph = traceBackend.recording;
  const source = modelLine();
  graph.origin = source ? { kernel: kernelName, source } : { kernel: kernelName };
  const values: Record<string, Value> = {};
  for (const [name, tensor] of Object.entries(inputs)) if (tensor) values[name] = traceBackend.symbolic(tensor);
  const outputs = kernel(graph, values, (attributes ?? {}) as never);
  return Array.isArray(outputs) ? outputs.map((value) => traceBackend.describe(value)) : traceBackend.describe(outputs);
}

function refuse(kernelName: string): never {
  if (kernelName === tf.Multinomial) {
    throw new TraceError(
      "random-in-trace",
      "trace: tf.multinomial draws random numbers; draw them outside and pass the result as an argument",
    );
  }
  throw new TraceError(
    "kernel-unmapped",
    `trace: tfjs kernel '${kernelName}' has no ONNX mapping; express it with the kernels listed in KERNELS.md, ` +
      "or run with the tfjs engine",
  );
}

/** Registers the backend and its kernels with tfjs; every other known kernel gets a refusal that names it. */
export function registerTraceBackend(): void {
  if (tf.engine().backendNames().includes(backendName)) return;
  tf.registerBackend(backendName, () => traceBackend, -1);
  for (const [kernelName, kernel] of mappedKernels) {
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs }) => record(kernelName, kernel, inputs as tf.NamedTensorInfoMap, attrs),
    });
  }
  for (const kernelName of tfjsKernelNames()) {
    if (!mappedKernels.has(kernelName))
      tf.registerKernel({ kernelName, backendName, kernelFunc: () => refuse(kernelName) });
  }
}

/** Every kernel name that tfjs-core exports: constants whose value is their own name, `_FusedMatMul` included. */
function tfjsKernelNames(): string[] {
  return Object.entries(tf).flatMap(([name, value]) => (value === name ? [name] : []));
}
