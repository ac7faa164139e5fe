// Takes over a run whose process ended, for appending; of several processes that try at once, one succeeds.
//
// Each take-over has a number, the run's next generation. Creating `.claim-<number>` exclusively is the right to it. A claim
// whose owner died is passed over with the next number instead of being deleted, because deleting could hit a newer owner's.
import { closeSync, openSync, readdirSync, readFileSync, statSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import { ArtifactError, systemError } from "./errors.ts";
import { readManifest } from "./manifest.ts";
import { currentProcess, type ProcessIdentity, processState } from "./process-identity.ts";
import { removeFile, sweepTemporaryFiles } from "./removal.ts";
import { Run } from "./run.ts";
import { readStatus, type RunStatus, staleHeartbeatMs, writeStatus } from "./status.ts";

const claimPattern = /^\.claim-(\d+)$/;

/**
 * Opens a finished, failed or killed run for appending and marks it running again: torn metrics are cut, pending artifacts
 * decided, leftover temporary files removed. Throws `still-running` when a living process owns it, `not-a-run` otherwise.
 */
export function resumeRun(directory: string): Run {
  const path = resolve(directory);
  readManifest(path);
  const status = takeOver(path);
  sweepTemporaryFiles(path);
  // Read again: only now is it certain that nobody else writes it.
  return new Run(path, readManifest(path), status);
}

function takeOver(directory: string): RunStatus {
  const before = refuseWhileRunning(directory);
  const claims = listClaims(directory).filter((generation) => generation > before.generation);
  if (claims.some((generation) => isClaimAlive(claimPath(directory, generation)))) throw stillRunning(directory);
  const generation = Math.max(before.generation, ...claims) + 1;
  createClaim(directory, generation);
  const status = refuseWhileRunning(directory, () => removeFile(claimPath(directory, generation)));
  const resumed: RunStatus = {
    ...status,
    ...currentProcess(),
    state: "running",
    generation,
    heartbeatAt: new Date().toISOString(),
    exit: null,
  };
  writeStatus(directory, resumed);
  for (const claim of listClaims(directory)) if (claim <= generation) removeFile(claimPath(directory, claim));
  return resumed;
}

function refuseWhileRunning(directory: string, cleanUp?: () => void): RunStatus {
  const status = readStatus(directory);
  if (status.state !== "running") return status;
  cleanUp?.();
  throw stillRunning(directory, status);
}

function stillRunning(directory: string, owner?: ProcessIdentity): ArtifactError {
  const who = owner ? `process ${owner.pid} on ${owner.host}` : "another process";
  return new ArtifactError("still-running", `resumeRun: ${directory} belongs to ${who}. Wait for it or stop it first.`);
}

function claimPath(directory: string, generation: number): string {
  return join(directory, `.claim-${generation}`);
}

function listClaims(directory: string): number[] {
  return readdirSync(directory).flatMap((name) => claimPattern.exec(name)?.slice(1).map(Number) ?? []);
}

function createClaim(directory: string, generation: number): void {
  const path = claimPath(directory, generation);
  let descriptor: number;
  try {
    descriptor = openSync(path, "wx");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") throw stillRunning(directory);
    throw systemError("write", path, cause);
  }
  writeSync(descriptor, JSON.stringify(currentProcess()));
  closeSync(descriptor);
}

/** A claim lives while its owner does; one that cannot be judged (another host, not written yet) lives two minutes. */
function isClaimAlive(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return false;
  let state: ReturnType<typeof processState> = "unknown";
  try {
    state = processState(JSON.parse(readFileSync(path, "utf8")) as ProcessIdentity);
  } catch {
    // Empty: its owner is between creating and writing it, or was killed there.
  }
  return state === "alive" || (state === "unknown" && Date.now() - stat.mtimeMs < staleHeartbeatMs);
}
