// bun scripts/prepare_sprites.ts --source ../lpc-sheets
// bun scripts/prepare_sprites.ts --source Sprites_train.pt --test_source Sprites_test.pt --out data/sprites
// bun scripts/prepare_sprites.ts --source synthetic --out data/drawn --actions slash
//
// Makes a data set for the trainers: composes or reads the sequences, keeps the cyclic ones, splits them by character,
// writes .npy files with metadata.json. Prints the directory.
import { existsSync, readdirSync, statSync } from "node:fs";
import { defineCommand, defineFlags, formatBytes, Progress, RefusedError, runCommand, UsageError } from "@cleanloop/cli";
import type { FileSource, SequenceSource, SplitRule, SpriteAction, SpriteSplit } from "@cleanloop/data";
import { version } from "./package.json" with { type: "json" };

const flags = defineFlags({
  source: { type: "string", required: true, valueName: "path|synthetic", description: "A folder of LPC sheets, a .pt or .npy file of sequences, or synthetic." },
  test_source: { type: "string", valueName: "file", description: "The held-out file of a published pair; without it a single file is split." },
  attributes: { type: "string", valueName: "file", description: "int32 .npy [N,6] or [N]: who the sequences of a single file show. Without it they are told apart by their colours." },
  out: { type: "string", valueName: "directory", default: "data/sprites", description: "Where the data set goes." },
  actions: { type: "enum", values: ["slash", "all"], default: "all", description: "What to compose: the cyclic action alone, or all three of which the threshold keeps one." },
  threshold: { type: "number", above: 0, default: 1e-4, description: "Keep sequences whose first and last frame differ by less (MSE); 1 keeps everything." },
  split: { type: "enum", values: ["identity", "original"], default: "identity", description: "identity: validation and test are different people. original: as published, one held-out set is both." },
  seed: { type: "integer", min: 0, default: 42, description: "Order of the characters, where it is not the published one." },
  force: { type: "boolean", description: "Replace the data set in a directory that is not empty." },
});

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
    if (existsSync(flags.out) && !flags.force && (!statSync(flags.out).isDirectory() || readdirSync(flags.out).length > 0)) {
      throw new RefusedError(`${flags.out}: is not empty; choose another --out, or --force to replace the data set in it`);
    }
    const data = await import("@cleanloop/data");
    const say = (line: string) => process.stderr.write(`${line}\n`);
    const split = flags.split as SplitRule;
    const actions: SpriteAction[] = flags.actions === "slash" ? ["slash"] : ["walk", "spellcast", "slash"];
    const files: FileSource[] = [];
    let source: SequenceSource;
    let splitKept: (kept: Int32Array) => SpriteSplit;
    let license = "as the source; not known to this program";

    try {
      if (flags.source === "synthetic") {
        source = data.syntheticSource(actions);
        splitKept = (kept) => data.splitCatalogue(source, data.seededOrder(flags.seed), split, kept);
        license = "MIT, drawn by this program";
      } else if (data.isLpcFolder(flags.source)) {
        source = data.lpcSource(flags.source, actions);
        splitKept = (kept) => data.splitCatalogue(source, data.publishedOrder(), split, kept);
        license = data.LPC_LICENSE;
      } else {
        if (!existsSync(flags.source) || statSync(flags.source).isDirectory()) {
          throw new UsageError(`--source ${flags.source}: wanted a folder with body, bottomwear, topwear, hair and shoes, a .pt or .npy file, or synthetic`);
        }
        const file = data.importSequences(flags.source, flags.attributes ?? data.attributesBeside(flags.source, existsSync));
        files.push(file);
        if (flags.test_source !== undefined) {
          const heldOut = data.importSequences(flags.test_source, data.attributesBeside(flags.test_source, existsSync));
          files.push(heldOut);
          source = data.joinSources(file, heldOut);
          splitKept = (kept) => {
            const last = kept.filter((index) => index >= file.count);
            const identities = heldOut.identities === null ? data.identitiesByAppearance(source, last) : [...new Int32Array(file.count), ...heldOut.identities];
            return data.splitPair(file.count, identities, kept, flags.seed, split);
          };
        } else {
          if (split === "original") throw new UsageError("--split original: wanted --test_source too; a single file says nothing about who was held out");
          source = file;
          splitKept = (kept) => {
            const origin = file.identities === null ? "told apart by their colours, which is a guess" : "as listed";
            return data.splitByIdentity(file.identities ?? data.identitiesByAppearance(file, kept), kept, flags.seed, origin);
          };
        }
      }

      say(source.description);
      const progress = new Progress({ label: "sequences", totalSteps: source.count });
      const onProgress = (done: number) => progress.update(done);
      const extract = await data.extractCyclic(source, flags.threshold, { onProgress, signal });
      progress.stop();
      const percent = ((100 * extract.indices.length) / source.count).toFixed(2);
      say(`${extract.indices.length} of ${source.count} sequences (${percent} %) return to their first frame`);

      const onWritten = (file: string, sizeBytes: number) => say(`  ${file.padEnd(26)} ${formatBytes(sizeBytes)}`);
      const parts = splitKept(extract.indices);
      const metadata = await data.prepareSprites({ source, extract, split: parts, license, directory: flags.out, onWritten, signal });
      const { train, validation, test } = metadata.parts;
      say(`train ${train.count}, validation ${validation.count}, test ${test.count}; ${metadata.splitRule}`);
      print(flags.out);
    } finally {
      for (const file of files) file.close();
    }
  },
});

if (import.meta.main) await runCommand(prepareCommand);
