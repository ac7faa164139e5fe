// The header of a safetensors file: built in one canonical way, read with every rule of the format enforced.
import type { ByteSource } from "./byte-source.ts";
import { ArtifactError, type ArtifactErrorCode } from "./errors.ts";
import { duplicateJsonKey } from "./json-keys.ts";
import { type Dtype, elementCount, itemSizeBytes, type Shape } from "./ndarray.ts";

const dtypeNames: Record<Dtype, string> = {
  bool: "BOOL",
  uint8: "U8",
  int8: "I8",
  uint16: "U16",
  int16: "I16",
  uint32: "U32",
  int32: "I32",
  uint64: "U64",
  int64: "I64",
  float16: "F16",
  float32: "F32",
  float64: "F64",
};
const dtypes = new Map(Object.entries(dtypeNames).map(([dtype, name]) => [name, dtype as Dtype]));
/** Part of the format, but without a typed array in JavaScript. */
const otherDtypes = /^(BF16|C64|F8_\w+|F6_\w+|F4)$/;

export const maxHeaderSizeBytes = 100_000_000;

/** Where a tensor lies: `begin` and `end` count bytes from the end of the header. */
export interface TensorInfo {
  dtype: Dtype;
  shape: number[];
  begin: number;
  end: number;
}

export interface SafetensorsHeader {
  tensors: Map<string, TensorInfo>;
  metadata: Record<string, string>;
  /** Where the tensors begin, in bytes from the start of the file. */
  dataOffset: number;
}

/**
 * The header bytes (length included) and the order in which the tensors follow: large element types first, so that each
 * tensor is aligned, then by name. Padded with spaces to a multiple of 8 bytes.
 */
export function encodeHeader(
  tensors: Readonly<Record<string, { dtype: Dtype; shape: Shape }>>,
  metadata: Readonly<Record<string, string>>,
): { bytes: Uint8Array; order: string[] } {
  const compare = (a: string, b: string) => (a < b ? -1 : Number(a > b));
  const order = Object.keys(tensors).sort(
    (a, b) => itemSizeBytes(tensors[b].dtype) - itemSizeBytes(tensors[a].dtype) || compare(a, b),
  );
  // Built as text: an object literal would move names such as "0" to the front and lose "__proto__".
  const fields: string[] = [];
  const metadataKeys = Object.keys(metadata).sort(compare);
  if (metadataKeys.length > 0) {
    const entries = metadataKeys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(String(metadata[key]))}`);
    fields.push(`"__metadata__":{${entries.join(",")}}`);
  }
  let begin = 0;
  for (const name of order) {
    if (name === "__metadata__") {
      throw new ArtifactError("invalid-argument", "safetensors: a tensor cannot be named __metadata__.");
    }
    const { dtype, shape } = tensors[name];
    const end = begin + elementCount(shape) * itemSizeBytes(dtype);
    const info = { dtype: dtypeNames[dtype], shape, data_offsets: [begin, end] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`);
    begin = end;
  }
  const text = Buffer.from(`{${fields.join(",")}}`);
  const sizeBytes = Math.ceil(text.byteLength / 8) * 8;
  if (sizeBytes > maxHeaderSizeBytes) {
    throw new ArtifactError("header-too-large", `safetensors: got a header of ${sizeBytes} bytes, wanted 100 MB or less.`);
  }
  const bytes = new Uint8Array(8 + sizeBytes).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(sizeBytes), true);
  bytes.set(text, 8);
  return { bytes, order };
}

/** Reads and checks the header; every malformation has its own error code. */
export function readHeader(source: ByteSource): SafetensorsHeader {
  const fail = (code: ArtifactErrorCode, reason: string) => new ArtifactError(code, `${source.label}: ${reason}.`);
  if (source.sizeBytes < 8) throw fail("header-too-small", `got ${source.sizeBytes} bytes, wanted a safetensors header`);
  const start = source.read(0, 8);
  const headerSize = new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true);
  if (headerSize > maxHeaderSizeBytes) {
    throw fail("header-too-large", `the header claims ${headerSize} bytes; this is not a safetensors file`);
  }
  const dataOffset = 8 + Number(headerSize);
  if (dataOffset > source.sizeBytes) {
    throw fail("header-length", `the header claims ${headerSize} bytes, the file has ${source.sizeBytes}`);
  }
  const headerBytes = source.read(8, Number(headerSize));
  if (headerBytes[0] !== 0x7b) throw fail("header-start", "the header does not begin with {");
  let text: string;
  let json: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(headerBytes);
  } catch {
    throw fail("header-utf8", "the header is not UTF-8");
  }
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw fail("header-json", `the header is not JSON (${(cause as Error).message})`);
  }
  const repeated = duplicateJsonKey(text);
  if (repeated !== null) throw fail("duplicate-key", `the header has "${repeated}" twice`);

  const tensors = new Map<string, TensorInfo>();
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(json as object)) {
    if (name === "__metadata__") {
      if (!isRecord(value) || Object.values(value).some((item) => typeof item !== "string")) {
        throw fail("bad-metadata", "__metadata__ is not an object of strings");
      }
      metadata = value as Record<string, string>;
    } else {
      tensors.set(name, parseTensorInfo(value, (code, reason) => fail(code, `tensor "${name}" ${reason}`)));
    }
  }
  checkCover(tensors, source.sizeBytes - dataOffset, fail);
  return { tensors, metadata, dataOffset };
}

type Fail = (code: ArtifactErrorCode, reason: string) => ArtifactError;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => typeof n === "number" && Number.isInteger(n) && n >= 0);
}

function parseTensorInfo(value: unknown, fail: Fail): TensorInfo {
  if (!isRecord(value)) throw fail("tensor-info", "is not described by an object");
  const { dtype: dtypeName, shape, data_offsets: offsets } = value;
  if (typeof dtypeName !== "string" || !isCounts(shape) || !isCounts(offsets) || offsets.length !== 2) {
    throw fail("tensor-info", "lacks a valid dtype, shape or data_offsets");
  }
  const dtype = dtypes.get(dtypeName);
  if (!dtype) {
    if (otherDtypes.test(dtypeName)) {
      throw fail("unsupported-dtype", `has dtype ${dtypeName}, which JavaScript lacks. Convert it to F32 first`);
    }
    throw fail("unknown-dtype", `has dtype "${dtypeName}"`);
  }
  const sizeBytes = shape.reduce((product, size) => product * size, itemSizeBytes(dtype));
  if (!Number.isSafeInteger(sizeBytes) || shape.some((size) => !Number.isSafeInteger(size))) {
    throw fail("shape-overflow", `has shape (${shape.join(", ")}), too large to count`);
  }
  const [begin, end] = offsets;
  if (!Number.isSafeInteger(end) || begin > end) throw fail("bad-offsets", `has data_offsets ${begin} to ${end}`);
  if (end - begin !== sizeBytes) {
    throw fail("size-mismatch", `has ${end - begin} bytes, ${dtypeName} of shape (${shape.join(", ")}) needs ${sizeBytes}`);
  }
  return { dtype, shape, begin, end };
}

/** The byte ranges must tile the buffer: no hole, no overlap, nothing after the last. */
function checkCover(tensors: Map<string, TensorInfo>, bufferSizeBytes: number, fail: Fail): void {
  const ordered = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const [name, { begin, end }] of ordered) {
    if (begin !== covered) {
      throw fail("bad-offsets", `tensor "${name}" begins at byte ${begin}, wanted ${covered}: a hole or an overlap`);
    }
    covered = end;
  }
  if (covered !== bufferSizeBytes) {
    throw fail("incomplete-buffer", `the tensors cover ${covered} bytes, the file holds ${bufferSizeBytes}`);
  }
}
