// Removes single files, empty directories, and the temporary files that killed writers left. Nothing here is recursive
// but the search for those temporary files, which never follows a link.
import { readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { temporaryPrefix } from "./atomic.ts";
import { systemError } from "./errors.ts";
import { pidExists } from "./process-identity.ts";

/** Removes one file; it may be gone already. */
export function removeFile(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (cause) {
    throw systemError("remove", path, cause);
  }
}

/** Removes a directory only when nothing is in it; returns whether it is gone, or never was there. */
export function removeEmptyFolder(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}

/** Removes temporary files of dead writers, and of this process, below a directory; those of other living ones stay. */
export function sweepTemporaryFiles(directory: string): void {
  for (const entry of listDirectory(directory)) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) sweepTemporaryFiles(path);
    if (!entry.isFile() || !entry.name.startsWith(temporaryPrefix)) continue;
    const pid = Number.parseInt(entry.name.slice(temporaryPrefix.length), 10);
    if (pid === process.pid || !pidExists(pid)) removeFile(path);
  }
}

/** The entries of a directory, with their types. */
export function listDirectory(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (cause) {
    throw systemError("list", path, cause);
  }
}
