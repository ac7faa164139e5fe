// Files of sequences: layouts, value encodings recognised without loss, and what NumPy and torch wrote.

import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { ndarray, writeNpy } from "@cleanloop/artifacts";
import type { Dtype, DtypeArrays } from "@cleanloop/artifacts";
import { DataError, FRAME_VALUES, importSequences, Random, SEQUENCE_VALUES, syntheticSource } from "@cleanloop/data";
import { findPython, runPython, temporaryDirectory } from "../artifacts/support.ts";

const folder = temporaryDirectory();
const path = (name: string) => join(folder, name);
const random = new Random(1);
/** Two sequences of any bytes, channels first. */
const bytes = Uint8Array.from({ length: 2 * SEQUENCE_VALUES }, () => random.int(256));
const firstShape = [2, 8, 3, 64, 64];

/** The same numbers with channels last. */
function channelsLast<T extends { [index: number]: number; slice(): T }>(values: T): T {
  const out = values.slice();
  for (let frame = 0; frame < 16; frame++) {
    for (let pixel = 0; pixel < 4096; pixel++) {
      for (let channel = 0; channel < 3; channel++) {
        out[frame * FRAME_VALUES + pixel * 3 + channel] = values[frame * FRAME_VALUES + channel * 4096 + pixel];
      }
    }
  }
  return out;
}

async function save<D extends Dtype>(name: string, shape: number[], data: DtypeArrays[D]): Promise<string> {
  await writeNpy(path(name), ndarray(shape, data));
  return path(name);
}

function readAll(file: string): { frames: Uint8Array; byteScale: number; description: string } {
  const source = importSequences(file);
  try {
    const frames = new Uint8Array(source.count * SEQUENCE_VALUES);
    for (let index = 0; index < source.count; index++) source.read(index, frames, index * SEQUENCE_VALUES);
    return { frames, byteScale: source.byteScale, description: source.description };
  } finally {
    source.close();
  }
}

describe("every encoding gives the bytes back", () => {
  test.each([
    ["fractions k/256 in float32", 256, (byte: number) => byte / 256],
    ["fractions k/255 in float32", 255, (byte: number) => byte / 255],
    ["whole numbers in float32", 255, (byte: number) => byte],
  ])("%s", async (name, byteScale, encode) => {
    const read = readAll(await save(`${byteScale}-${encode(2)}.npy`, firstShape, Float32Array.from(bytes, encode)));
    expect(read.byteScale).toBe(byteScale);
    expect(read.frames).toEqual(bytes);
    expect(read.description).toContain(name.slice(0, 10));
  });

  test("uint8, channels last", async () => {
    const read = readAll(await save("last.npy", [2, 8, 64, 64, 3], channelsLast(bytes)));
    expect([read.byteScale, read.frames.length]).toEqual([256, bytes.length]);
    expect(read.frames).toEqual(bytes);
    expect(read.description).toContain("channels last");
  });

  test("int64 and float64", async () => {
    expect(readAll(await save("int64.npy", firstShape, BigInt64Array.from(bytes, BigInt))).frames).toEqual(bytes);
    expect(
      readAll(
        await save(
          "float64.npy",
          firstShape,
          Float64Array.from(bytes, (byte) => byte / 255),
        ),
      ).frames,
    ).toEqual(bytes);
  });

  test("a first sequence of zeros and ones alone does not decide", async () => {
    const values = Float32Array.from(bytes, (byte, index) => (index < SEQUENCE_VALUES ? byte % 2 : byte));
    const { frames, byteScale } = readAll(await save("ones.npy", firstShape, values));
    expect(byteScale).toBe(255);
    expect(frames.subarray(SEQUENCE_VALUES)).toEqual(bytes.subarray(SEQUENCE_VALUES));
    expect(frames.subarray(0, SEQUENCE_VALUES)).toEqual(bytes.subarray(0, SEQUENCE_VALUES).map((byte) => byte % 2));
  });
});

describe("what cannot be imported is said", () => {
  test("values that bytes cannot hold, in the first sequence or later", async () => {
    const normalised = await save("normal.npy", firstShape, random.normals(new Float32Array(bytes.length)));
    expect(() => readAll(normalised)).toThrow("undo the normalisation first");
    const late = Float32Array.from(bytes, (byte) => byte / 256);
    late[SEQUENCE_VALUES + 77] = 0.3;
    const file = await save("late.npy", firstShape, late);
    expect(() => readAll(file)).toThrow(/got value 0\.3\d* in sequence 1, wanted fractions k\/256/);
    const tooBright = await save(
      "bright.npy",
      firstShape,
      Float32Array.from(bytes, (byte) => byte + 1),
    );
    expect(() => readAll(tooBright)).toThrow("wanted whole numbers 0 to 255");
  });

  test("another shape or dtype", async () => {
    const file = await save("shape.npy", [2, 8, 3, 32, 128], bytes);
    expect(() => importSequences(file)).toThrow(
      `${file}: got uint8 [2, 8, 3, 32, 128], wanted numbers [N, 8, 3, 64, 64]`,
    );
    await writeNpy(
      path("bool.npy"),
      ndarray(
        firstShape,
        bytes.map((byte) => byte & 1),
        "bool",
      ),
    );
    expect(() => importSequences(path("bool.npy"))).toThrow("got bool [2, 8, 3, 64, 64]");
  });

  test("attributes of another length", async () => {
    const file = await save("with.npy", firstShape, bytes);
    const attributes = await save("three.npy", [3], new Int32Array(3));
    expect(() => importSequences(file, attributes)).toThrow("got int32 [3], wanted whole numbers [2, 6] or [2]");
  });
});

test("attributes are read as [N, 6] or as identities", async () => {
  const file = await save("named.npy", firstShape, bytes);
  const full = importSequences(
    file,
    await save("full.npy", [2, 6], Int32Array.from([0, 1, 2, 3, 1, 51, 5, 5, 5, 5, 0, 1295])),
  );
  expect(Array.from(full.identities ?? [])).toEqual([51, 1295]);
  expect(full.attributes?.length).toBe(12);
  const short = importSequences(file, await save("short.npy", [2], BigInt64Array.from([9n, 4n])));
  expect([Array.from(short.identities ?? []), short.attributes]).toEqual([[9, 4], null]);
  full.close();
  short.close();
});

const numpy = findPython("numpy");
const torch = findPython("torch", "numpy");

/** Two drawn sequences, channels last, as raw bytes for Python. */
async function drawnForPython(): Promise<{ raw: string; frames: Uint8Array }> {
  const frames = new Uint8Array(2 * SEQUENCE_VALUES);
  const source = syntheticSource();
  [5, 2000].forEach((index, row) => source.read(index, frames, row * SEQUENCE_VALUES));
  await Bun.write(path("drawn.bin"), channelsLast(frames));
  return { raw: path("drawn.bin"), frames };
}

test.skipIf(numpy === null)("NumPy's float16 and Fortran-free transposes", async () => {
  const { raw, frames } = await drawnForPython();
  runPython(
    numpy,
    "import sys, numpy as np\n" +
      "x = np.fromfile(sys.argv[1], np.uint8).reshape(2, 8, 64, 64, 3)\n" +
      "np.save(sys.argv[2], (x / 255).astype(np.float16))\n" +
      "np.save(sys.argv[3], np.ascontiguousarray(x.transpose(0, 1, 4, 2, 3)).astype(np.float32) / 256)\n",
    raw,
    path("half.npy"),
    path("first.npy"),
  );
  expect(readAll(path("half.npy"))).toMatchObject({ frames, byteScale: 255 });
  expect(readAll(path("first.npy"))).toMatchObject({ frames, byteScale: 256 });
});

test.skipIf(torch === null)("torch.save: a tensor, a dict of one, a transposed view", async () => {
  const { raw, frames } = await drawnForPython();
  runPython(
    torch,
    "import sys, numpy as np, torch\n" +
      "x = torch.from_numpy(np.fromfile(sys.argv[1], np.uint8).reshape(2, 8, 64, 64, 3))\n" +
      "torch.save(x.float() / 256, sys.argv[2])\n" +
      "torch.save({'sequences': x, 'labels': torch.arange(2)}, sys.argv[3])\n" +
      "torch.save((x.float() / 255).permute(0, 1, 4, 2, 3), sys.argv[4])\n" +
      "torch.save({'a': x, 'b': x}, sys.argv[5])\n",
    raw,
    path("plain.pt"),
    path("dict.pt"),
    path("view.pt"),
    path("two.pt"),
  );
  expect(readAll(path("plain.pt"))).toMatchObject({ frames, byteScale: 256 });
  expect(readAll(path("dict.pt"))).toMatchObject({ frames, byteScale: 256 });
  expect(readAll(path("view.pt"))).toMatchObject({ frames, byteScale: 255 });
  expect(() => importSequences(path("two.pt"))).toThrow(DataError);
});
