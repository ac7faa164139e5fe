// Where the tests put their runs, and how they read a run's log back.

import { afterAll } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { InitOptions, LogRecord, RecordKind, Run } from "@cleanloop/wandb";
import { fromValueJson, init, logRecord, readLog, recordKind } from "@cleanloop/wandb";

/** A directory for one test file, removed when its tests are over. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), "cleanloop-wandb-"));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** An offline run that neither listens to the console nor samples the machine, unless asked to. */
export function quietRun(dir: string, options: Partial<InitOptions> = {}): Run {
  return init({ mode: "offline", project: "test", dir, console: false, systemMetrics: false, ...options });
}

export function logFile(run: Run): string {
  return join(run.directory ?? "", `run-${run.id}.wandb`);
}

/** Every record of the run's log, read strictly. */
export function recordsOf(run: Run): LogRecord[] {
  return readLog(readFileSync(logFile(run))).map(({ payload }) => logRecord.decode(payload));
}

export function kindsOf(run: Run): (RecordKind | undefined)[] {
  return recordsOf(run).map(recordKind);
}

/** The history as rows of parsed values. */
export function historyOf(run: Run): Record<string, unknown>[] {
  return recordsOf(run).flatMap(({ history }) => (history === undefined ? [] : [itemsToObject(history.item)]));
}

export function itemsToObject(items: readonly { key: string; valueJson: string }[]): Record<string, unknown> {
  return Object.fromEntries(items.map(({ key, valueJson }) => [key, fromValueJson(valueJson)]));
}
