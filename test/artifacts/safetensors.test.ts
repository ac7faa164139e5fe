// safetensors: the canonical bytes, one test per malformation, and an independent reader in Python.
import { describe, expect, test } from "bun:test";
import {
  ArtifactError,
  bytesOf,
  decodeSafetensors,
  encodeSafetensors,
  ndarray,
  openSafetensors,
  readSafetensors,
  safetensorsChunks,
  writeSafetensors,
} from "@cleanloop/artifacts";
import fc from "fast-check";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf, findPython, runPython, temporaryDirectory } from "./support.ts";

const directory = temporaryDirectory();
const numpy = findPython("numpy");

/** A file with any header text and a buffer of `bufferSizeBytes` zeros. */
function fileWith(header: string | Uint8Array, bufferSizeBytes = 0, claimedSizeBytes?: bigint): Uint8Array {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimedSizeBytes ?? BigInt(text.byteLength));
  return Buffer.concat([length, text, Buffer.alloc(bufferSizeBytes)]);
}

const tensor = (dtype: unknown, shape: unknown, offsets: unknown) =>
  JSON.stringify({ dtype, shape, data_offsets: offsets });

describe("writing", () => {
  test("a small file has exactly these bytes", () => {
    const bytes = encodeSafetensors(
      { b: ndarray([1], new Float32Array([1])), a: ndarray([2], new Uint8Array([5, 6])) },
      { note: "x" },
    );
    const header =
      '{"__metadata__":{"note":"x"},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},' +
      '"a":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(padded.length));
    expect(Buffer.from(bytes).toString("latin1")).toBe(length.toString("latin1") + padded + "\x00\x00\x80\x3f\x05\x06");
  });

  test("tensors are aligned to their element size and names sorted, whatever the order given", () => {
    const tensors = {
      u8: ndarray([3], new Uint8Array([1, 2, 3])),
      i64: ndarray([1], new BigInt64Array([-1n])),
      f16: ndarray([1], new Float16Array([0.5])),
      f64: ndarray([1], new Float64Array([Math.PI])),
    };
    const bytes = encodeSafetensors(tensors);
    expect(encodeSafetensors(Object.fromEntries(Object.entries(tensors).reverse()))).toEqual(bytes);
    const path = join(directory, "aligned.safetensors");
    writeFileSync(path, bytes);
    using file = openSafetensors(path);
    expect([...file.tensors.keys()]).toEqual(["f64", "i64", "f16", "u8"]);
    expect((bytes.byteLength - (8 + 8 + 2 + 3)) % 8).toBe(0);
    for (const info of file.tensors.values()) expect(info.begin % Math.min(8, info.end - info.begin || 1)).toBe(0);
  });

  test("chunks are views of the tensors' own memory", () => {
    const weights = new Float32Array([1, 2, 3, 4]);
    const [, chunk] = [...safetensorsChunks({ weights: ndarray([4], weights) })];
    weights[0] = 9;
    expect(new Float32Array(chunk.buffer, chunk.byteOffset, 4)[0]).toBe(9);
  });

  test("names such as 0, __proto__ and a quote survive; __metadata__ is refused", () => {
    const one = ndarray([1], new Uint8Array([1]));
    const tensors = Object.fromEntries(["10", "9", "__proto__", 'a"b\\', "ü"].map((name) => [name, one]));
    expect(new Set(decodeSafetensors(encodeSafetensors(tensors)).tensors.keys())).toEqual(new Set(Object.keys(tensors)));
    expect(codeOf(() => encodeSafetensors({ __metadata__: one }))).toBe("invalid-argument");
  });
});

describe("reading", () => {
  test("any tensors come back bit by bit", () => {
    const entry = fc.tuple(fc.string(), fc.float32Array());
    fc.assert(
      fc.property(fc.uniqueArray(entry, { selector: ([name]) => name, maxLength: 6 }), (entries) => {
        const tensors = Object.fromEntries(entries.map(([name, data]) => [name, ndarray([data.length], data)]));
        const found = decodeSafetensors(encodeSafetensors(tensors)).tensors;
        expect(new Set(found.keys())).toEqual(new Set(Object.keys(tensors)));
        // By bytes: the payload of a NaN counts too.
        for (const [name, data] of entries) {
          expect(found.get(name)?.shape).toEqual([data.length]);
          expect(Buffer.compare(bytesOf(data), bytesOf(found.get(name)?.data as Float32Array))).toBe(0);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("an unaligned header, as other writers make it, is read", () => {
    const file = fileWith(`{"x":${tensor("F32", [1], [0, 4])}}`.padEnd(61), 4);
    expect(decodeSafetensors(file).tensors.get("x")).toEqual(ndarray([1], new Float32Array([0])));
  });

  test("a file without tensors is valid", () => {
    expect(decodeSafetensors(fileWith("{}")).tensors.size).toBe(0);
    expect(decodeSafetensors(fileWith('{"__metadata__":{"a":"b"}}')).metadata).toEqual({ a: "b" });
  });

  test("a scalar has one element, a size of zero has none", () => {
    const header = `{"scalar":${tensor("F64", [], [0, 8])},"empty":${tensor("F64", [3, 0], [8, 8])}}`;
    const { tensors } = decodeSafetensors(fileWith(header, 8));
    expect([tensors.get("scalar")?.data.length, tensors.get("empty")?.shape]).toEqual([1, [3, 0]]);
  });

  test("openSafetensors reads one tensor and names those there are", async () => {
    const path = join(directory, "open.safetensors");
    await writeSafetensors(path, { w: ndarray([2], new Int32Array([3, 4])) }, { epoch: "2" });
    using file = openSafetensors(path);
    expect(file.read("w")).toEqual(ndarray([2], new Int32Array([3, 4])));
    expect(file.metadata).toEqual({ epoch: "2" });
    expect(() => file.read("v")).toThrow(/no tensor "v".*w/);
    expect(codeOf(() => file.read("v"))).toBe("tensor-not-found");
  });
});

describe("malformed files", () => {
  const cases: [string, string, Uint8Array][] = [
    ["empty file", "header-too-small", new Uint8Array()],
    ["seven bytes", "header-too-small", new Uint8Array(7)],
    ["header of 100 MB and one byte", "header-too-large", fileWith("{}", 0, 100_000_001n)],
    ["header of 2^64 - 1 bytes", "header-too-large", fileWith("{}", 0, 2n ** 64n - 1n)],
    ["header longer than the file", "header-length", fileWith("{}", 0, 3n)],
    ["header of no bytes", "header-start", fileWith("")],
    ["header begins with a space", "header-start", fileWith(" {}")],
    ["header is an array", "header-start", fileWith("[]")],
    ["header begins with a byte order mark", "header-start", fileWith("\ufeff{}")],
    ["header is not UTF-8", "header-utf8", fileWith(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))],
    ["header is cut JSON", "header-json", fileWith('{"a":')],
    ["header has something after the object", "header-json", fileWith("{}{}")],
    ["header with trailing comma", "header-json", fileWith('{"a":1,}')],
    [
      "tensor name twice",
      "duplicate-key",
      fileWith(`{"a":${tensor("U8", [1], [0, 1])},"a":${tensor("U8", [1], [0, 1])}}`, 1),
    ],
    [
      "tensor name twice, once escaped",
      "duplicate-key",
      fileWith(`{"a":${tensor("U8", [1], [0, 1])},"\\u0061":${tensor("U8", [1], [0, 1])}}`, 1),
    ],
    ["field twice", "duplicate-key", fileWith('{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1)],
    ["metadata is a list", "bad-metadata", fileWith('{"__metadata__":["a"]}')],
    ["metadata has a number", "bad-metadata", fileWith('{"__metadata__":{"a":1}}')],
    ["tensor is null", "tensor-info", fileWith('{"a":null}')],
    ["tensor is a list", "tensor-info", fileWith('{"a":[]}')],
    ["no dtype", "tensor-info", fileWith('{"a":{"shape":[1],"data_offsets":[0,1]}}', 1)],
    ["no shape", "tensor-info", fileWith('{"a":{"dtype":"U8","data_offsets":[0,1]}}', 1)],
    ["no offsets", "tensor-info", fileWith('{"a":{"dtype":"U8","shape":[1]}}', 1)],
    ["three offsets", "tensor-info", fileWith(`{"a":${tensor("U8", [1], [0, 1, 1])}}`, 1)],
    ["negative size", "tensor-info", fileWith(`{"a":${tensor("U8", [-1], [0, 1])}}`, 1)],
    ["fractional size", "tensor-info", fileWith(`{"a":${tensor("U8", [0.5], [0, 1])}}`, 1)],
    ["size as text", "tensor-info", fileWith(`{"a":${tensor("U8", ["1"], [0, 1])}}`, 1)],
    ["unknown dtype", "unknown-dtype", fileWith(`{"a":${tensor("Q7", [1], [0, 1])}}`, 1)],
    ["dtype in lower case", "unknown-dtype", fileWith(`{"a":${tensor("f32", [1], [0, 4])}}`, 4)],
    ["bfloat16", "unsupported-dtype", fileWith(`{"a":${tensor("BF16", [1], [0, 2])}}`, 2)],
    ["shape overflows", "shape-overflow", fileWith(`{"a":${tensor("U8", [2 ** 40, 2 ** 40], [0, 1])}}`, 1)],
    ["shape overflows to zero bytes", "shape-overflow", fileWith(`{"a":${tensor("F32", [2 ** 62, 4], [0, 0])}}`)],
    ["offsets run backwards", "bad-offsets", fileWith(`{"a":${tensor("U8", [1], [1, 0])}}`, 1)],
    ["offset beyond 2^53", "bad-offsets", fileWith(`{"a":${tensor("U8", [1], [0, 2 ** 60])}}`, 1)],
    ["fewer bytes than the shape needs", "size-mismatch", fileWith(`{"a":${tensor("F32", [2], [0, 4])}}`, 4)],
    ["more bytes than the shape needs", "size-mismatch", fileWith(`{"a":${tensor("F32", [], [0, 8])}}`, 8)],
    ["hole at the start", "bad-offsets", fileWith(`{"a":${tensor("U8", [1], [1, 2])}}`, 2)],
    [
      "hole between tensors",
      "bad-offsets",
      fileWith(`{"a":${tensor("U8", [1], [0, 1])},"b":${tensor("U8", [1], [2, 3])}}`, 3),
    ],
    [
      "overlap",
      "bad-offsets",
      fileWith(`{"a":${tensor("U8", [2], [0, 2])},"b":${tensor("U8", [2], [1, 3])}}`, 3),
    ],
    [
      "two tensors on the same bytes",
      "bad-offsets",
      fileWith(`{"a":${tensor("U8", [2], [0, 2])},"b":${tensor("U8", [2], [0, 2])}}`, 2),
    ],
    ["buffer too short", "incomplete-buffer", fileWith(`{"a":${tensor("U8", [4], [0, 4])}}`, 3)],
    ["buffer too long", "incomplete-buffer", fileWith(`{"a":${tensor("U8", [4], [0, 4])}}`, 5)],
    ["buffer without tensors", "incomplete-buffer", fileWith("{}", 1)],
  ];
  for (const [name, code, bytes] of cases) {
    test(`${name}: ${code}`, () => expect(codeOf(() => decodeSafetensors(bytes))).toBe(code));
  }

  test("a file cut anywhere is refused", () => {
    const whole = encodeSafetensors({ a: ndarray([3], new Float32Array([1, 2, 3])) });
    for (let length = 0; length < whole.byteLength; length++) {
      expect(() => decodeSafetensors(whole.subarray(0, length))).toThrow(ArtifactError);
    }
  });

  test("a changed header byte is refused or harmless, never a crash", () => {
    const whole = encodeSafetensors({ a: ndarray([3], new Float32Array([1, 2, 3])) }, { k: "v" });
    for (let at = 0; at < whole.byteLength - 12; at++) {
      const bytes = whole.slice();
      bytes[at] ^= 0x11;
      try {
        decodeSafetensors(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(ArtifactError);
      }
    }
  });
});

/** Reads the format from its description alone: struct, json and numpy. */
const independentReader = `
import sys, json, struct, numpy as np
types = {"BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4",
         "U64": "<u8", "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8"}
with open(sys.argv[1], "rb") as f: raw = f.read()
n, = struct.unpack("<Q", raw[:8])
header = json.loads(raw[8:8 + n].decode("utf-8"))
meta = header.pop("__metadata__", {})
data = raw[8 + n:]
tensors = {}
for name, info in header.items():
    begin, end = info["data_offsets"]
    tensors[name] = np.frombuffer(data[begin:end], types[info["dtype"]]).reshape(info["shape"])
assert sum(t.nbytes for t in tensors.values()) == len(data)
`;

describe("Python", () => {
  test.skipIf(!numpy)("an independent reader finds every dtype, shape and value", async () => {
    const path = join(directory, "ours.safetensors");
    await writeSafetensors(
      path,
      {
        flags: ndarray([2], new Uint8Array([1, 0]), "bool"),
        grid: ndarray([2, 3], new Float32Array([1, 2, 3, 4, 5, 6])),
        big: ndarray([1], new BigUint64Array([2n ** 64n - 1n])),
        half: ndarray([1], new Float16Array([0.1])),
        scalar: ndarray([], new Float64Array([-0.1])),
        none: ndarray([0, 4], new Int16Array(0)),
      },
      { state: '{"epoch": 3}' },
    );
    const checks = `
assert meta == {"state": '{"epoch": 3}'}
assert tensors["flags"].tolist() == [True, False]
assert tensors["grid"].tolist() == [[1, 2, 3], [4, 5, 6]]
assert tensors["big"].tolist() == [2**64 - 1]
assert tensors["half"][0] == np.float16(0.1)
assert tensors["scalar"].shape == () and tensors["scalar"] == -0.1
assert tensors["none"].shape == (0, 4)
print(len(tensors))`;
    expect(runPython(numpy, independentReader + checks, path).trim()).toBe("6");
  });

  test.skipIf(!numpy)("a file written by an independent writer is read", () => {
    const program = `
import sys, json, struct, numpy as np
a = np.arange(6, dtype="<f4").reshape(2, 3); b = np.array([-1, 2**40], dtype="<i8")
h = json.dumps({"__metadata__": {"format": "np"},
  "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
  "b": {"dtype": "I64", "shape": [2], "data_offsets": [24, 40]}}).encode()
with open(sys.argv[1], "wb") as f: f.write(struct.pack("<Q", len(h)) + h + a.tobytes() + b.tobytes())`;
    const path = join(directory, "theirs.safetensors");
    runPython(numpy, program, path);
    const { tensors, metadata } = readSafetensors(path);
    expect(metadata).toEqual({ format: "np" });
    expect(tensors.get("a")).toEqual(ndarray([2, 3], new Float32Array([0, 1, 2, 3, 4, 5])));
    expect(tensors.get("b")).toEqual(ndarray([2], new BigInt64Array([-1n, 2n ** 40n])));
  });
});
