// metadata.json of a prepared directory: what the arrays beside it are and how they were made.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../errors.ts";
import type { ByteScale } from "./dataset.ts";

/** One array file of a part, relative to the directory. */
export interface PreparedFile {
  readonly file: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** One part of a split; under the original split validation and test name the same files. */
export interface PreparedPart {
  readonly count: number;
  /** Distinct characters, or null when they are not known. */
  readonly characters: number | null;
  /** uint8 [count, 8, 3, 64, 64]. */
  readonly frames: PreparedFile;
  /** int32 [count, 6], or null. */
  readonly attributes: PreparedFile | null;
}

export const PARTS = ["train", "validation", "test"] as const;
export type Part = (typeof PARTS)[number];

export interface SpriteMetadata {
  readonly format: "cleanloop-sprites";
  readonly version: 1;
  readonly source: string;
  readonly license: string;
  readonly byteScale: ByteScale;
  readonly threshold: number;
  readonly sequencesRead: number;
  readonly sequencesKept: number;
  readonly percentCyclic: number;
  /** First-last MSE in value units, of what was kept and of what was not. */
  readonly firstLastMse: { readonly kept: MseSummary | null; readonly rejected: MseSummary | null };
  readonly splitRule: string;
  readonly parts: Readonly<Record<Part, PreparedPart>>;
}

export interface MseSummary {
  readonly min: number;
  readonly mean: number;
  readonly max: number;
}

export const METADATA_FILE = "metadata.json";

/** Whether a directory was made by prepare_sprites. */
export function isPrepared(directory: string): boolean {
  return existsSync(join(directory, METADATA_FILE));
}

/** Reads and checks metadata.json; throws `bad-file` when it is not one of ours. */
export function readMetadata(directory: string): SpriteMetadata {
  const path = join(directory, METADATA_FILE);
  let metadata: SpriteMetadata;
  try {
    metadata = JSON.parse(readFileSync(path, "utf8")) as SpriteMetadata;
  } catch (cause) {
    throw new DataError("bad-file", `${path}: cannot be read as JSON. Run prepare_sprites with another --out.`, {
      cause,
    });
  }
  const complete =
    metadata?.format === "cleanloop-sprites" &&
    metadata.version === 1 &&
    (metadata.byteScale === 255 || metadata.byteScale === 256) &&
    PARTS.every((part) => {
      const { count, frames } = metadata.parts?.[part] ?? {};
      return Number.isInteger(count) && isFileName(frames?.file);
    });
  if (!complete) {
    throw new DataError(
      "bad-file",
      `${path}: is not the metadata of prepared sprites (version 1). Run prepare_sprites with another --out.`,
    );
  }
  return metadata;
}

/** Names stay inside the directory, whoever wrote the metadata. */
function isFileName(name: unknown): boolean {
  return typeof name === "string" && /^[\w-]+\.npy$/.test(name);
}
