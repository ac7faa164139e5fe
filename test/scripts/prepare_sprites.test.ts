// prepare_sprites as a user runs it: what it prints, what it leaves, and how it says no.

import { beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ndarray, readNpy, writeNpy } from "@cleanloop/artifacts";
import { decodePng, loadSprites, readMetadata, readSequences, syntheticSource } from "@cleanloop/data";
import { temporaryDirectory } from "../artifacts/support.ts";

const folder = temporaryDirectory();
const script = join(import.meta.dir, "../../scripts/prepare_sprites.ts");

function prepare(...args: string[]) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, script, ...args], { cwd: folder });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

/** Twenty characters, three directions, walk and slash: half of it is cyclic. */
const all = syntheticSource(["walk", "slash"]);
const rows = Array.from(
  { length: 120 },
  (_, row) => Math.floor(row / 60) * 3888 + (row % 3) * 1296 + Math.floor((row % 60) / 3) * 61,
);
const set = readSequences(all, rows);
const rowsOf = (path: string) => readNpy(join(folder, path)).shape[0];

beforeAll(async () => {
  await writeNpy(join(folder, "mixed.npy"), ndarray([120, 8, 3, 64, 64], set.frames));
  await writeNpy(join(folder, "mixed_attributes.npy"), ndarray([120, 6], set.attributes as Int32Array));
  await writeNpy(join(folder, "walk.npy"), ndarray([60, 8, 3, 64, 64], set.frames.slice(0, set.frames.length / 2)));
});

test("a file: the cyclic half is kept, split by the list beside it, and can be trained on", async () => {
  const { exitCode, stdout, stderr } = prepare("--source", "mixed.npy", "--out", "set");
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "set\n" });
  expect(stderr).toContain("60 of 120 sequences (50.00 %) return to their first frame");
  const files = ["metadata.json", "preview.png"];
  for (const part of ["train", "validation", "test"]) files.push(`${part}.npy`, `${part}_attributes.npy`);
  expect(readdirSync(join(folder, "set")).sort()).toEqual(files.sort());
  const metadata = readMetadata(join(folder, "set"));
  expect(metadata).toMatchObject({ sequencesRead: 120, sequencesKept: 60, percentCyclic: 50 });
  expect(metadata.firstLastMse.rejected?.min).toBeGreaterThan(1e-3);
  expect(metadata.splitRule).toStartWith("20 identities (as listed)");
  expect(decodePng(await Bun.file(join(folder, "set/preview.png")).bytes(), "preview").width).toBe(1024);
  const { train, validation, test: held } = loadSprites(join(folder, "set"), { testCount: 1, seed: 0 });
  expect([train.count, validation.count, held.count]).toEqual([45, 12, 1]);
  const people = [train, validation].map(
    ({ attributes }) => new Set(attributes?.filter((_, position) => position % 6 === 5)),
  );
  expect(people[0].intersection(people[1]).size).toBe(0);
});

test("a second time into the same directory is refused with exit code 3, unless forced", () => {
  mkdirSync(join(folder, "used"));
  writeFileSync(join(folder, "used/notes.txt"), "mine");
  const refused = prepare("--source", "mixed.npy", "--out", "used");
  expect(refused).toMatchObject({ exitCode: 3, stdout: "" });
  expect(refused.stderr).toContain("used: is not empty; choose another --out, or --force");
  expect(prepare("--source", "mixed.npy", "--out", "used", "--force").exitCode).toBe(0);
  expect(existsSync(join(folder, "used/notes.txt"))).toBe(true);
  expect(readMetadata(join(folder, "used")).parts.train.count).toBe(45);
});

test("--force replaces what an earlier call wrote, and refuses to replace anything else", () => {
  const forced = (...args: string[]) => prepare("--source", "mixed.npy", "--force", "--out", ...args);
  expect(forced("twice").exitCode).toBe(0);
  const pair = ["--test_source", "mixed.npy", "--split", "original"];
  expect(forced("twice", ...pair).exitCode).toBe(0);
  expect(existsSync(join(folder, "twice/validation.npy"))).toBe(false);

  // The original split writes no validation.npy, so this one is somebody's own.
  writeFileSync(join(folder, "twice/validation.npy"), "mine");
  const foreign: Record<string, string> = { "train.npy": "mine", "metadata.json": '{"format": "other"}', "preview.png": "" };
  mkdirSync(join(folder, "theirs"));
  for (const [name, text] of Object.entries(foreign)) writeFileSync(join(folder, "theirs", name), text);
  for (const [out, names] of [
    ["twice", "validation.npy"],
    ["theirs", "metadata.json, train.npy, preview.png"],
  ]) {
    const refused = forced(out);
    expect(refused).toMatchObject({ exitCode: 3, stdout: "" });
    expect(refused.stderr).toContain(`${out}: holds ${names}, which no metadata.json of this command lists`);
  }
  expect(readFileSync(join(folder, "twice/validation.npy"), "utf8")).toBe("mine");
  expect(rowsOf("twice/train.npy")).toBe(60);
  for (const [name, text] of Object.entries(foreign)) {
    expect(readFileSync(join(folder, "theirs", name), "utf8")).toBe(text);
  }
});

test("a data set is never made from files in --out, which --force would remove", () => {
  expect(prepare("--source", "mixed.npy", "--out", "origin").exitCode).toBe(0);
  symlinkSync("origin/train.npy", join(folder, "link.npy"));
  symlinkSync("origin", join(folder, "elsewhere"));
  for (const [flag, args] of [
    ["--source origin/train.npy", ["--source", "origin/train.npy", "--out", "origin"]],
    ["--source link.npy", ["--source", "link.npy", "--out", "origin"]],
    ["--source origin/train.npy", ["--source", "origin/train.npy", "--out", "elsewhere"]],
    ["--source origin", ["--source", "origin", "--out", "origin"]],
    ["--test_source origin/test.npy", ["--source", "mixed.npy", "--test_source", "origin/test.npy", "--out", "origin"]],
    [
      "--attributes origin/train_attributes.npy",
      ["--source", "mixed.npy", "--attributes", "origin/train_attributes.npy", "--out", "origin"],
    ],
  ] as const) {
    const refused = prepare(...args, "--force");
    expect(refused).toMatchObject({ exitCode: 3, stdout: "" });
    expect(refused.stderr).toContain(`${flag}: lies inside --out`);
  }
  expect(loadSprites(join(folder, "origin"), { seed: 0 }).train.count).toBe(45);
});

test("a published pair: the second file serves as validation and test under --split original", () => {
  const { exitCode } = prepare(
    "--source",
    "mixed.npy",
    "--test_source",
    "mixed.npy",
    "--split",
    "original",
    "--out",
    "pair",
  );
  expect(exitCode).toBe(0);
  const { parts } = readMetadata(join(folder, "pair"));
  expect([parts.train.count, parts.validation.count, parts.test.count]).toEqual([60, 60, 60]);
  expect(parts.validation.frames.file).toBe("test.npy");
  expect([rowsOf("pair/train.npy"), existsSync(join(folder, "pair/validation.npy"))]).toEqual([60, false]);
  expect(loadSprites(join(folder, "pair"), { seed: 0 }).validation.count).toBe(60);
});

test("mistakes: one clear line, exit code 1 or 2, nothing left behind", () => {
  const cases: [string[], number, string][] = [
    [["--out", "none"], 2, "--source"],
    [["--source", "mixed.npy", "--out", "none", "--tresholt", "1"], 2, "did you mean --threshold"],
    [["--source", "nowhere", "--out", "none"], 2, "wanted a folder with body, bottomwear"],
    [["--source", "mixed.npy", "--out", "none", "--split", "original"], 2, "wanted --test_source too"],
    [["--source", "mixed.npy", "--out", "none", "--threshold", "0"], 2, "threshold"],
    [["--source", "mixed_attributes.npy", "--out", "none"], 1, "got int32 [120, 6], wanted numbers [N, 8, 3, 64, 64]"],
    [
      ["--source", "walk.npy", "--out", "none"],
      1,
      "walk.npy: no sequence has a first-last MSE below 0.0001; raise --threshold",
    ],
    [["--source", "mixed.npy", "--out", "mixed.npy/set"], 1, "mixed.npy/set"],
  ];
  for (const [args, exitCode, message] of cases) {
    const result = prepare(...args);
    expect(result, args.join(" ")).toMatchObject({ exitCode, stdout: "" });
    expect(result.stderr).toContain(message);
    expect(result.stderr).not.toContain("    at ");
    expect(existsSync(join(folder, "none"))).toBe(false);
  }
});
