// status.json: what a run is doing, written by its process, judged by its readers.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeAtomicSync } from "./atomic.ts";
import { ArtifactError, systemError } from "./errors.ts";
import { decodeJson, encodeJson, type JsonObject } from "./json.ts";
import { type ProcessIdentity, processState } from "./process-identity.ts";

export const statusFileName = "status.json";

export type FinalState = "finished" | "failed" | "killed";
export type RunState = "running" | FinalState;

/** Why and how a run ended. */
export interface ExitDetail {
  message?: string;
  exitCode?: number;
  signal?: string;
}

export interface RunStatus extends ProcessIdentity {
  state: RunState;
  /** How often the run was resumed. */
  generation: number;
  /** ISO 8601, UTC. */
  startedAt: string;
  heartbeatAt: string;
  step: number | null;
  epoch: number | null;
  exit: ExitDetail | null;
}

/** A run on a host we cannot look into counts as dead after this long without a heartbeat. */
export const staleHeartbeatMs = 120_000;

/** Replaces status.json atomically. */
export function writeStatus(directory: string, status: RunStatus): void {
  writeAtomicSync(join(directory, statusFileName), `${encodeJson(status as unknown as JsonObject, 2)}\n`);
}

/**
 * The honest status of a run: a recorded "running" becomes "killed" when its process is gone, its pid belongs to a later
 * process, or it cannot be seen and its heartbeat is older than two minutes. The file is not changed.
 * Throws `not-a-run` where there is no status.json, `bad-header` when it is not one.
 */
export function readStatus(directory: string, nowMs: number = Date.now()): RunStatus {
  const status = readRecordedStatus(directory);
  if (status.state !== "running") return status;
  const reason = deathOf(status, nowMs);
  return reason === null ? status : { ...status, state: "killed", exit: { message: reason } };
}

function deathOf(status: RunStatus, nowMs: number): string | null {
  const process = processState(status);
  if (process === "dead") return `process ${status.pid} on ${status.host} is gone`;
  const silentMs = nowMs - Date.parse(status.heartbeatAt);
  if (process === "unknown" && silentMs > staleHeartbeatMs) {
    return `no heartbeat from ${status.host} for ${Math.round(silentMs / 1000)} s`;
  }
  return null;
}

function readRecordedStatus(directory: string): RunStatus {
  const path = join(directory, statusFileName);
  if (!existsSync(path)) {
    throw new ArtifactError("not-a-run", `${directory}: has no ${statusFileName}, so it is not a run directory.`);
  }
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw systemError("read", path, cause);
  }
  try {
    const status = decodeJson(text) as unknown as RunStatus;
    if (!["running", "finished", "failed", "killed"].includes(status.state) || !Number.isInteger(status.pid)) {
      throw new TypeError("state or pid is missing");
    }
    return status;
  } catch (cause) {
    throw new ArtifactError("bad-header", `${path}: is not a run status (${(cause as Error).message}).`, { cause });
  }
}
