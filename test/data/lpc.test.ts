// The published sprites: checksums and statistics of the composed sequences, and clear errors for damaged sheets.

import { beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  encodePng,
  FRAME_VALUES,
  identitiesByAppearance,
  loadSprites,
  lpcSource,
  publishedOrder,
  SEQUENCE_VALUES,
  splitCatalogue,
} from "@cleanloop/data";
import type { SequenceSource, SpriteAction } from "@cleanloop/data";
import { temporaryDirectory } from "../artifacts/support.ts";
import { hasLpcSheets, lpcSheets } from "./lpc-sheets.ts";

const actions: SpriteAction[] = ["walk", "spellcast", "slash"];
const directions = ["front", "left", "right"];

/** A sequence as the original stored it: [8, 64, 64, 3] bytes. */
function channelsLast(sequence: Uint8Array): Uint8Array {
  const out = new Uint8Array(SEQUENCE_VALUES);
  for (let time = 0; time < 8; time++) {
    for (let pixel = 0; pixel < 4096; pixel++) {
      for (let channel = 0; channel < 3; channel++) {
        out[(time * 4096 + pixel) * 3 + channel] = sequence[time * FRAME_VALUES + channel * 4096 + pixel];
      }
    }
  }
  return out;
}

describe.skipIf(!hasLpcSheets)("composed from the sheets", () => {
  let source: SequenceSource;
  const sequence = new Uint8Array(SEQUENCE_VALUES);
  const read = (action: string, direction: string, character: number) => {
    const index = actions.indexOf(action as SpriteAction) * 3888 + directions.indexOf(direction) * 1296 + character;
    source.read(index, sequence, 0);
    return sequence;
  };
  beforeAll(() => {
    source = lpcSource(lpcSheets, actions);
  });

  test.each([
    ["0-0-0-0", "slash", "front", "7e4a975cde92db8f8ed734580ed54e1f9a281cb12d38dce7620ce398cae389f4", 2496972, 8655],
    ["5-3-2-4", "slash", "left", "3c93760a7ab4e7f852d31c0c46e0a2060140e6006be19c17b45d6491befef0af", 2196133, 7129],
    ["2-5-1-0", "slash", "right", "88f24c058914c1463d0ab900d6df575e283c7268ee41e2670766a051346cf7d2", 1887592, 7395],
    ["1-2-3-4", "walk", "right", "1230cedcec04385f356be112032c105e12368fea6e245c5d0c2145d36a0897f7", 1962696, 6565],
    ["4-1-5-2", "walk", "left", "c2642761247343d27b66c96d87f8a9db3ac953fb9d8bd1db3afecb61ade7569f", 2269123, 6677],
    [
      "3-4-4-5",
      "spellcast",
      "front",
      "f2021760b92fe34c50a26ac708445d83f3af48f65d26a49ddd2501dd47457e6e",
      2767204,
      8618,
    ],
  ])("%s %s %s is the published sequence", (name, action, direction, sha256, byteSum, visible) => {
    const character = name
      .split("-")
      .map(Number)
      .reduce((number, digit) => number * 6 + digit, 0);
    const bytes = channelsLast(read(action, direction, character));
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(sha256);
    expect(bytes.reduce((sum, byte) => sum + byte, 0)).toBe(byteSum);
    let pixels = 0;
    for (let pixel = 0; pixel < bytes.length; pixel += 3)
      if (bytes[pixel] + bytes[pixel + 1] + bytes[pixel + 2] > 0) pixels++;
    expect(pixels).toBe(visible);
  });

  test.each([
    ["walk", "front", 0.10388, 0.05564],
    ["spellcast", "left", 0.08272, 0.04529],
    ["slash", "right", 0.08747, 0.048],
  ])("%s %s: mean and variance over the 1296 characters", (action, direction, mean, variance) => {
    let sum = 0;
    let squares = 0;
    for (let character = 0; character < 1296; character++) {
      const bytes = read(action, direction, character);
      for (let index = 0; index < SEQUENCE_VALUES; index++) {
        sum += bytes[index];
        squares += bytes[index] * bytes[index];
      }
    }
    const values = 1296 * SEQUENCE_VALUES;
    expect(sum / values / 256).toBeCloseTo(mean, 5);
    expect(squares / values / 256 ** 2 - (sum / values / 256) ** 2).toBeCloseTo(variance, 5);
  });

  test("the shuffled training set of the reference program, byte for byte", () => {
    const { train, validation } = splitCatalogue(source, publishedOrder(), "original");
    expect([train.length, validation.length]).toEqual([9000, 2664]);
    // sha256 of slash_test.npy's elements as the reference program writes them with NumPy.
    const slash = validation.filter((index) => source.actions?.[index] === 2);
    const hash = createHash("sha256");
    for (const index of slash) {
      source.read(index, sequence, 0);
      hash.update(sequence);
    }
    expect(hash.digest("hex")).toBe("7df5850b9a5714ac25de6ea35f8bcded92116ecc9d36da98bf033acbb511f79d");
  });

  test("colours tell the published characters apart without a mistake", () => {
    // Every third character of the slash, all directions.
    const kept = Int32Array.from({ length: 1296 }, (_, row) => 7776 + Math.floor(row / 432) * 1296 + (row % 432) * 3);
    const identities = identitiesByAppearance(source, kept);
    for (let row = 0; row < 432; row++) {
      expect(identities[kept[row + 432]]).toBe(identities[kept[row]]);
      expect(identities[kept[row + 864]]).toBe(identities[kept[row]]);
    }
    expect(new Set(Array.from(kept, (index) => identities[index])).size).toBe(432);
  });

  test("a folder of sheets can be trained on directly", () => {
    const { train, validation, description } = loadSprites(lpcSheets, { trainCount: 2, validationCount: 1, seed: 0 });
    expect([train.count, validation.count, train.byteScale]).toEqual([2, 1, 256]);
    expect(Array.from(train.attributes ?? []).slice(4, 6)).toEqual([0, 1148]);
    expect(description).toContain("RandomState(423)");
  });
});

describe.skipIf(!hasLpcSheets)("sheets that are not right", () => {
  const folder = temporaryDirectory();
  beforeAll(() => {
    for (const name of ["body", "bottomwear", "topwear", "hair", "shoes"]) {
      mkdirSync(join(folder, name));
      for (let sheet = 0; sheet < 6; sheet++)
        symlinkSync(join(lpcSheets, name, `${sheet}.png`), join(folder, name, `${sheet}.png`));
    }
  });

  test("a missing, a truncated and a wrong-sized sheet are named", async () => {
    const sheet = join(folder, "body/0.png");
    unlinkSync(sheet);
    expect(() => lpcSource(folder)).toThrow(`${sheet}: no such sheet`);
    const whole = await Bun.file(join(lpcSheets, "body/0.png")).bytes();
    writeFileSync(sheet, whole.subarray(0, 9000));
    expect(() => lpcSource(folder)).toThrow(`${sheet}: cannot be read as a PNG picture`);
    writeFileSync(sheet, encodePng({ width: 64, height: 64, channels: 4, data: new Uint8Array(64 * 64 * 4) }));
    expect(() => lpcSource(folder)).toThrow(`${sheet}: got 64 x 64 with 4 channels, wanted 832 x 1344`);
  });
});
