// A tensor inside a torch file: knows where its elements lie and reads only the bytes it is asked for.
import type { ByteSource } from "./byte-source.ts";
import { ArtifactError } from "./errors.ts";
import { arrayFromBytes, type Dtype, elementCount, itemSizeBytes, type NdArray, type Shape } from "./ndarray.ts";
import { copyStrided, rowMajorStrides } from "./strided.ts";

/** A view of a storage: the element at index k is storage[offset + Σ k_i · strides_i]. */
export class TorchTensor {
  readonly dtype: Dtype;
  readonly shape: Shape;
  readonly #storage: ByteSource;
  readonly #offset: number;
  readonly #strides: readonly number[];

  constructor(storage: ByteSource, dtype: Dtype, view: { offset: number; shape: Shape; strides: readonly number[] }) {
    this.dtype = dtype;
    this.shape = view.shape;
    this.#storage = storage;
    this.#offset = view.offset;
    this.#strides = view.strides;
    const end = elementCount(view.shape) === 0 ? 0 : this.#offset + this.#span(view.shape);
    if (end * itemSizeBytes(dtype) > storage.sizeBytes) {
      throw new ArtifactError(
        "bad-torch",
        `${storage.label}: a tensor of shape (${view.shape.join(", ")}) needs ${end} elements, ` +
          `the storage has ${storage.sizeBytes / itemSizeBytes(dtype)}.`,
      );
    }
  }

  /** The whole tensor in C order. */
  read(): NdArray {
    return this.#read(this.#offset, this.shape);
  }

  /** Rows start (included) to end (excluded) of the first axis, reading no more than the bytes between them. */
  readRows(start: number, end: number): NdArray {
    const [count, ...rest] = this.shape;
    if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= (count ?? 0))) {
      throw new ArtifactError(
        "invalid-argument",
        `TorchTensor.readRows: got rows ${start} to ${end} of a tensor of shape (${this.shape.join(", ")}).`,
      );
    }
    return this.#read(this.#offset + start * this.#strides[0], [end - start, ...rest]);
  }

  #read(offset: number, shape: Shape): NdArray {
    const itemSize = itemSizeBytes(this.dtype);
    const span = elementCount(shape) === 0 ? 0 : this.#span(shape);
    const bytes = this.#storage.read(span === 0 ? 0 : offset * itemSize, span * itemSize);
    const contiguous = rowMajorStrides(shape);
    if (shape.every((size, axis) => size <= 1 || this.#strides[axis] === contiguous[axis])) {
      return arrayFromBytes(this.dtype, shape, bytes);
    }
    const flat = arrayFromBytes(this.dtype, [span], bytes);
    return copyStrided(this.dtype, flat.data, { offset: 0, shape, strides: this.#strides });
  }

  /** Elements from the first to the last one used, for a shape without a zero. */
  #span(shape: Shape): number {
    return 1 + shape.reduce((sum, size, axis) => sum + (size - 1) * this.#strides[axis], 0);
  }
}
