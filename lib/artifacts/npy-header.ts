// The header of NumPy's .npy format, versions 1.0 to 3.0 (numpy/lib/format.py describes it).
import type { ByteSource } from "./byte-source.ts";
import { ArtifactError } from "./errors.ts";
import type { Dtype, Shape } from "./ndarray.ts";
import { descrOf, dtypeFromDescr } from "./numpy-dtype.ts";

export interface NpyHeader {
  dtype: Dtype;
  shape: number[];
  fortranOrder: boolean;
  /** Where the elements begin, in bytes from the start of the file. */
  dataOffset: number;
}

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** NumPy writes 128 bytes; a longer header than this is an attack or damage. */
const maxHeaderSizeBytes = 2 ** 20;

/** The bytes before the elements of a C-ordered array: version 1.0, padded to a multiple of 64. */
export function encodeNpyHeader(dtype: Dtype, shape: Shape): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${descrOf(dtype)}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const sizeBytes = Math.ceil((10 + text.length + 1) / 64) * 64;
  if (sizeBytes - 10 > 0xffff) throw new ArtifactError("invalid-argument", `encodeNpyHeader: ${shape.length} axes.`);
  const header = new Uint8Array(sizeBytes).fill(0x20);
  header.set(magic);
  header.set([1, 0, (sizeBytes - 10) & 0xff, (sizeBytes - 10) >> 8], 6);
  header.set(Buffer.from(text, "latin1"), 10);
  header[sizeBytes - 1] = 0x0a;
  return header;
}

/** Reads and checks the header; throws `not-this-format`, `unsupported-version`, `bad-header` or `truncated`. */
export function readNpyHeader(source: ByteSource): NpyHeader {
  const start = source.read(0, Math.min(12, source.sizeBytes));
  if (start.length < magic.length || magic.some((byte, i) => start[i] !== byte)) {
    throw new ArtifactError("not-this-format", `${source.label}: is not a .npy file (no \\x93NUMPY at its start).`);
  }
  source.read(0, 12);
  const major = start[6];
  if (major < 1 || major > 3 || start[7] !== 0) {
    throw new ArtifactError(
      "unsupported-version",
      `${source.label}: got .npy version ${major}.${start[7]}, wanted 1.0, 2.0 or 3.0.`,
    );
  }
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const textOffset = major === 1 ? 10 : 12;
  const textSizeBytes = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (textSizeBytes > maxHeaderSizeBytes) {
    throw new ArtifactError("bad-header", `${source.label}: the .npy header claims ${textSizeBytes} bytes.`);
  }
  const textBytes = source.read(textOffset, textSizeBytes);
  const text = Buffer.from(textBytes).toString(major === 3 ? "utf8" : "latin1");
  return { ...parseHeaderText(text, source.label), dataOffset: textOffset + textSizeBytes };
}

/** One `'key': value,` of the header: the value a string, a boolean, a tuple of sizes or a record dtype. */
const entryPattern =
  /\s*(["'])(\w+)\1\s*:\s*(?:(["'])([^"'\\]*)\3|(True|False)|\(((?:\s*\d+\s*,)*\s*(?:\d+\s*)?)\)|(\[[^{}]*\]))\s*(,|(?=\}))/y;

function parseHeaderText(text: string, label: string): Omit<NpyHeader, "dataOffset"> {
  const bad = (reason: string) => new ArtifactError("bad-header", `${label}: the .npy header ${reason}: ${text.trim()}`);
  const body = /^\s*\{(.*)\}\s*$/s.exec(text);
  if (!body) throw bad("is not a dictionary");
  const inner = `${body[1]}}`;
  const entries = new Map<string, RegExpExecArray>();
  entryPattern.lastIndex = 0;
  while (inner.slice(entryPattern.lastIndex).trim() !== "}") {
    const entry = entryPattern.exec(inner);
    if (!entry) throw bad("cannot be parsed");
    if (entries.has(entry[2])) throw bad(`says ${entry[2]} twice`);
    entries.set(entry[2], entry);
  }
  const [descr, order, shape] = ["descr", "fortran_order", "shape"].map((key) => entries.get(key));
  if (entries.size !== 3 || !descr || !order?.[5] || shape?.[6] === undefined) {
    throw bad("lacks a valid descr, fortran_order or shape, or has more than these");
  }
  if (descr[4] === undefined) {
    throw new ArtifactError("unsupported-dtype", `${label}: got a record dtype ${descr[7]}, wanted a plain one.`);
  }
  // A tuple of one is written (3,); plain (3) would be a number in Python.
  if (/^\s*\d+\s*$/.test(shape[6])) throw bad("has a number as its shape");
  const sizes = shape[6].split(",").filter((size) => size.trim() !== "");
  return {
    dtype: dtypeFromDescr(descr[4], label),
    shape: sizes.map(Number),
    fortranOrder: order[5] === "True",
  };
}
