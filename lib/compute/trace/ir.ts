// The intermediate representation: ONNX operators over typed values, before names and bytes.
import type { OnnxAttribute } from "../onnx/model.ts";

export type DType = "float32" | "int32" | "int64" | "bool";
export type TypedArray = Float32Array | Int32Array | BigInt64Array | Uint8Array;
export type Attribute = OnnxAttribute;

/** Shape and type of a named input; int64 exists inside a program only, because tfjs has no such type. */
export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype?: "float32" | "int32" | "bool";
}

/** A tensor of the program. It is exactly one of: an input, a node's output, a constant, a uniform constant. */
export interface Value {
  readonly shape: readonly number[];
  readonly dtype: DType;
  producer?: Node;
  /** Elements in row-major order. */
  constant?: TypedArray;
  /** Every element equals this number; true and false are 1 and 0. */
  uniform?: number;
  inputName?: string;
}

/** One ONNX operator application. */
export interface Node {
  op: string;
  /** Operator domain; absent for the standard one. */
  domain?: string;
  inputs: Value[];
  outputs: Value[];
  attributes: Record<string, Attribute>;
  /** The tfjs kernel that recorded it. */
  kernel: string;
  /** file:line of the model code that called the tfjs operation. */
  source?: string;
}

/** A traced function: nodes in execution order between named inputs and outputs. */
export interface Program {
  inputs: Map<string, Value>;
  outputs: Map<string, Value>;
  nodes: Node[];
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dimension, axis) => dimension === b[axis]);
}

/** NumPy's broadcasting rule; undefined when the shapes do not fit. */
export function broadcastShapes(...shapes: readonly (readonly number[])[]): number[] | undefined {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    let dimension = 1;
    for (const shape of shapes) {
      const own = shape[axis - rank + shape.length] ?? 1;
      if (own !== 1 && dimension !== 1 && own !== dimension) return undefined;
      if (own !== 1) dimension = own;
    }
    result.push(dimension);
  }
  return result;
}

/** A constant with all its elements; one whose elements agree becomes a uniform. */
export function constant(data: TypedArray, shape: readonly number[], dtype: DType): Value {
  const first = data[0];
  if (dtype !== "int64" && data.length > 0 && data.every((element: number | bigint) => Object.is(element, first))) {
    return uniform(Number(first), shape, dtype);
  }
  return { shape: [...shape], dtype, constant: data };
}

/** A constant whose elements all equal `value`; it takes no memory. */
export function uniform(value: number, shape: readonly number[] = [], dtype: DType = "float32"): Value {
  return { shape: [...shape], dtype, uniform: value };
}

/** A one-dimensional int64 constant: axes, starts, shapes and the like. */
export function int64s(values: readonly number[]): Value {
  return { shape: [values.length], dtype: "int64", constant: BigInt64Array.from(values.map(BigInt)) };
}

/** The elements of an int64 constant as numbers; undefined when the value is computed. */
export function int64sOf(value: Value | undefined): number[] | undefined {
  return value?.constant instanceof BigInt64Array ? Array.from(value.constant, Number) : undefined;
}
