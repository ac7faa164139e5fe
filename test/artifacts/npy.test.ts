// .npy files: byte-exact against the format's description and against NumPy, strict with everything malformed.
import { describe, expect, test } from "bun:test";
import {
  bytesOf,
  decodeNpy,
  type Dtype,
  encodeNpy,
  ndarray,
  npyChunks,
  openNpy,
  readNpy,
  writeAtomic,
  writeNpy,
} from "@cleanloop/artifacts";
import { closeSync, ftruncateSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf, codeOfAsync, findPython, runPython, temporaryDirectory } from "./support.ts";

const directory = temporaryDirectory();
const numpy = findPython("numpy");

/** A version 1.0 file with any header text, padded as the format asks, followed by `data`. */
function npyFile(header: string, data: Uint8Array = new Uint8Array(), version = [1, 0]): Uint8Array {
  const start = version[0] === 1 ? 10 : 12;
  const text = header.padEnd(Math.ceil((start + header.length + 1) / 64) * 64 - start - 1) + "\n";
  const length = Buffer.alloc(start - 8);
  length.writeUIntLE(text.length, 0, length.length);
  return Buffer.concat([Buffer.from("\x93NUMPY", "latin1"), Buffer.from(version), length, Buffer.from(text), data]);
}

const threeFloats = bytesOf(new Float32Array([1, 2, 3]));
const headerOf = (descr: string, shape: string, fortran = "False") =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;

describe("the format", () => {
  test("a float32 vector has the bytes that numpy/lib/format.py describes", () => {
    const bytes = encodeNpy(ndarray([3], new Float32Array([1, 2, 3])));
    expect(bytes.byteLength).toBe(128 + 12);
    expect(Buffer.from(bytes.subarray(0, 10)).toString("hex")).toBe("934e554d505901007600");
    expect(Buffer.from(bytes.subarray(10, 128)).toString()).toBe(
      "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }".padEnd(117) + "\n",
    );
    expect(Buffer.from(bytes.subarray(128)).toString("hex")).toBe("0000803f0000004000004040");
  });

  test("versions 2.0 and 3.0 have a four-byte header length", () => {
    for (const version of [[2, 0], [3, 0]]) {
      const array = decodeNpy(npyFile(headerOf("<f4", "(3,)"), threeFloats, version));
      expect(array).toEqual(ndarray([3], new Float32Array([1, 2, 3])));
    }
  });

  test("a scalar has shape (), an empty array has no bytes", () => {
    expect(decodeNpy(encodeNpy(ndarray([], new Float64Array([2.5]))))).toEqual(ndarray([], new Float64Array([2.5])));
    expect(decodeNpy(encodeNpy(ndarray([0, 7], new Int32Array(0))))).toEqual(ndarray([0, 7], new Int32Array(0)));
  });

  test("keys in any order, double quotes and no trailing comma are the same Python literal", () => {
    const header = `{ "shape" : ( 1 , 3 ), 'fortran_order':False,"descr":'<f4'}`;
    expect(decodeNpy(npyFile(header, threeFloats)).shape).toEqual([1, 3]);
  });

  test("Fortran order is transposed: columns (1,2), (3,4), (5,6) become rows (1,3,5), (2,4,6)", () => {
    const columns = bytesOf(new Float64Array([1, 2, 3, 4, 5, 6]));
    const array = decodeNpy(npyFile(headerOf("<f8", "(2, 3)", "True"), columns));
    expect(array).toEqual(ndarray([2, 3], new Float64Array([1, 3, 5, 2, 4, 6])));
  });

  test("elements at an odd address are copied, not misread", () => {
    const shifted = new Uint8Array(1 + 140);
    shifted.set(encodeNpy(ndarray([3], new Float32Array([1, 2, 3]))), 1);
    expect(decodeNpy(shifted.subarray(1)).data).toEqual(new Float32Array([1, 2, 3]));
  });
});

describe("malformed files", () => {
  const cases: [string, string, Uint8Array][] = [
    ["another format", "not-this-format", Buffer.from("PK\x03\x04 and so on, longer than a header")],
    ["an empty file", "not-this-format", new Uint8Array()],
    ["version 4.0", "unsupported-version", npyFile(headerOf("<f4", "(3,)"), threeFloats, [4, 0])],
    ["version 1.1", "unsupported-version", npyFile(headerOf("<f4", "(3,)"), threeFloats, [1, 1])],
    ["big-endian values", "big-endian", npyFile(headerOf(">f4", "(3,)"), threeFloats)],
    ["Python objects", "object-array", npyFile(headerOf("|O", "(3,)"), threeFloats)],
    ["text", "unsupported-dtype", npyFile(headerOf("<U3", "(1,)"), threeFloats)],
    ["complex numbers", "unsupported-dtype", npyFile(headerOf("<c8", "(1,)"), threeFloats)],
    [
      "records",
      "unsupported-dtype",
      npyFile("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (3,), }", threeFloats),
    ],
    ["a byte too many", "trailing-bytes", npyFile(headerOf("<f4", "(3,)"), Buffer.concat([threeFloats, Buffer.from("x")]))],
    ["a byte missing", "truncated", npyFile(headerOf("<f4", "(3,)"), threeFloats.subarray(0, 11))],
    ["no dictionary", "bad-header", npyFile("[1, 2]", threeFloats)],
    ["a missing key", "bad-header", npyFile("{'descr': '<f4', 'shape': (3,), }", threeFloats)],
    ["an extra key", "bad-header", npyFile(`${headerOf("<f4", "(3,)").slice(0, -1)}'x': True, }`, threeFloats)],
    ["a key twice", "bad-header", npyFile(`${headerOf("<f4", "(3,)").slice(0, -1)}'descr': '<f8', }`, threeFloats)],
    ["a call instead of a value", "bad-header", npyFile("{'descr': __import__('os'), }", threeFloats)],
    ["a negative size", "bad-header", npyFile(headerOf("<f4", "(-3,)"), threeFloats)],
    ["a number as shape", "bad-header", npyFile(headerOf("<f4", "(3)"), threeFloats)],
    ["more elements than can be counted", "shape-overflow", npyFile(headerOf("<f4", "(4294967296, 4294967296)"))],
    [
      "a header of 4 GB",
      "bad-header",
      Buffer.from("\x93NUMPY\x02\x00\xff\xff\xff\xff and too little of it", "latin1"),
    ],
  ];
  for (const [name, code, bytes] of cases) {
    test(`${name}: ${code}`, () => expect(codeOf(() => decodeNpy(bytes))).toBe(code));
  }

  test("a file cut anywhere is refused", () => {
    const whole = encodeNpy(ndarray([2], new Int16Array([5, 6])));
    for (let length = 0; length < whole.byteLength; length++) {
      expect(["truncated", "not-this-format"]).toContain(codeOf(() => decodeNpy(whole.subarray(0, length))));
    }
  });

  test("errors name the file, what was got and the cure", () => {
    expect(() => decodeNpy(npyFile(headerOf(">f4", "(3,)"), threeFloats), "train.npy")).toThrow(
      /train\.npy.*big-endian.*newbyteorder/,
    );
  });
});

describe("rows", () => {
  test("readRows returns the asked rows only", () => {
    const path = join(directory, "rows.npy");
    writeFileSync(path, encodeNpy(ndarray([5, 2], Int32Array.from({ length: 10 }, (_, i) => i))));
    using file = openNpy(path);
    expect([file.dtype, file.shape, file.dataOffset]).toEqual(["int32", [5, 2], 128]);
    expect(file.readRows(1, 3)).toEqual(ndarray([2, 2], new Int32Array([2, 3, 4, 5])));
    expect(file.readRows(5, 5).shape).toEqual([0, 2]);
    expect(codeOf(() => file.readRows(4, 6))).toBe("invalid-argument");
  });

  test("a file of 8 GB opens, and its last row is read, without loading it", () => {
    const path = join(directory, "sparse.npy");
    const header = npyFile(headerOf("|u1", "(8589934592, 1)"));
    const descriptor = openSync(path, "w");
    writeFileSync(descriptor, header);
    ftruncateSync(descriptor, header.byteLength + 2 ** 33);
    closeSync(descriptor);
    using file = openNpy(path);
    expect(file.readRows(2 ** 33 - 1, 2 ** 33).data).toEqual(new Uint8Array(1));
  });

  test("the size is checked when the file is opened, and Fortran order has no rows", () => {
    const path = join(directory, "bad.npy");
    writeFileSync(path, npyFile(headerOf("<f4", "(4,)"), threeFloats));
    expect(codeOf(() => openNpy(path))).toBe("truncated");
    writeFileSync(path, npyFile(headerOf("<f4", "(3, 1)", "True"), threeFloats));
    expect(codeOf(() => openNpy(path))).toBe("fortran-order");
    expect(codeOf(() => openNpy(join(directory, "absent.npy")))).toBe("not-found");
    expect(codeOf(() => openNpy(directory))).toBe("io");
  });

  test("npyChunks streams parts, and refuses parts that do not fill the shape", async () => {
    const path = join(directory, "streamed.npy");
    const part = new Uint8Array([1, 2, 3]);
    await writeAtomic(path, npyChunks("uint8", [2, 3], [part, part]));
    expect(readNpy(path)).toEqual(ndarray([2, 3], new Uint8Array([1, 2, 3, 1, 2, 3])));
    const short = writeAtomic(join(directory, "short.npy"), npyChunks("uint8", [3, 3], [part, part]));
    expect(await codeOfAsync(short)).toBe("size-mismatch");
  });
});

describe("NumPy", () => {
  const samples: Record<Dtype, ReturnType<typeof ndarray>> = {
    bool: ndarray([2], new Uint8Array([1, 0]), "bool"),
    uint8: ndarray([2], new Uint8Array([0, 255])),
    int8: ndarray([2], new Int8Array([-128, 127])),
    uint16: ndarray([2], new Uint16Array([0, 65535])),
    int16: ndarray([2], new Int16Array([-32768, 32767])),
    uint32: ndarray([2], new Uint32Array([0, 4294967295])),
    int32: ndarray([2], new Int32Array([-2147483648, 2147483647])),
    uint64: ndarray([2], new BigUint64Array([0n, 2n ** 64n - 1n])),
    int64: ndarray([2], new BigInt64Array([-(2n ** 63n), 2n ** 63n - 1n])),
    float16: ndarray([2], new Float16Array([-2.5, Infinity])),
    float32: ndarray([2], new Float32Array([-2.5, NaN])),
    float64: ndarray([2], new Float64Array([Math.PI, -Infinity])),
  };

  test.skipIf(!numpy)("reads every dtype we write, and writes the same bytes", async () => {
    for (const [dtype, array] of Object.entries(samples)) await writeNpy(join(directory, `${dtype}.npy`), array);
    const program = `
import sys, io, numpy as np
d = sys.argv[1]
want = {"bool": [True, False], "uint8": [0, 255], "int8": [-128, 127], "uint16": [0, 65535], "int16": [-32768, 32767],
 "uint32": [0, 2**32-1], "int32": [-2**31, 2**31-1], "uint64": [0, 2**64-1], "int64": [-2**63, 2**63-1],
 "float16": [-2.5, np.inf], "float32": [-2.5, np.nan], "float64": [np.pi, -np.inf]}
for name, values in want.items():
    path = f"{d}/{name}.npy"
    a = np.load(path, allow_pickle=False)
    b = np.array(values, dtype=name)
    assert a.dtype == b.dtype and np.array_equal(a, b, equal_nan=b.dtype.kind == "f"), name
    f = io.BytesIO(); np.save(f, a); assert f.getvalue() == open(path, "rb").read(), name
print(len(want))`;
    expect(runPython(numpy, program, directory).trim()).toBe("12");
  });

  test.skipIf(!numpy)("writes files that we read: dtypes, orders, versions, scalars", () => {
    const program = `
import sys, numpy as np
d = sys.argv[1]
a = np.arange(24).reshape(2, 3, 4)
for t in ["uint8", "int64", "float32", "float64"]: np.save(f"{d}/np-{t}.npy", a.astype(t))
np.save(f"{d}/np-fortran.npy", np.asfortranarray(a.astype("int16")))
np.save(f"{d}/np-scalar.npy", np.float32(0.5))
for v in [(2, 0), (3, 0)]:
    with open(f"{d}/np-v{v[0]}.npy", "wb") as f: np.lib.format.write_array(f, a.astype("int16"), version=v)
np.save(f"{d}/np-big.npy", a.astype(">i4"))
np.save(f"{d}/np-object.npy", np.array([{}, None], dtype=object))`;
    runPython(numpy, program, directory);
    const read = (name: string) => readNpy(join(directory, `np-${name}.npy`));
    const counting = Array.from({ length: 24 }, (_, i) => i);
    for (const name of ["uint8", "float32", "float64", "fortran", "v2", "v3"]) {
      expect([name, read(name).shape, [...read(name).data]]).toEqual([name, [2, 3, 4], counting]);
    }
    expect([...read("int64").data]).toEqual(counting.map(BigInt));
    expect(read("scalar")).toEqual(ndarray([], new Float32Array([0.5])));
    expect(codeOf(() => read("big"))).toBe("big-endian");
    expect(codeOf(() => read("object"))).toBe("object-array");
  });
});
