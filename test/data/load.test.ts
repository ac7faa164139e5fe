// What a trainer gets for a name or a path, and what it is told when that does not work.

import { beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ndarray, writeNpy } from "@cleanloop/artifacts";
import {
  extractCyclic,
  loadSprites,
  prepareSprites,
  readMetadata,
  readSequences,
  SEQUENCE_VALUES,
  splitByIdentity,
  syntheticSource,
} from "@cleanloop/data";
import type { PrepareOptions, SpriteSet } from "@cleanloop/data";
import { codeOf, temporaryDirectory } from "../artifacts/support.ts";

const folder = temporaryDirectory();
const charactersOf = ({ attributes }: SpriteSet) =>
  new Set((attributes ?? new Int32Array()).filter((_, position) => position % 6 === 5));

/** Twenty characters in three directions. */
const rows = Array.from({ length: 60 }, (_, row) => (row % 3) * 1296 + Math.floor(row / 3) * 61);
const drawn = readSequences(syntheticSource(), rows);
const shape = [60, 8, 3, 64, 64];

describe("synthetic", () => {
  test("identities are apart, the seed decides, counts are taken from the front", () => {
    const large = loadSprites("synthetic", { trainCount: 40, validationCount: 60, testCount: 20, seed: 1 });
    const small = loadSprites("synthetic", { trainCount: 10, validationCount: 60, seed: 1 });
    const other = loadSprites("synthetic", { trainCount: 10, validationCount: 60, seed: 2 });
    expect(charactersOf(large.train).intersection(charactersOf(large.validation)).size).toBe(0);
    expect(charactersOf(large.validation).intersection(charactersOf(large.test)).size).toBe(0);
    expect(small.train.frames).toEqual(large.train.frames.subarray(0, 10 * SEQUENCE_VALUES));
    expect(small.test.count).toBe(0);
    expect(other.train.attributes).not.toEqual(small.train.attributes);
  });

  test("the fingerprint names the bytes: same data same key, other counts or seed another key", () => {
    const key = (trainCount: number, seed: number) =>
      loadSprites("synthetic", { trainCount, validationCount: 5, seed }).fingerprint;
    expect(key(10, 1)).toMatch(/^[0-9a-f]{16}$/);
    expect(key(10, 1)).toBe(key(10, 1));
    expect(new Set([key(10, 1), key(11, 1), key(10, 2)]).size).toBe(3);
  });

  test("too many asked for says how many there are and which flag to change", () => {
    expect(() => loadSprites("synthetic", { trainCount: 5000, validationCount: 1, seed: 0 })).toThrow(
      "asked for 5000 training sequences, the set has 3000; use --n_train_samples 3000 or less",
    );
    expect(() => loadSprites("synthetic", { trainCount: 1, validationCount: 800, seed: 0 })).toThrow(
      "use --n_val_samples 600 or less",
    );
    expect(() => loadSprites("synthetic", { trainCount: -1, seed: 0 })).toThrow("got -1 train sequences");
  });
});

describe("one array file", () => {
  const file = join(folder, "set.npy");
  beforeAll(() => writeNpy(file, ndarray(shape, drawn.frames)));

  test("identities by colour: none is shared, nothing is lost", () => {
    const { train, validation, test: held, description } = loadSprites(file, { testCount: 3, seed: 3 });
    expect([train.count, validation.count, held.count]).toEqual([45, 12, 3]);
    expect(description).toContain("told apart by their colours");
    const whole = [train, validation, held].flatMap(({ frames, count }) =>
      Array.from({ length: count }, (_, row) =>
        Bun.hash(frames.subarray(row * SEQUENCE_VALUES, (row + 1) * SEQUENCE_VALUES)),
      ),
    );
    expect(new Set(whole).size).toBe(60);
  });

  test("a list beside the file is used and named", async () => {
    await writeNpy(join(folder, "set_attributes.npy"), ndarray([60, 6], drawn.attributes as Int32Array));
    const { train, validation, description } = loadSprites(file, { seed: 3 });
    expect(description).toContain("set_attributes.npy");
    expect(charactersOf(train).intersection(charactersOf(validation)).size).toBe(0);
  });

  test("truncated, of another shape, of another kind, absent", async () => {
    await writeNpy(join(folder, "cut.npy"), ndarray(shape, drawn.frames));
    truncateSync(join(folder, "cut.npy"), 1_000_000);
    expect(codeOf(() => loadSprites(join(folder, "cut.npy"), { seed: 0 }))).toBe("truncated");
    await writeNpy(join(folder, "flat.npy"), ndarray([60, SEQUENCE_VALUES], drawn.frames));
    expect(() => loadSprites(join(folder, "flat.npy"), { seed: 0 })).toThrow(
      "got uint8 [60, 98304], wanted numbers [N, 8, 3, 64, 64]",
    );
    writeFileSync(join(folder, "set.csv"), "1,2,3\n");
    expect(() => loadSprites(join(folder, "set.csv"), { seed: 0 })).toThrow("neither .npy nor .pt");
    expect(() => loadSprites(join(folder, "nowhere"), { seed: 0 })).toThrow(
      "no such file or directory. Use --data synthetic",
    );
    expect(() => loadSprites(folder, { seed: 0 })).toThrow("got a directory without metadata.json");
  });
});

describe("a prepared directory", () => {
  const directory = join(folder, "prepared");
  const source = {
    ...drawn,
    description: "sixty drawn sequences",
    read: (index: number, out: Uint8Array, offset: number) =>
      out.set(drawn.frames.subarray(index * SEQUENCE_VALUES, (index + 1) * SEQUENCE_VALUES), offset),
  };
  const identities = Array.from({ length: 60 }, (_, row) => Math.floor(row / 3));
  const prepare = async (into: string, options: Partial<PrepareOptions> = {}) => {
    const extract = await extractCyclic(source);
    const split = splitByIdentity(identities, extract.indices, 5, "list");
    return prepareSprites({ source, extract, split, license: "MIT", directory: into, ...options });
  };
  beforeAll(() => prepare(directory));

  test("files of others are neither removed nor replaced; an abort leaves nothing but them", async () => {
    const place = join(folder, "shared");
    mkdirSync(place);
    writeFileSync(join(place, "notes.txt"), "mine");
    const controller = new AbortController();
    const aborted = prepare(place, { onWritten: () => controller.abort(), signal: controller.signal });
    await expect(aborted).rejects.toThrow("abort");
    expect(readdirSync(place)).toEqual(["notes.txt"]);

    writeFileSync(join(place, "test.npy"), "mine");
    await expect(prepare(place)).rejects.toMatchObject({ code: "exists" });
    expect(readFileSync(join(place, "test.npy"), "utf8")).toBe("mine");
    expect(readdirSync(place).sort()).toEqual(["notes.txt", "test.npy"]);
  });

  test("gives back the rows that were written, only as many as asked for", () => {
    const { train, validation, description } = loadSprites(directory, { trainCount: 7, validationCount: 2, seed: 99 });
    expect([train.count, validation.count, train.byteScale]).toEqual([7, 2, 256]);
    const { train: expected } = splitByIdentity(identities, Array.from(identities.keys()), 5, "list");
    expect(train.frames).toEqual(readSequences(source, expected.subarray(0, 7)).frames);
    expect(train.attributes).toEqual(readSequences(source, expected.subarray(0, 7)).attributes);
    expect(description).toContain("sixty drawn sequences");
  });

  test("metadata says what was done", async () => {
    const metadata = readMetadata(directory);
    expect(metadata).toMatchObject({
      sequencesRead: 60,
      sequencesKept: 60,
      percentCyclic: 100,
      threshold: 1e-4,
      license: "MIT",
    });
    expect(metadata.firstLastMse).toEqual({ kept: { min: 0, mean: 0, max: 0 }, rejected: null });
    expect(metadata.parts.train.characters).toBe(15);
    const written = await Bun.file(join(directory, "train.npy")).bytes();
    expect(metadata.parts.train.frames.sha256).toBe(new Bun.CryptoHasher("sha256").update(written).digest("hex"));
  });

  test("files that no longer fit their metadata, and metadata that is not ours, are refused", async () => {
    await writeNpy(
      join(directory, "validation.npy"),
      ndarray([1, 8, 3, 64, 64], drawn.frames.slice(0, SEQUENCE_VALUES)),
    );
    expect(() => loadSprites(directory, { seed: 0 })).toThrow(
      /got uint8 \[1, 8, 3, 64, 64\], wanted uint8 \[12, 8, 3, 64, 64\] as metadata.json says/,
    );
    writeFileSync(
      join(directory, "metadata.json"),
      '{"format": "cleanloop-sprites", "version": 1, "byteScale": 256, "parts": {}}',
    );
    expect(() => loadSprites(directory, { seed: 0 })).toThrow("is not the metadata of prepared sprites");
    writeFileSync(join(directory, "metadata.json"), "{");
    expect(() => loadSprites(directory, { seed: 0 })).toThrow("cannot be read as JSON");
  });
});
