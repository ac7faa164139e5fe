// bun scripts/prepare_sprites.ts --source ../lpc-sheets
// bun scripts/prepare_sprites.ts --source Sprites_train.pt --test_source Sprites_test.pt --out data/sprites
// bun scripts/prepare_sprites.ts --source synthetic --out data/drawn --actions slash
//
// Makes a data set for the trainers: composes or reads the sequences, keeps the cyclic ones, splits them by character,
// writes .npy files with metadata.json. Prints the directory.
import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import {
  defineCommand,
  defineFlags,
  FailedError,
  formatBytes,
  Progress,
  RefusedError,
  runCommand,
  UsageError,
} from "@cleanloop/cli";
import type { FlagValues } from "@cleanloop/cli";
import type { SequenceSource, SplitRule, SpriteAction, SpriteSplit } from "@cleanloop/data";
import { version } from "./package.json" with { type: "json" };

const flags = defineFlags({
  source: {
    type: "string",
    required: true,
    valueName: "path|synthetic",
    description: "A folder of LPC sheets, a .pt or .npy file of sequences, or synthetic.",
  },
  test_source: {
    type: "string",
    valueName: "file",
    description: "The held-out file of a published pair; without it a single file is split.",
  },
  attributes: {
    type: "string",
    valueName: "file",
    description:
      "int32 .npy [N,6] or [N]: who the sequences of a single file show. " +
      "Without it they are told apart by their colours.",
  },
  out: { type: "string", valueName: "directory", default: "data/sprites", description: "Where the data set goes." },
  actions: {
    type: "enum",
    values: ["slash", "all"],
    default: "all",
    description: "What to compose: the cyclic action alone, or all three of which the threshold keeps one.",
  },
  threshold: {
    type: "number",
    above: 0,
    default: 1e-4,
    description: "Keep sequences whose first and last frame differ by less (MSE); 1 keeps everything.",
  },
  split: {
    type: "enum",
    values: ["identity", "original"],
    default: "identity",
    description:
      "identity: validation and test are different people. original: as published, one held-out set is both.",
  },
  seed: {
    type: "integer",
    min: 0,
    default: 42,
    description: "Order of the characters, where it is not the published one.",
  },
  force: { type: "boolean", description: "Replace the data set in a directory that is not empty." },
});

type PrepareFlags = FlagValues<typeof flags>;
type DataPackage = typeof import("@cleanloop/data");

export const prepareCommand = defineCommand({
  name: "prepare_sprites",
  version,
  summary: "Composes or imports sprite sequences, keeps the cyclic ones, and splits them by character.",
  examples: [
    "bun scripts/prepare_sprites.ts --source ../lpc-sheets --out data/sprites",
    "bun scripts/prepare_sprites.ts --source Sprites_train.pt --test_source Sprites_test.pt",
    "bun scripts/prepare_sprites.ts --source synthetic --out data/drawn --split original",
  ],
  flags,
  async run({ flags, signal, print }) {
    refuseSourcesInside(flags);
    const data = await import("@cleanloop/data");
    refuseOccupied(data, flags);
    const say = (line: string) => process.stderr.write(`${line}\n`);
    const { source, license, splitKept, close } = openSource(data, flags);
    try {
      say(source.description);
      const progress = new Progress({ label: "sequences", totalSteps: source.count });
      const onProgress = (done: number) => progress.update(done);
      const extract = await data.extractCyclic(source, flags.threshold, { onProgress, signal });
      progress.stop();
      const percent = ((100 * extract.indices.length) / source.count).toFixed(2);
      say(`${extract.indices.length} of ${source.count} sequences (${percent} %) return to their first frame`);

      if (extract.indices.length === 0) {
        throw new FailedError(
          `${flags.source}: no sequence has a first-last MSE below ${flags.threshold}; ` +
            "raise --threshold, or check the source",
        );
      }
      const onWritten = (file: string, sizeBytes: number) => say(`  ${file.padEnd(26)} ${formatBytes(sizeBytes)}`);
      const parts = splitKept(extract.indices);
      const metadata = await data.prepareSprites({
        source,
        extract,
        split: parts,
        license,
        directory: flags.out,
        onWritten,
        signal,
      });
      const { train, validation, test } = metadata.parts;
      say(`train ${train.count}, validation ${validation.count}, test ${test.count}; ${metadata.splitRule}`);
      print(flags.out);
    } finally {
      close();
    }
  },
});

/** Replacing the data set in --out must not remove what it is made from. */
function refuseSourcesInside({ out, ...flags }: PrepareFlags): void {
  for (const key of ["source", "test_source", "attributes"] as const) {
    const path = flags[key];
    if (path === undefined || path === "synthetic" || !existsSync(path) || !liesInside(path, out)) continue;
    throw new RefusedError(`--${key} ${path}: lies inside --out ${out}; choose another --out`);
  }
}

/** Whether a path, or what a link there leads to, is a directory or something below it. */
function liesInside(path: string, directory: string): boolean {
  if (!existsSync(directory)) return false;
  const top = realpathSync(directory);
  return [join(realpathSync(dirname(path)), basename(path)), realpathSync(path)].some((place) => {
    const [first] = relative(top, place).split(sep);
    return first !== ".." && !isAbsolute(relative(top, place));
  });
}

/** Without --force --out is new or empty; with it, what is replaced was written by an earlier call. */
function refuseOccupied(data: DataPackage, { out, force }: PrepareFlags): void {
  if (!existsSync(out)) return;
  if (!force && (!statSync(out).isDirectory() || readdirSync(out).length > 0)) {
    throw new RefusedError(`${out}: is not empty; choose another --out, or --force to replace the data set in it`);
  }
  const { foreign } = data.preparedFiles(out);
  if (foreign.length === 0) return;
  throw new RefusedError(
    `${out}: holds ${foreign.join(", ")}, which no metadata.json of this command lists; ` +
      "choose another --out, or move them away",
  );
}

interface Opened {
  source: SequenceSource;
  license: string;
  splitKept: (kept: Int32Array) => SpriteSplit;
  close: () => void;
}

/** What --source names, and how sequences from there are split. */
function openSource(data: DataPackage, { source: name, actions: which, seed, ...flags }: PrepareFlags): Opened {
  const split = flags.split as SplitRule;
  const actions: SpriteAction[] = which === "slash" ? ["slash"] : ["walk", "spellcast", "slash"];
  if (name === "synthetic") {
    const source = data.syntheticSource(actions);
    const splitKept = (kept: Int32Array) => data.splitCatalogue(source, data.seededOrder(seed), split, kept);
    return { source, license: "MIT, drawn by this program", splitKept, close() {} };
  }
  if (data.isLpcFolder(name)) {
    const source = data.lpcSource(name, actions);
    const splitKept = (kept: Int32Array) => data.splitCatalogue(source, data.publishedOrder(), split, kept);
    return { source, license: data.LPC_LICENSE, splitKept, close() {} };
  }
  if (!existsSync(name) || statSync(name).isDirectory()) {
    const wanted = "a folder with body, bottomwear, topwear, hair and shoes, a .pt or .npy file, or synthetic";
    throw new UsageError(`--source ${name}: wanted ${wanted}`);
  }
  if (split === "original" && flags.test_source === undefined) {
    throw new UsageError("--split original: wanted --test_source too; one file does not say who was held out");
  }
  return openFiles(data, name, { ...flags, seed, split });
}

/** One file that is split by identity, or a published pair whose second file is held out. */
function openFiles(
  data: DataPackage,
  path: string,
  {
    attributes,
    test_source: testPath,
    seed,
    split,
  }: Pick<PrepareFlags, "attributes" | "test_source" | "seed"> & { split: SplitRule },
): Opened {
  const license = "as the source; not known to this program";
  const file = data.importSequences(path, attributes ?? data.attributesBeside(path, existsSync));
  if (testPath === undefined) {
    const origin = file.identities === null ? "told apart by their colours, which is a guess" : "as listed";
    const identities = (kept: Int32Array) => file.identities ?? data.identitiesByAppearance(file, kept);
    const splitKept = (kept: Int32Array) => data.splitByIdentity(identities(kept), kept, seed, origin);
    return { source: file, license, splitKept, close: () => file.close() };
  }
  const heldOut = data.importSequences(testPath, data.attributesBeside(testPath, existsSync));
  const source = data.joinSources(file, heldOut);
  const identities = (kept: Int32Array) =>
    heldOut.identities === null
      ? data.identitiesByAppearance(
          source,
          kept.filter((index) => index >= file.count),
        )
      : [...new Int32Array(file.count), ...heldOut.identities];
  const splitKept = (kept: Int32Array) => data.splitPair(file.count, identities(kept), kept, seed, split);
  const close = () => [file, heldOut].forEach((opened) => opened.close());
  return { source, license, splitKept, close };
}

if (import.meta.main) await runCommand(prepareCommand);
