// What the trainers call: sprites by name or path, as many as asked for, with identities kept apart.

import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { openNpy } from "@cleanloop/artifacts";
import { DataError } from "../errors.ts";
import { identitiesByAppearance } from "./appearance.ts";
import { FRAME_EDGE, FRAMES_PER_SEQUENCE, readSequences, SPRITE_ATTRIBUTES } from "./dataset.ts";
import type { SequenceSource, SpriteSet } from "./dataset.ts";
import { attributesBeside, importSequences } from "./import.ts";
import { isLpcFolder, lpcSource } from "./lpc.ts";
import { isPrepared, readMetadata } from "./metadata.ts";
import type { Part } from "./metadata.ts";
import { publishedOrder, seededOrder, splitByIdentity, splitCatalogue } from "./split.ts";
import type { SpriteSplit } from "./split.ts";
import { syntheticSource } from "./synthetic.ts";

export interface LoadOptions {
  /** Training sequences, taken from the front; all when left out. */
  trainCount?: number;
  /** Validation sequences, taken from the front; all when left out. */
  validationCount?: number;
  /** Test sequences, taken from the front; none when left out. */
  testCount?: number;
  /** Draws the split of drawn characters and of single array files; prepared directories have one already. */
  seed: number;
}

export interface LoadedSprites {
  readonly train: SpriteSet;
  readonly validation: SpriteSet;
  readonly test: SpriteSet;
  /** One line for people: where the data come from and how they are split. */
  readonly description: string;
  /** 16 hexadecimal digits of the SHA-256 of the training and validation bytes: a key for caches. */
  readonly fingerprint: string;
}

interface OpenedSprites {
  readonly counts: Record<Part, number>;
  readonly description: string;
  readonly take: (part: Part, count: number) => SpriteSet;
  readonly close: () => void;
}

/**
 * Loads sprites: `synthetic`, a directory made by prepare_sprites, a folder of LPC sheets, or one .npy or .pt file.
 * Only the sequences asked for are read or drawn. Throws DataError, or the ArtifactError of a damaged file.
 */
export function loadSprites(spec: string, options: LoadOptions): LoadedSprites {
  const opened = open(spec, options.seed);
  try {
    const { counts } = opened;
    const take = (part: Part, asked: number, flag: string) =>
      opened.take(part, checkedCount(part, asked, counts[part], flag));
    const train = take("train", options.trainCount ?? counts.train, "--n_train_samples");
    const validation = take("validation", options.validationCount ?? counts.validation, "--n_val_samples");
    const test = take("test", options.testCount ?? 0, "testCount");
    return { train, validation, test, description: opened.description, fingerprint: fingerprint(train, validation) };
  } finally {
    opened.close();
  }
}

function open(spec: string, seed: number): OpenedSprites {
  if (spec === "synthetic") {
    const source = syntheticSource();
    return fromSource(source, splitCatalogue(source, seededOrder(seed)));
  }
  if (!existsSync(spec)) {
    throw new DataError(
      "not-found",
      `${spec}: no such file or directory. Use --data synthetic for drawn characters, ` +
        "or make a directory with scripts/prepare_sprites.ts",
    );
  }
  if (!statSync(spec).isDirectory()) return fromFile(spec, seed);
  if (isPrepared(spec)) return fromPrepared(spec);
  if (isLpcFolder(spec)) {
    const source = lpcSource(spec);
    return fromSource(source, splitCatalogue(source, publishedOrder()));
  }
  throw new DataError(
    "not-found",
    `${spec}: got a directory without metadata.json, ` +
      "wanted one made by scripts/prepare_sprites.ts, a folder of LPC sheets, or a .npy file",
  );
}

function fromSource(source: SequenceSource, split: SpriteSplit, close = () => {}): OpenedSprites {
  return {
    counts: { train: split.train.length, validation: split.validation.length, test: split.test.length },
    description: `${source.description}; ${split.rule}`,
    take: (part, count) => readSequences(source, split[part].subarray(0, count)),
    close,
  };
}

function fromFile(path: string, seed: number): OpenedSprites {
  if (!/\.(npy|pt)$/.test(path)) {
    throw new DataError(
      "bad-file",
      `${path}: got a file that is neither .npy nor .pt, wanted an array of sprite sequences`,
    );
  }
  const attributes = attributesBeside(path, existsSync);
  const source = importSequences(path, attributes);
  try {
    const rows = Int32Array.from({ length: source.count }, (_, index) => index);
    const identities = source.identities ?? identitiesByAppearance(source, rows);
    const origin = attributes === undefined ? "told apart by their colours" : `listed in ${attributes}`;
    return fromSource(source, splitByIdentity(identities, rows, seed, origin), () => source.close());
  } catch (error) {
    source.close();
    throw error;
  }
}

function fromPrepared(directory: string): OpenedSprites {
  const { parts, byteScale, source, splitRule } = readMetadata(directory);
  return {
    counts: { train: parts.train.count, validation: parts.validation.count, test: parts.test.count },
    description: `${directory}: ${source}; ${splitRule}`,
    take(part, count) {
      const { count: stored, frames, attributes } = parts[part];
      const shape = [FRAMES_PER_SEQUENCE, 3, FRAME_EDGE, FRAME_EDGE];
      return {
        frames: readRows(join(directory, frames.file), "uint8", [stored, ...shape], count) as Uint8Array,
        count,
        byteScale,
        attributes:
          attributes === null
            ? null
            : (readRows(
                join(directory, attributes.file),
                "int32",
                [stored, SPRITE_ATTRIBUTES.length],
                count,
              ) as Int32Array),
        actions: null,
      };
    },
    close() {},
  };
}

/** The first `count` rows of a .npy file whose dtype and shape must be those of the metadata. */
function readRows(
  path: string,
  dtype: "uint8" | "int32",
  shape: readonly number[],
  count: number,
): Uint8Array | Int32Array {
  using file = openNpy(path);
  if (file.dtype !== dtype || file.shape.join() !== shape.join()) {
    throw new DataError(
      "bad-shape",
      `${path}: got ${file.dtype} [${file.shape.join(", ")}], ` +
        `wanted ${dtype} [${shape.join(", ")}] as metadata.json says. Run prepare_sprites again with --force.`,
    );
  }
  return file.readRows(0, count).data as Uint8Array | Int32Array;
}

function checkedCount(part: Part, asked: number, available: number, flag: string): number {
  if (!Number.isInteger(asked) || asked < 0) {
    throw new DataError(
      "invalid-argument",
      `loadSprites: got ${asked} ${part} sequences, wanted a whole number of at least 0`,
    );
  }
  if (asked <= available) return asked;
  const words = { train: "training", validation: "validation", test: "test" }[part];
  throw new DataError(
    "not-enough",
    `asked for ${asked} ${words} sequences, the set has ${available}; use ${flag} ${available} or less`,
  );
}

function fingerprint(train: SpriteSet, validation: SpriteSet): string {
  const hash = createHash("sha256");
  for (const { count, byteScale, frames } of [train, validation])
    hash.update(`${count} sequences of k/${byteScale}\n`).update(frames);
  return hash.digest("hex").slice(0, 16);
}
