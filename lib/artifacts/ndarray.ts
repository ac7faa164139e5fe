// N-dimensional arrays as plain data: a dtype, a shape and one C-ordered, little-endian typed array.
import { ArtifactError } from "./errors.ts";

/** The typed array that holds the elements of each dtype; bool is one byte of 0 or 1. */
export interface DtypeArrays {
  bool: Uint8Array;
  uint8: Uint8Array;
  int8: Int8Array;
  uint16: Uint16Array;
  int16: Int16Array;
  uint32: Uint32Array;
  int32: Int32Array;
  uint64: BigUint64Array;
  int64: BigInt64Array;
  float16: Float16Array;
  float32: Float32Array;
  float64: Float64Array;
}

export type Dtype = keyof DtypeArrays;
export type TypedArray = DtypeArrays[Dtype];
export type Shape = readonly number[];

/** An array; narrow it with `array.dtype` or {@link expectArray}. */
export type NdArray<D extends Dtype = Dtype> = D extends Dtype
  ? { readonly dtype: D; readonly shape: Shape; readonly data: DtypeArrays[D] }
  : never;

interface TypedArrayConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): TypedArray;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray;
}

const constructors: Record<Dtype, TypedArrayConstructor> = {
  bool: Uint8Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
  float16: Float16Array,
  float32: Float32Array,
  float64: Float64Array,
};

/** Bytes of one element. */
export function itemSizeBytes(dtype: Dtype): number {
  return constructors[dtype].BYTES_PER_ELEMENT;
}

/** Number of elements of a shape, 1 for the shape (); throws `shape-overflow` beyond 2^53 and on bad dimensions. */
export function elementCount(shape: Shape): number {
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw new ArtifactError(
        "invalid-argument",
        `elementCount: got shape (${shape.join(", ")}), wanted whole numbers of 0 or more.`,
      );
    }
    count *= size;
  }
  if (!Number.isSafeInteger(count)) {
    throw new ArtifactError("shape-overflow", `elementCount: shape (${shape.join(", ")}) has 2^53 elements or more.`);
  }
  return count;
}

/** The dtype that a class of typed array stands for when nothing else is said: never bool. */
export type DtypeOf<A extends TypedArray> = {
  [D in Exclude<Dtype, "bool">]: A extends DtypeArrays[D] ? D : never;
}[Exclude<Dtype, "bool">];

/** Wraps a typed array without copying; the dtype follows from its class, except bool, which must be said. */
export function ndarray<A extends TypedArray>(shape: Shape, data: A): NdArray<DtypeOf<A>>;
export function ndarray<D extends Dtype>(shape: Shape, data: DtypeArrays[D], dtype: D): NdArray<D>;
export function ndarray(shape: Shape, data: TypedArray, dtype?: Dtype): NdArray {
  const found = dtype ?? dtypeOf(data);
  if (!(data instanceof constructors[found])) {
    throw new ArtifactError("invalid-argument", `ndarray: got a ${data.constructor.name} for dtype ${found}.`);
  }
  if (elementCount(shape) !== data.length) {
    throw new ArtifactError(
      "invalid-argument",
      `ndarray: got ${data.length} elements, wanted ${elementCount(shape)} for shape (${shape.join(", ")}).`,
    );
  }
  return { dtype: found, shape, data } as NdArray;
}

function dtypeOf(data: TypedArray): Dtype {
  for (const [dtype, constructor] of Object.entries(constructors)) {
    if (dtype !== "bool" && data instanceof constructor) return dtype as Dtype;
  }
  throw new ArtifactError("invalid-argument", `ndarray: got a ${String(data)}, wanted a typed array.`);
}

/** An array of zeros. */
export function allocate<D extends Dtype>(dtype: D, shape: Shape): NdArray<D> {
  return { dtype, shape, data: new constructors[dtype](elementCount(shape)) } as unknown as NdArray<D>;
}

/** Reads raw little-endian bytes as an array: a view where the alignment allows, else a copy. */
export function arrayFromBytes<D extends Dtype>(dtype: D, shape: Shape, bytes: Uint8Array): NdArray<D> {
  const length = elementCount(shape);
  if (length * itemSizeBytes(dtype) !== bytes.byteLength) {
    throw new ArtifactError(
      "size-mismatch",
      `arrayFromBytes: got ${bytes.byteLength} bytes, wanted ${length * itemSizeBytes(dtype)} ` +
        `for ${dtype} of shape (${shape.join(", ")}).`,
    );
  }
  const aligned = bytes.byteOffset % itemSizeBytes(dtype) === 0 ? bytes : new Uint8Array(bytes);
  const data = new constructors[dtype](aligned.buffer, aligned.byteOffset, length);
  return { dtype, shape, data } as unknown as NdArray<D>;
}

/** The bytes of a typed array, without copying. */
export function bytesOf(data: TypedArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** What {@link expectArray} checks; null in `shape` stands for any size. */
export interface ArrayPattern<D extends Dtype = Dtype> {
  dtype?: D;
  shape?: readonly (number | null)[];
}

/** Returns the array with a narrowed type, or throws `wrong-array` naming `label`, what it is and what was wanted. */
export function expectArray<D extends Dtype>(array: NdArray, pattern: ArrayPattern<D>, label: string): NdArray<D> {
  const { dtype, shape } = pattern;
  const sameShape =
    !shape || (shape.length === array.shape.length && shape.every((n, i) => n === null || n === array.shape[i]));
  if ((dtype && array.dtype !== dtype) || !sameShape) {
    const wantedShape = shape ? ` of shape (${shape.map((n) => n ?? "any").join(", ")})` : "";
    throw new ArtifactError(
      "wrong-array",
      `${label}: got ${array.dtype} of shape (${array.shape.join(", ")}), wanted ${dtype ?? "any dtype"}${wantedShape}.`,
    );
  }
  return array as NdArray<D>;
}
