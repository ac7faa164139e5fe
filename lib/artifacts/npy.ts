// NumPy .npy files: encoded, decoded, read whole, read by rows, written atomically.
import { writeAtomic, type Written } from "./atomic.ts";
import { type ByteSource, fileSource, memorySource, withFile } from "./byte-source.ts";
import { ArtifactError } from "./errors.ts";
import { encodeNpyHeader, type NpyHeader, readNpyHeader } from "./npy-header.ts";
import {
  arrayFromBytes,
  bytesOf,
  type Dtype,
  elementCount,
  itemSizeBytes,
  type NdArray,
  type Shape,
  type TypedArray,
} from "./ndarray.ts";
import { columnMajorStrides, copyStrided } from "./strided.ts";

/**
 * The file as a stream of chunks, so that arrays larger than memory can be written:
 * `parts` are typed arrays of `dtype` that fill `shape` in C order. Throws `size-mismatch` when they do not.
 */
export function* npyChunks(dtype: Dtype, shape: Shape, parts: Iterable<TypedArray>): Generator<Uint8Array> {
  const wantedSizeBytes = elementCount(shape) * itemSizeBytes(dtype);
  yield encodeNpyHeader(dtype, shape);
  let sizeBytes = 0;
  for (const part of parts) {
    sizeBytes += part.byteLength;
    yield bytesOf(part);
  }
  if (sizeBytes !== wantedSizeBytes) {
    throw new ArtifactError(
      "size-mismatch",
      `npyChunks: got ${sizeBytes} bytes, wanted ${wantedSizeBytes} for ${dtype} of shape (${shape.join(", ")}).`,
    );
  }
}

/** The bytes of a .npy file (version 1.0, C order, little-endian). */
export function encodeNpy(array: NdArray): Uint8Array {
  return Buffer.concat([...npyChunks(array.dtype, array.shape, [array.data])]);
}

/** The array in the bytes of a .npy file; Fortran order is transposed into C order. */
export function decodeNpy(bytes: Uint8Array, label = "npy data"): NdArray {
  return readArray(memorySource(bytes, label));
}

/** Reads a whole .npy file. */
export function readNpy(path: string): NdArray {
  return withFile(path, readArray);
}

/** Writes a .npy file atomically. */
export function writeNpy(path: string, array: NdArray): Promise<Written> {
  return writeAtomic(path, npyChunks(array.dtype, array.shape, [array.data]));
}

/** A .npy file of at least one axis, read by rows of its first axis; `close` it after use. */
export interface NpyFile {
  readonly dtype: Dtype;
  readonly shape: Shape;
  readonly dataOffset: number;
  /** Rows start (included) to end (excluded), shape [end - start, ...rest], without touching the others. */
  readRows(start: number, end: number): NdArray;
  close(): void;
  [Symbol.dispose](): void;
}

/** Opens a .npy file after checking its header and its size; throws `fortran-order`, for rows are not contiguous there. */
export function openNpy(path: string): NpyFile {
  const source = fileSource(path);
  try {
    const header = readNpyHeader(source);
    checkSize(source, header);
    if (header.fortranOrder || header.shape.length === 0) {
      throw new ArtifactError(
        "fortran-order",
        `openNpy: ${path} has no contiguous rows. Save it again: np.save(path, np.ascontiguousarray(array)).`,
      );
    }
    const { dtype, shape, dataOffset } = header;
    const close = () => source.close();
    const readRows = (start: number, end: number) => rows(source, header, start, end);
    return { dtype, shape, dataOffset, readRows, close, [Symbol.dispose]: close };
  } catch (error) {
    source.close();
    throw error;
  }
}

function rows(source: ByteSource, header: NpyHeader, start: number, end: number): NdArray {
  const [count, ...rest] = header.shape;
  if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= count)) {
    throw new ArtifactError("invalid-argument", `readRows: got rows ${start} to ${end}, ${source.label} has ${count}.`);
  }
  const rowSizeBytes = elementCount(rest) * itemSizeBytes(header.dtype);
  const bytes = source.read(header.dataOffset + start * rowSizeBytes, (end - start) * rowSizeBytes);
  return arrayFromBytes(header.dtype, [end - start, ...rest], bytes);
}

function readArray(source: ByteSource): NdArray {
  const header = readNpyHeader(source);
  const dataSizeBytes = checkSize(source, header);
  const { dtype, shape, dataOffset } = header;
  const bytes = source.read(dataOffset, dataSizeBytes);
  if (!header.fortranOrder) return arrayFromBytes(dtype, shape, bytes);
  const flat = arrayFromBytes(dtype, [elementCount(shape)], bytes);
  return copyStrided(dtype, flat.data, { offset: 0, shape, strides: columnMajorStrides(shape) });
}

function checkSize(source: ByteSource, header: NpyHeader): number {
  const wanted = elementCount(header.shape) * itemSizeBytes(header.dtype);
  const got = source.sizeBytes - header.dataOffset;
  if (got !== wanted) {
    throw new ArtifactError(
      got < wanted ? "truncated" : "trailing-bytes",
      `${source.label}: got ${got} bytes of elements, wanted ${wanted} for ${header.dtype} ` +
        `of shape (${header.shape.join(", ")}). ${got < wanted ? "The file is incomplete: copy it again." : ""}`.trimEnd(),
    );
  }
  return wanted;
}
