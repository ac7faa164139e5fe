// Reads the tracker's logs that a command left, strictly: every byte has to belong to a whole record.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LogRecord } from "@cleanloop/wandb";
import { fromValueJson, logRecord, readLog, recordKind } from "@cleanloop/wandb";

/** The run directories below `<root>/wandb`, in the order of their start. */
export function logDirectories(root: string): string[] {
  const parent = join(root, "wandb");
  return existsSync(parent) ? readdirSync(parent).sort().map((name) => join(parent, name)) : [];
}

/** The path of the log in a tracker's run directory; undefined when the process died before it began one. */
export function logFile(directory: string): string | undefined {
  const name = readdirSync(directory).find((file) => file.endsWith(".wandb"));
  return name && join(directory, name);
}

/** All records of a log; throws LogError at the first byte that belongs to none. */
export function readRecords(directory: string): LogRecord[] {
  return readLog(readFileSync(logFile(directory) as string)).map(({ payload }) => logRecord.decode(payload));
}

/** Items of a record as an object. */
export function valuesOf(items: readonly { key: string; valueJson: string }[]): Record<string, unknown> {
  return Object.fromEntries(items.map(({ key, valueJson }) => [key, fromValueJson(valueJson)]));
}

/** What a log says of its run when all records are taken together. */
export function logContents(directory: string) {
  const records = readRecords(directory);
  const config = records.flatMap(({ run, config: update }) => [...(run?.config?.update ?? []), ...(update?.update ?? [])]);
  return {
    kinds: records.map((record) => recordKind(record) as string),
    numbers: records.map(({ num }) => num),
    config: valuesOf(config),
    history: records.flatMap(({ history }) => (history ? [valuesOf(history.item)] : [])),
    summary: valuesOf(records.flatMap(({ summary }) => summary?.update ?? [])),
    stats: records.flatMap(({ stats }) => (stats ? [valuesOf(stats.item)] : [])),
    output: records.map(({ outputRaw }) => outputRaw?.line ?? "").join(""),
    exitCode: records.find(({ exit }) => exit)?.exit?.exitCode,
  };
}
