// Compares a file on disk with the size and SHA-256 recorded for it, in constant memory.
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, statSync } from "node:fs";
import type { Written } from "./atomic.ts";
import { systemError } from "./errors.ts";

const blockSizeBytes = 2 ** 20;

/** Size and lower-case SHA-256 of a file, or null when it does not exist. */
export function hashFile(path: string): Written | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw systemError("read", path, cause);
  }
  try {
    const hash = createHash("sha256");
    const block = new Uint8Array(blockSizeBytes);
    let sizeBytes = 0;
    for (let got = readSync(descriptor, block); got > 0; got = readSync(descriptor, block)) {
      hash.update(block.subarray(0, got));
      sizeBytes += got;
    }
    return { sizeBytes, sha256: hash.digest("hex") };
  } catch (cause) {
    throw systemError("read", path, cause);
  } finally {
    closeSync(descriptor);
  }
}

/** Whether the file exists with exactly this content; a different size is seen without reading. */
export function fileMatches(path: string, wanted: Written): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.size === wanted.sizeBytes && hashFile(path)?.sha256 === wanted.sha256;
}
