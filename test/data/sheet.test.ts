// Pictures: PNG round trips against Pillow, deterministic strips within their byte budget.

import { expect, test } from "bun:test";
import { join } from "node:path";
import {
  contactSheet,
  DataError,
  decodePng,
  encodePng,
  fillBatch,
  Random,
  readSequences,
  reconstructionStrip,
  SEQUENCE_VALUES,
  syntheticSource,
} from "@cleanloop/data";
import { findPython, runPython, temporaryDirectory } from "../artifacts/support.ts";

const folder = temporaryDirectory();
const python = findPython("PIL", "numpy");
const random = new Random(4);
const set = readSequences(syntheticSource(), [0, 1555, 700, 3000]);

const noise = {
  width: 37,
  height: 21,
  channels: 3 as const,
  data: Uint8Array.from({ length: 37 * 21 * 3 }, () => random.int(256)),
};
const fewColors = { ...noise, data: noise.data.map((byte) => byte & 0x80) };
const transparent = {
  width: 8,
  height: 9,
  channels: 4 as const,
  data: Uint8Array.from({ length: 288 }, () => random.int(256)),
};

test("a picture survives PNG, with and without a palette", () => {
  for (const picture of [noise, fewColors, transparent])
    expect(decodePng(encodePng(picture), "picture")).toEqual(picture);
  expect(encodePng(fewColors)[25]).toBe(3); // colour type: palette
  expect(encodePng(noise)[25]).toBe(2); // colour type: RGB
});

test.skipIf(python === null)("Pillow reads the same pixels", async () => {
  for (const [name, picture] of Object.entries({ noise, fewColors, transparent })) {
    const path = join(folder, `${name}.png`);
    await Bun.write(path, encodePng(picture));
    const mode = picture.channels === 3 ? "RGB" : "RGBA";
    const program = `import sys, hashlib; from PIL import Image; print(hashlib.sha256(Image.open(sys.argv[1]).convert("${mode}").tobytes()).hexdigest())`;
    expect(runPython(python, program, path).trim()).toBe(
      new Bun.CryptoHasher("sha256").update(picture.data).digest("hex"),
    );
  }
});

test.skipIf(python === null)("palettes of 1, 2, 4 and 8 bits that Pillow wrote, with transparency", async () => {
  for (const bits of [1, 2, 4, 8]) {
    const path = join(folder, `bits${bits}.png`);
    const program =
      "import sys, hashlib, numpy as np; from PIL import Image\n" +
      `n = 2 ** ${bits}; r = np.random.RandomState(${bits})\n` +
      "im = Image.fromarray(r.randint(0, n, (21, 37)).astype(np.uint8), 'P'); im.putpalette(r.randint(0, 256, 3 * n).astype(np.uint8).tobytes())\n" +
      `im.save(sys.argv[1], bits=${bits}, transparency=bytes([0] + [255] * (n - 1)))\n` +
      "print(hashlib.sha256(Image.open(sys.argv[1]).convert('RGBA').tobytes()).hexdigest())";
    const sha256 = runPython(python, program, path).trim();
    const { width, height, channels, data } = decodePng(await Bun.file(path).bytes(), path);
    expect([width, height, channels]).toEqual([37, 21, 4]);
    expect(new Bun.CryptoHasher("sha256").update(data).digest("hex")).toBe(sha256);
  }
});

test("sizes that do not fit and files that are no pictures are refused", () => {
  expect(() => encodePng({ ...noise, width: 36 })).toThrow("got 2331 bytes, wanted 36 * 21 * 3 = 2268");
  expect(() => decodePng(new Uint8Array(100), "x.png")).toThrow("x.png: cannot be read as a PNG picture");
  const damaged = encodePng(noise);
  damaged[60] ^= 1;
  expect(() => decodePng(damaged, "x.png")).toThrow(DataError);
});

test("a contact sheet has the frames of a sequence in a row", () => {
  const { width, height, data } = contactSheet(set, [2, 0, 1], 2);
  expect([width, height]).toEqual([1024, 128]);
  const pixel = (x: number, y: number) => Array.from(data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3));
  const value = (sequence: number, time: number, x: number, y: number) =>
    [0, 1, 2].map((channel) => set.frames[sequence * SEQUENCE_VALUES + time * 12288 + channel * 4096 + y * 64 + x]);
  expect(pixel(3 * 64 + 31, 30)).toEqual(value(2, 3, 31, 30));
  expect(pixel(512 + 4 * 64 + 35, 25)).toEqual(value(0, 4, 35, 25));
  expect(pixel(7 * 64 + 30, 64 + 28)).toEqual(value(1, 7, 30, 28));
  expect(pixel(700, 100)).toEqual([0, 0, 0]);
});

/** Originals, and "reconstructions" as bad as an early epoch's: half another character, with noise. */
function earlyEpoch() {
  const originals = fillBatch(set, [0, 1], new Float32Array(2 * SEQUENCE_VALUES));
  const others = fillBatch(set, [2, 3], new Float32Array(2 * SEQUENCE_VALUES));
  const grain = random.normals(new Float32Array(2 * SEQUENCE_VALUES));
  const reconstructions = originals.map((value, index) =>
    Math.max(0, 0.7 * value + 0.3 * others[index] + 0.01 * grain[index]),
  );
  return { originals, reconstructions, sequences: 2 };
}

test("a strip of two sequences stays within its budget and is the same every time", () => {
  const strip = earlyEpoch();
  const large = reconstructionStrip(strip);
  const small = reconstructionStrip({ ...strip, scale: 0.5 });
  expect(large.length).toBeLessThan(25_000);
  expect(small.length).toBeLessThan(6_000);
  expect(reconstructionStrip(strip)).toEqual(large);
  expect(decodePng(large, "large")).toMatchObject({ width: 512, height: 384 });
  expect(decodePng(small, "small")).toMatchObject({ width: 256, height: 192 });
});

test("the error row is black for a perfect reconstruction and grey where it is off", () => {
  const originals = fillBatch(set, [0], new Float32Array(SEQUENCE_VALUES));
  const rowsOf = (reconstructions: Float32Array) =>
    decodePng(reconstructionStrip({ originals, reconstructions, sequences: 1 }), "strip").data;
  const rowBytes = 512 * 64 * 3;
  const perfect = rowsOf(originals);
  expect(perfect.subarray(0, rowBytes)).toEqual(perfect.subarray(rowBytes, 2 * rowBytes));
  expect(perfect.subarray(2 * rowBytes).every((byte) => byte === 0)).toBe(true);
  const shifted = originals.slice();
  for (let channel = 0; channel < 3; channel++) shifted[channel * 4096 + 5] += 0.2; // pixel (5, 0) of frame 0, on black
  const error = rowsOf(shifted).subarray(2 * rowBytes);
  expect(Array.from(error.subarray(15, 18))).toEqual([219, 219, 219]); // 4 * 0.2, to the nearest of eight greys: 6/7 of 255
  expect(error.filter((byte) => byte > 0).length).toBe(3);
});

test("values that are too few are refused", () => {
  const short = new Float32Array(SEQUENCE_VALUES);
  expect(() => reconstructionStrip({ originals: short, reconstructions: short, sequences: 2 })).toThrow(
    "wanted 196608 for 2 sequences",
  );
});

test("the picture in the README is what the generator draws", async () => {
  const people = [0, 259, 518, 777, 1036, 1295, 41, 307, 1124, 658, 1149, 400];
  const shown = readSequences(
    syntheticSource(),
    people.map((person, index) => (index % 3) * 1296 + person),
  );
  const path = join(import.meta.dir, "../../lib/data/sprites.png");
  const bytes = await Bun.file(path).bytes();
  expect(bytes.length).toBeLessThan(60_000);
  expect(decodePng(bytes, path)).toEqual(contactSheet(shown, Array.from(people.keys()), 2));
});
