// Which files of a directory an earlier preparation wrote, so that a new one replaces those and nobody else's.

import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemError } from "@cleanloop/artifacts";
import { METADATA_FILE, PARTS } from "./metadata.ts";
import type { SpriteMetadata } from "./metadata.ts";

export const PREVIEW_FILE = "preview.png";

/** Every name a preparation may write, in the order of removal: without its metadata a directory is not prepared. */
const PREPARED_FILES = [
  METADATA_FILE,
  ...PARTS.flatMap((part) => [`${part}.npy`, `${part}_attributes.npy`]),
  PREVIEW_FILE,
];

/** What is in a directory under the names that a preparation writes. */
export interface PreparedFiles {
  /** Files of an earlier preparation: its metadata, what that lists, and the preview. */
  readonly own: readonly string[];
  /** Files of the same names that no metadata of ours lists. */
  readonly foreign: readonly string[];
}

/** Tells our files from others of the same names by the metadata; a directory that does not exist has neither. */
export function preparedFiles(directory: string): PreparedFiles {
  const present = PREPARED_FILES.filter((file) => existsSync(join(directory, file)));
  const listed = listedFiles(join(directory, METADATA_FILE));
  return { own: present.filter((file) => listed.has(file)), foreign: present.filter((file) => !listed.has(file)) };
}

/** Removes prepared files, metadata first, so that a half-written directory never passes for a prepared one. */
export function removePreparedFiles(directory: string, files: readonly string[]): void {
  try {
    for (const file of PREPARED_FILES) if (files.includes(file)) rmSync(join(directory, file), { force: true });
  } catch (cause) {
    throw systemError("remove files from", directory, cause);
  }
}

/** The files that metadata of ours vouches for, of whatever version and however incomplete it is; else none. */
function listedFiles(metadataPath: string): Set<string | undefined> {
  let metadata: Partial<SpriteMetadata> | null;
  try {
    metadata = JSON.parse(readFileSync(metadataPath, "utf8"));
  } catch {
    return new Set();
  }
  if (metadata?.format !== "cleanloop-sprites") return new Set();
  const arrays = PARTS.flatMap((part) => {
    const { frames, attributes } = metadata.parts?.[part] ?? {};
    return [frames?.file, attributes?.file];
  });
  return new Set([METADATA_FILE, PREVIEW_FILE, ...arrays]);
}
