// .npz files and the zip archives under them, against NumPy and Python's zipfile.
import { describe, expect, test } from "bun:test";
import { decodeNpz, encodeNpz, ndarray, readNpz, writeNpz } from "@cleanloop/artifacts";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf, findPython, runPython, temporaryDirectory } from "./support.ts";

const directory = temporaryDirectory();
const numpy = findPython("numpy");
const arrays = {
  z: ndarray([2, 2], new Float32Array([1, 2, 3, 4])),
  "layer/0": ndarray([300], new Uint8Array(300).fill(7)),
};

describe("npz", () => {
  for (const compress of [false, true]) {
    test(`${compress ? "deflated" : "stored"} members come back, in order, and equal arrays give equal bytes`, () => {
      const bytes = encodeNpz(arrays, { compress });
      expect([...decodeNpz(bytes)]).toEqual(Object.entries(arrays));
      expect(encodeNpz(arrays, { compress })).toEqual(bytes);
    });

    test.skipIf(!numpy)(`NumPy loads ${compress ? "deflated" : "stored"} members`, async () => {
      const path = join(directory, "ours.npz");
      await writeNpz(path, arrays, { compress });
      const program = `
import sys, numpy as np
with np.load(sys.argv[1], allow_pickle=False) as f:
    assert f.zip.testzip() is None
    assert f.files == ["z", "layer/0"]
    assert f["z"].tolist() == [[1, 2], [3, 4]] and f["layer/0"].tolist() == [7] * 300
print("same")`;
      expect(runPython(numpy, program, path).trim()).toBe("same");
    });
  }

  test.skipIf(!numpy)("NumPy's savez and savez_compressed are read", () => {
    const program = `
import sys, numpy as np
for save, name in [(np.savez, "stored"), (np.savez_compressed, "deflated")]:
    save(f"{sys.argv[1]}/{name}.npz", a=np.eye(3), b=np.arange(5, dtype=np.int32))`;
    runPython(numpy, program, directory);
    for (const name of ["stored", "deflated"]) {
      const found = readNpz(join(directory, `${name}.npz`));
      expect(found.get("a")).toEqual(ndarray([3, 3], new Float64Array([1, 0, 0, 0, 1, 0, 0, 0, 1])));
      expect(found.get("b")).toEqual(ndarray([5], new Int32Array([0, 1, 2, 3, 4])));
    }
  });

  test.skipIf(!numpy)("zip64 records are understood", () => {
    const program = `
import sys, zipfile, io, numpy as np
zipfile.ZIP64_LIMIT = 0
zipfile.ZIP_FILECOUNT_LIMIT = 0
f = io.BytesIO(); np.save(f, np.arange(4.0))
with zipfile.ZipFile(sys.argv[1], "w") as z: z.writestr("x.npy", f.getvalue())`;
    const path = join(directory, "zip64.npz");
    runPython(numpy, program, path);
    const bytes = readFileSync(path);
    expect(bytes.includes(Buffer.from("PK\x06\x06", "latin1"))).toBe(true);
    expect(readNpz(path).get("x")).toEqual(ndarray([4], new Float64Array([0, 1, 2, 3])));
  });
});

describe("malformed archives", () => {
  const stored = encodeNpz({ a: ndarray([4], new Float32Array([1, 2, 3, 4])) });

  test("a flipped bit fails the checksum, stored and deflated", () => {
    const bytes = stored.slice();
    bytes[30 + "a.npy".length + 130] ^= 1;
    expect(codeOf(() => decodeNpz(bytes))).toBe("bad-checksum");
    const deflated = encodeNpz({ a: ndarray([64], new Float32Array(64)) }, { compress: true });
    deflated[30 + "a.npy".length + 20] ^= 0x55;
    expect(codeOf(() => decodeNpz(deflated))).toBe("bad-checksum");
  });

  test("an archive cut anywhere is refused", () => {
    for (let length = 0; length < stored.byteLength; length += 7) {
      expect(codeOf(() => decodeNpz(stored.slice(0, length)))).toBe("bad-zip");
    }
  });

  test("a member that claims to inflate to more than deflate allows is refused before memory is taken", () => {
    const bytes = Buffer.from(encodeNpz({ a: ndarray([64], new Float32Array(64)) }, { compress: true }));
    const central = bytes.lastIndexOf(Buffer.from("PK\x01\x02", "latin1"));
    bytes.writeUInt32LE(0xfffffff0, central + 24);
    expect(codeOf(() => decodeNpz(bytes))).toBe("bad-zip");
  });

  test("two members of one name, an unknown method and a foreign member are refused", () => {
    const bytes = Buffer.from(encodeNpz({ a: ndarray([1], new Int8Array(1)), b: ndarray([1], new Int8Array(1)) }));
    const central = bytes.lastIndexOf(Buffer.from("PK\x01\x02", "latin1"));
    const twice = Buffer.from(bytes);
    twice.write("a", central + 46);
    expect(codeOf(() => decodeNpz(twice))).toBe("duplicate-key");
    const lzma = Buffer.from(bytes);
    lzma.writeUInt16LE(14, central + 10);
    expect(codeOf(() => decodeNpz(lzma))).toBe("bad-zip");
    const foreign = Buffer.from(bytes);
    foreign.write("b.txt", central + 46);
    expect(codeOf(() => decodeNpz(foreign))).toBe("not-this-format");
  });
});
