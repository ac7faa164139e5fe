// metrics.jsonl: one JSON object per line, appended and never rewritten; a torn last line is ignored, then cut off.
import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { ArtifactError, systemError } from "./errors.ts";
import { decodeJson, encodeJson, hasSpelledNumber, type JsonObject, type JsonValue } from "./json.ts";

export const metricsFileName = "metrics.jsonl";

/** One row of metrics; non-finite numbers survive. */
export type MetricsRow = JsonObject;

interface LogLines {
  bytes: Buffer;
  /** Where each whole line begins, in bytes, and as a last entry where they end. */
  offsets: number[];
}

/** All whole rows of a log, none when there is no file; throws `bad-header` for a line that is not a JSON object. */
export function readMetrics(path: string): MetricsRow[] {
  return parse(path, readLines(path));
}

/** The writer of a metrics log; it repairs the tail that a killed writer left. */
export class MetricsLog {
  readonly #path: string;
  readonly #descriptor: number;
  #unflushed = false;
  #open = true;

  constructor(path: string) {
    this.#path = path;
    try {
      const lines = readLines(path);
      parse(path, lines);
      this.#descriptor = openSync(path, "a");
      ftruncateSync(this.#descriptor, lines.offsets.at(-1));
    } catch (cause) {
      throw systemError("open", path, cause);
    }
  }

  /** Appends one row; it survives a kill of this process at once, and a power cut after the next `flush`. */
  append(row: MetricsRow): void {
    const line = Buffer.from(`${encodeJson(row)}\n`);
    const sizeBytes = fstatSync(this.#descriptor).size;
    try {
      let done = 0;
      while (done < line.byteLength) done += writeSync(this.#descriptor, line, done);
    } catch (cause) {
      // A part of a line before whole ones would make the log unreadable.
      ftruncateSync(this.#descriptor, sizeBytes);
      throw systemError("append to", this.#path, cause);
    }
    this.#unflushed = true;
  }

  /** Cuts the log before the first row whose `key` is a number above `value`: resume from a checkpoint repeats those. */
  dropAfter(key: string, value: number): void {
    const lines = readLines(this.#path);
    const rows = parse(this.#path, lines);
    const first = rows.findIndex((row) => typeof row[key] === "number" && row[key] > value);
    if (first !== -1) ftruncateSync(this.#descriptor, lines.offsets[first]);
  }

  /** Waits until all rows are on the disk. */
  flush(): void {
    if (this.#unflushed) fdatasyncSync(this.#descriptor);
    this.#unflushed = false;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.flush();
    closeSync(this.#descriptor);
  }
}

/** Columns of rows: every key in order of appearance, null where a row lacks it or its number is not finite. */
export function metricsColumns(rows: readonly MetricsRow[]): Record<string, JsonValue[]> {
  const columns = new Map<string, JsonValue[]>();
  for (const [index, row] of rows.entries()) {
    for (const [key, value] of Object.entries(row)) {
      let column = columns.get(key);
      if (!column) columns.set(key, (column = Array.from({ length: rows.length }, () => null)));
      column[index] = finiteOrNull(value);
    }
  }
  return Object.fromEntries(columns);
}

/** Rows with null for numbers that are not finite: strict JSON that plots read as a gap. */
export function metricsRecords(rows: readonly MetricsRow[]): JsonObject[] {
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, finiteOrNull(value)])));
}

/**
 * The whole rows of a log as JSON text of {@link metricsRecords}, one record per line. Lines are copied as they are where
 * that is the same: training writes this again and again, and parsing thousands of rows would hold it up.
 */
export function readMetricsRecordsJson(path: string): string {
  const { bytes, offsets } = readLines(path);
  const records = offsets.slice(0, -1).map((start, i) => {
    const line = bytes.toString("utf8", start, offsets[i + 1] - 1);
    return hasSpelledNumber(line) ? encodeJson(metricsRecords([parseLine(line, `${path}, line ${i + 1}`)])[0]) : line;
  });
  return `[${records.join(",\n")}]`;
}

function finiteOrNull(value: JsonValue | undefined): JsonValue {
  return value === undefined || (typeof value === "number" && !Number.isFinite(value)) ? null : value;
}

function readLines(path: string): LogLines {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return { bytes: Buffer.alloc(0), offsets: [0] };
    throw systemError("read", path, cause);
  }
  const offsets = [0];
  for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, end + 1)) offsets.push(end + 1);
  return { bytes, offsets };
}

function parse(path: string, { bytes, offsets }: LogLines): MetricsRow[] {
  return offsets.slice(0, -1).map((start, i) => {
    return parseLine(bytes.toString("utf8", start, offsets[i + 1] - 1), `${path}, line ${i + 1}`);
  });
}

function parseLine(text: string, label: string): MetricsRow {
  let row: JsonValue;
  try {
    row = decodeJson(text);
  } catch (cause) {
    throw new ArtifactError("bad-header", `${label}: is not JSON (${(cause as Error).message}).`, { cause });
  }
  if (typeof row !== "object" || row === null || Array.isArray(row)) {
    throw new ArtifactError("bad-header", `${label}: is not a JSON object.`);
  }
  return row as MetricsRow;
}
