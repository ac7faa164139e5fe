// Removes temporary files that killed writers left in a run directory; those of living writers stay.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { removeFile } from "./artifact-store.ts";
import { temporaryPrefix } from "./atomic.ts";
import { systemError } from "./errors.ts";
import { pidExists } from "./process-identity.ts";

/** Sweeps a directory and its folders, never following links. */
export function sweepTemporaryFiles(directory: string): void {
  for (const entry of listDirectory(directory)) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) sweepTemporaryFiles(path);
    if (!entry.isFile() || !entry.name.startsWith(temporaryPrefix)) continue;
    const pid = Number.parseInt(entry.name.slice(temporaryPrefix.length), 10);
    if (pid === process.pid || !pidExists(pid)) removeFile(path);
  }
}

function listDirectory(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (cause) {
    throw systemError("list", path, cause);
  }
}
