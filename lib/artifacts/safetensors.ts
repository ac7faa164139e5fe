// safetensors files: tensors by name plus string metadata, written as a stream, read whole or tensor by tensor.
import { writeAtomic, type Written } from "./atomic.ts";
import { type ByteSource, fileSource, memorySource, withFile } from "./byte-source.ts";
import { ArtifactError } from "./errors.ts";
import { arrayFromBytes, bytesOf, type NdArray } from "./ndarray.ts";
import { encodeHeader, readHeader, type SafetensorsHeader, type TensorInfo } from "./safetensors-header.ts";

export interface Safetensors {
  tensors: Map<string, NdArray>;
  metadata: Record<string, string>;
}

/** The file as chunks: the header, then a view of each tensor's own memory, so that nothing is copied. */
export function* safetensorsChunks(
  tensors: Readonly<Record<string, NdArray>>,
  metadata: Readonly<Record<string, string>> = {},
): Generator<Uint8Array> {
  const { bytes, order } = encodeHeader(tensors, metadata);
  yield bytes;
  for (const name of order) yield bytesOf(tensors[name].data);
}

/** The bytes of a safetensors file; equal input gives equal bytes. */
export function encodeSafetensors(
  tensors: Readonly<Record<string, NdArray>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  return Buffer.concat([...safetensorsChunks(tensors, metadata)]);
}

/** Writes a safetensors file atomically; the tensors must not change until the promise resolves. */
export function writeSafetensors(
  path: string,
  tensors: Readonly<Record<string, NdArray>>,
  metadata?: Readonly<Record<string, string>>,
): Promise<Written> {
  return writeAtomic(path, safetensorsChunks(tensors, metadata));
}

/** The tensors in the bytes of a safetensors file: views of `bytes` where the alignment allows. */
export function decodeSafetensors(bytes: Uint8Array, label = "safetensors data"): Safetensors {
  return readAll(memorySource(bytes, label));
}

/** Reads a whole safetensors file. */
export function readSafetensors(path: string): Safetensors {
  return withFile(path, readAll);
}

/** An open file whose tensors are read one at a time; `close` it after use. */
export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  /** One tensor; throws `tensor-not-found`. */
  read(name: string): NdArray;
  close(): void;
  [Symbol.dispose](): void;
}

/** Opens a safetensors file and checks its whole header, but reads no tensor yet. */
export function openSafetensors(path: string): SafetensorsFile {
  const source = fileSource(path);
  let header: SafetensorsHeader;
  try {
    header = readHeader(source);
  } catch (error) {
    source.close();
    throw error;
  }
  const close = () => source.close();
  return {
    tensors: header.tensors,
    metadata: header.metadata,
    read(name) {
      const info = header.tensors.get(name);
      if (!info) {
        const names = [...header.tensors.keys()].slice(0, 8).join(", ");
        throw new ArtifactError("tensor-not-found", `${path}: has no tensor "${name}". It starts with: ${names}.`);
      }
      return readTensor(source, header, info);
    },
    close,
    [Symbol.dispose]: close,
  };
}

function readTensor(source: ByteSource, header: SafetensorsHeader, info: TensorInfo): NdArray {
  return arrayFromBytes(info.dtype, info.shape, source.read(header.dataOffset + info.begin, info.end - info.begin));
}

function readAll(source: ByteSource): Safetensors {
  const header = readHeader(source);
  const tensors = new Map<string, NdArray>();
  for (const [name, info] of header.tensors) tensors.set(name, readTensor(source, header, info));
  return { tensors, metadata: header.metadata };
}
