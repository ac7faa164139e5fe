// torch.save files: a committed one from torch 1.13, fresh ones where torch is installed, and crafted bad ones.
import { describe, expect, test } from "bun:test";
import { decodeTorch, ndarray, openTorch, TorchTensor } from "@cleanloop/artifacts";
import { zipSync } from "fflate";
import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { codeOf, findPython, runPython, temporaryDirectory } from "./support.ts";

const directory = temporaryDirectory();
const torch = findPython("torch");
const fixtures = join(import.meta.dir, "fixtures");

/** Everything written by the installed torch, in one go: importing it takes seconds. */
const metricPath = join(directory, "metric.pt");
const freshPath = join(directory, "fresh.pt");
const legacyPath = join(directory, "legacy.pt");
if (torch) {
  const program = `${readFileSync(join(fixtures, "write_torch.py"), "utf8")}
torch.save({"centroids": torch.ones(200, 16) * 2, "M_matrices": torch.eye(16).repeat(200, 1, 1) * 0.01,
  "temperature": 0.1, "regularization": 0.01, "latent_dim": 16, "n_centroids": torch.tensor(200)}, sys.argv[2])
torch.save(torch.ones(2), sys.argv[3], _use_new_zipfile_serialization=False)`;
  runPython(torch, program, freshPath, metricPath, legacyPath);
}

/** What fixtures/write_torch.py saves, by its arithmetic. */
function expectFixture(path: string): void {
  using file = openTorch(path);
  const root = file.root as Map<string, unknown>;
  const read = (name: string) => (root.get(name) as TorchTensor).read();
  const counting = Float32Array.from({ length: 24 }, (_, i) => i);
  expect(read("base")).toEqual(ndarray([2, 3, 4], counting));
  // base[i, j, k] = 12 i + 4 j + k, and transposed[k, i, j] is the same number.
  const transposed = [0, 1, 2, 3].flatMap((k) => [0, 1].flatMap((i) => [0, 1, 2].map((j) => 12 * i + 4 * j + k)));
  expect(read("transposed")).toEqual(ndarray([4, 2, 3], new Float32Array(transposed)));
  expect(read("rows")).toEqual(ndarray([2, 4], counting.slice(16)));
  expect(read("expanded")).toEqual(ndarray([2, 3], new Float32Array(6).fill(5)));
  expect(read("bool")).toEqual(ndarray([2], new Uint8Array([1, 0]), "bool"));
  expect(read("uint8")).toEqual(ndarray([2], new Uint8Array([0, 255])));
  expect(read("int8")).toEqual(ndarray([2], new Int8Array([-128, 127])));
  expect(read("int16")).toEqual(ndarray([2], new Int16Array([-32768, 32767])));
  expect(read("int32")).toEqual(ndarray([2], new Int32Array([-2147483648, 2147483647])));
  expect(read("int64")).toEqual(ndarray([2], new BigInt64Array([-(2n ** 63n), 2n ** 63n - 1n])));
  expect(read("float16")).toEqual(ndarray([2], new Float16Array([0.5, -2])));
  expect(read("float64")).toEqual(ndarray([1], new Float64Array([0.1])));
  expect(read("scalar")).toEqual(ndarray([], new Float32Array([7])));
  expect(read("empty")).toEqual(ndarray([0, 3], new Float32Array(0)));
  const plain = ["shape", "temperature", "n_centroids", "big", "none", "names"].map((name) => root.get(name));
  expect(plain).toEqual([[1, 2], 0.7, 50, 2n ** 70n, null, ["a", ["b", true]]]);
  const state = root.get("state") as Map<string, TorchTensor>;
  expect([...state.keys()]).toEqual(["layers.0.0.weight"]);
  expect(state.get("layers.0.0.weight")?.read()).toEqual(ndarray([3, 4], counting.slice(0, 12)));

  const view = root.get("transposed") as TorchTensor;
  expect(view.readRows(1, 3)).toEqual(ndarray([2, 2, 3], new Float32Array(transposed.slice(6, 18))));
  expect((root.get("base") as TorchTensor).readRows(1, 2)).toEqual(ndarray([1, 3, 4], counting.slice(12)));
  expect((root.get("empty") as TorchTensor).readRows(0, 0).shape).toEqual([0, 3]);
  expect(codeOf(() => view.readRows(3, 5))).toBe("invalid-argument");
  expect(codeOf(() => (root.get("scalar") as TorchTensor).readRows(0, 1))).toBe("invalid-argument");
}

describe("good files", () => {
  test("a file of torch 1.13 is read: dtypes, views, state dict, plain values", () => {
    expectFixture(join(fixtures, "torch-1.13.pt"));
  });

  test.skipIf(!torch)("so is one of the torch that is installed", () => {
    expectFixture(freshPath);
  });

  test.skipIf(!torch)("a metric file with the original's keys is read", () => {
    using file = openTorch(metricPath);
    const metric = file.root as Map<string, unknown>;
    expect((metric.get("centroids") as TorchTensor).shape).toEqual([200, 16]);
    const matrices = (metric.get("M_matrices") as TorchTensor).readRows(199, 200);
    const expected = Float32Array.from({ length: 256 }, (_, i) => (i % 17 === 0 ? 0.01 : 0));
    expect(matrices).toEqual(ndarray([1, 16, 16], expected));
    expect([metric.get("temperature"), metric.get("latent_dim")]).toEqual([0.1, 16]);
    expect((metric.get("n_centroids") as TorchTensor).read().data).toEqual(new BigInt64Array([200n]));
  });
});

/** A pickle of one float32 tensor over storage "0". */
function tensorPickle(storageElements: number, offset: number, shape: number[], strides: number[]): Buffer {
  const int = (value: number) => {
    const long = Buffer.alloc(10);
    long.writeUInt8(0x8a);
    long.writeUInt8(8, 1);
    long.writeBigInt64LE(BigInt(value), 2);
    return long.toString("latin1");
  };
  const text = (value: string) => `X${String.fromCharCode(value.length)}\x00\x00\x00${value}`;
  const tuple = (items: string[]) => `(${items.join("")}t`;
  const storage = tuple([text("storage"), "ctorch\nFloatStorage\n", text("0"), text("cpu"), int(storageElements)]);
  const args = [`${storage}Q`, int(offset), tuple(shape.map(int)), tuple(strides.map(int)), "\x89", "N"];
  return Buffer.from(`\x80\x02ctorch._utils\n_rebuild_tensor_v2\n${tuple(args)}R.`, "latin1");
}

const archive = (members: Record<string, Uint8Array>) =>
  zipSync(Object.fromEntries(Object.entries(members).map(([name, data]) => [`archive/${name}`, data])), { level: 0 });

/** A stored zip member of any size: its header, and the record of the directory. */
function member(name: string, data: Uint8Array, sizeBytes: number, offset: number): [Buffer, Buffer] {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(20);
  fields.writeUInt32LE(data.byteLength === sizeBytes ? crc32(data) : 0, 10);
  fields.writeUInt32LE(sizeBytes, 14);
  fields.writeUInt32LE(sizeBytes, 18);
  fields.writeUInt16LE(name.length, 22);
  const tail = Buffer.alloc(14);
  tail.writeUInt32LE(offset, 10);
  const label = Buffer.from(name);
  return [
    Buffer.concat([Buffer.from("PK\x03\x04"), fields, label]),
    Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), fields, tail, label]),
  ];
}

describe("large files", () => {
  test("rows of a 3.4 GB tensor are read without loading it", () => {
    // The shape of the full sprites set: 9,000 sequences of 8 frames of 64 x 64 RGB.
    const shape = [9000, 8, 64, 64, 3];
    const elements = shape.reduce((product, size) => product * size);
    const pickle = tensorPickle(elements, 0, shape, [98304, 12288, 192, 3, 1]);
    const [pickleHeader, pickleRecord] = member("archive/data.pkl", pickle, pickle.byteLength, 0);
    const dataHeaderOffset = pickleHeader.byteLength + pickle.byteLength;
    const [dataHeader, dataRecord] = member("archive/data/0", new Uint8Array(), elements * 4, dataHeaderOffset);
    const dataOffset = dataHeaderOffset + dataHeader.byteLength;
    const end = Buffer.alloc(22);
    end.write("PK\x05\x06");
    end.writeUInt16LE(2, 8);
    end.writeUInt16LE(2, 10);
    end.writeUInt32LE(pickleRecord.byteLength + dataRecord.byteLength, 12);
    end.writeUInt32LE(dataOffset + elements * 4, 16);

    const directoryBytes = Buffer.concat([pickleRecord, dataRecord, end]);

    const path = join(directory, "sprites.pt");
    const descriptor = openSync(path, "w");
    writeSync(descriptor, Buffer.concat([pickleHeader, pickle, dataHeader]));
    ftruncateSync(descriptor, dataOffset + elements * 4);
    const lastRow = dataOffset + 8999 * 98304 * 4;
    writeSync(descriptor, new Float32Array([0.25, 0.5]), 0, 8, lastRow);
    writeSync(descriptor, directoryBytes, 0, directoryBytes.byteLength, dataOffset + elements * 4);
    closeSync(descriptor);

    const before = process.memoryUsage().rss;
    using file = openTorch(path);
    const rows = (file.root as TorchTensor).readRows(8999, 9000);
    expect(rows.shape).toEqual([1, 8, 64, 64, 3]);
    expect(rows.data.slice(0, 3)).toEqual(new Float32Array([0.25, 0.5, 0]));
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  });
});

describe("bad files", () => {
  const four = new Uint8Array(16);
  const good = tensorPickle(4, 0, [2, 2], [2, 1]);

  test("the crafted files below differ from this good one in one thing each", () => {
    const tensor = decodeTorch(archive({ "data.pkl": good, "data/0": four })).root as TorchTensor;
    expect(tensor.read()).toEqual(ndarray([2, 2], new Float32Array(4)));
  });

  const cases: [string, string, Uint8Array][] = [
    ["not a zip file", "not-this-format", Buffer.from("hello, this is text")],
    ["an empty file", "not-this-format", new Uint8Array()],
    ["a zip file of other things", "not-this-format", archive({ "readme.txt": four })],
    ["a bare pickle", "legacy-torch", Buffer.from("\x80\x02N.", "latin1")],
    ["TorchScript", "not-this-format", archive({ "data.pkl": good, "data/0": four, "constants.pkl": four })],
    ["big-endian", "big-endian", archive({ "data.pkl": good, "data/0": four, byteorder: Buffer.from("big") })],
    ["a storage that is missing", "bad-torch", archive({ "data.pkl": good })],
    ["a storage that is too short", "bad-torch", archive({ "data.pkl": good, "data/0": four.subarray(0, 12) })],
    ["a view beyond its storage", "bad-torch", archive({ "data.pkl": tensorPickle(4, 1, [2, 2], [2, 1]), "data/0": four })],
    ["strides beyond the storage", "bad-torch", archive({ "data.pkl": tensorPickle(4, 0, [2, 2], [3, 1]), "data/0": four })],
    ["a negative offset", "bad-torch", archive({ "data.pkl": tensorPickle(4, -1, [2], [1]), "data/0": four })],
    ["a negative stride", "bad-torch", archive({ "data.pkl": tensorPickle(4, 3, [2], [-1]), "data/0": four })],
    ["fewer strides than sizes", "bad-torch", archive({ "data.pkl": tensorPickle(4, 0, [2, 2], [1]), "data/0": four })],
    [
      "a name that runs code",
      "pickle-global",
      archive({ "data.pkl": Buffer.from("\x80\x02cposix\nsystem\nX\x02\x00\x00\x00id\x85R.", "latin1") }),
    ],
    [
      "a tensor subclass",
      "pickle-global",
      archive({ "data.pkl": Buffer.from("\x80\x02ctorch._tensor\n_rebuild_from_type_v2\n.", "latin1") }),
    ],
    [
      "a call of a storage class",
      "bad-pickle",
      archive({ "data.pkl": Buffer.from("\x80\x02ctorch\nFloatStorage\n)R.", "latin1") }),
    ],
    [
      "an OrderedDict of numbers",
      "bad-pickle",
      archive({ "data.pkl": Buffer.from("\x80\x02ccollections\nOrderedDict\n(K\x01l\x85R.", "latin1") }),
    ],
  ];
  for (const [name, code, bytes] of cases) {
    test(`${name}: ${code}`, () => expect(codeOf(() => decodeTorch(bytes))).toBe(code));
  }

  test("a file cut anywhere is refused", () => {
    const whole = readFileSync(join(fixtures, "torch-1.13.pt"));
    for (let length = 4; length < whole.byteLength; length += 101) {
      expect(["bad-zip", "truncated"]).toContain(codeOf(() => decodeTorch(whole.subarray(0, length))));
    }
  });

  test.skipIf(!torch)("the format from before torch 1.6 is refused, with the way to convert it", () => {
    expect(codeOf(() => openTorch(legacyPath))).toBe("legacy-torch");
    expect(() => openTorch(legacyPath)).toThrow(/torch\.save\(torch\.load\(/);
  });

  test("a compressed storage is refused: it cannot be read by range", () => {
    const members = { "archive/data.pkl": good, "archive/data/0": four };
    const path = join(directory, "deflated.pt");
    writeFileSync(path, zipSync(members, { level: 9 }));
    expect(codeOf(() => openTorch(path))).toBe("bad-zip");
  });
});
