// The files that every run directory has: their removal, and that of directories whose process died while it made them.
import { randomBytes } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryPrefix } from "./atomic.ts";
import { manifestFileName } from "./manifest.ts";
import { metricsFileName } from "./metrics.ts";
import { pidExists } from "./process-identity.ts";
import { listDirectory, removeEmptyFolder, removeFile, sweepTemporaryFiles } from "./removal.ts";
import { readStatus, staleHeartbeatMs, statusFileName } from "./status.ts";

export const configFileName = "args.json";

/** Removes the files every run has, then its directory and the parents made for it, as far as they are empty. */
export function removeRunFiles(path: string, parentsCreated: number): void {
  // The manifest goes last: a killed discard can be repeated.
  for (const name of [metricsFileName, statusFileName, manifestFileName]) removeFile(join(path, name));
  let directory = path;
  for (let above = 0; above <= parentsCreated && removeEmptyFolder(directory); above++) directory = dirname(directory);
}

/** {@link removeRunFiles} for a run that never began, whose configuration is nobody's artifact yet. */
export function removeUnfinishedRun(path: string, parentsCreated: number): void {
  removeFile(join(path, configFileName));
  removeRunFiles(path, parentsCreated);
}

const unfinishedPattern = /^\.tmp-(\d+)-[0-9a-f]{8}$/;

/** Where a run is made, beside its place: hidden, and not used by anybody else. */
export function unfinishedRunPath(parent: string): string {
  return join(parent, `${temporaryPrefix}${process.pid}-${randomBytes(4).toString("hex")}`);
}

/** Removes the unfinished run directories in `parent` whose processes are dead. */
export function sweepUnfinishedRuns(parent: string): void {
  for (const entry of listDirectory(parent)) {
    const pid = unfinishedPattern.exec(entry.name)?.[1];
    if (pid === undefined || !entry.isDirectory()) continue;
    const path = join(parent, entry.name);
    try {
      if (!isAbandoned(path, Number(pid))) continue;
      sweepTemporaryFiles(path);
      removeUnfinishedRun(path, 0);
    } catch {
      // Another process sweeps it too, or another user owns it: no reason to refuse a new run.
    }
  }
}

/** Whether its owner is dead. Without a status the pid may be one of another host, which two minutes rule out. */
function isAbandoned(path: string, pid: number): boolean {
  if (existsSync(join(path, statusFileName))) return readStatus(path).state !== "running";
  return !pidExists(pid) && Date.now() - statSync(path).mtimeMs > staleHeartbeatMs;
}
