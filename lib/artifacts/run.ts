// A run directory, seen by the process that owns it: it writes artifacts, metrics and an honest status.
import { mkdirSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { isPlainFileName } from "./artifact-name.ts";
import { ArtifactStore, type PutOptions } from "./artifact-store.ts";
import { type Chunks, writeAtomicSync } from "./atomic.ts";
import { ArtifactError, systemError } from "./errors.ts";
import { encodeJson, type JsonObject } from "./json.ts";
import { type ArtifactEntry, type Manifest, manifestFileName, type Pointer, writeManifest } from "./manifest.ts";
import { metricsColumns, metricsFileName, MetricsLog, metricsRecords, type MetricsRow, readMetrics } from "./metrics.ts";
import { currentProcess } from "./process-identity.ts";
import { removeEmptyFolder, removeFile, sweepTemporaryFiles } from "./removal.ts";
import { type ExitDetail, type FinalState, type RunStatus, statusFileName, writeStatus } from "./status.ts";

export const configFileName = "args.json";
export const metricsHistoryFileName = "metrics_history.json";

/** Heartbeats closer together than this are skipped, so that one per training step costs nothing. */
export const heartbeatIntervalMs = 5_000;

export interface CreateRunOptions {
  /** Directory of all runs, such as "runs". */
  root: string;
  /** Experiment or environment: the directory between root and name. */
  group: string;
  name: string;
  /** Every flag, resolved. */
  config: JsonObject;
  /** The command line, for whoever repeats the run. */
  command: readonly string[];
  /** The run whose checkpoint this one starts from. */
  resumeFrom?: string;
}

/** How far the run is. */
export interface Progress {
  step?: number;
  epoch?: number;
}

/**
 * Creates `root/group/name` and marks it running. Throws `exists` when it is there already: of two processes that race for
 * one name, one wins.
 */
export function createRun(options: CreateRunOptions): Run {
  for (const key of ["group", "name"] as const) {
    if (!isPlainFileName(options[key])) {
      throw new ArtifactError("invalid-argument", `createRun: got ${key} "${options[key]}", wanted a plain file name.`);
    }
  }
  const parent = resolve(options.root, options.group);
  const path = join(parent, options.name);
  const parentsCreated = makeDirectories(parent, path);
  try {
    return writeFirstFiles(path, parentsCreated, options);
  } catch (error) {
    removeFile(join(path, configFileName));
    removeOwnFiles(path, parentsCreated);
    throw error;
  }
}

/** Writes status, config and manifest; with the manifest, the run exists. */
function writeFirstFiles(path: string, parentsCreated: number, options: CreateRunOptions): Run {
  const { name, group, command, config, resumeFrom = null } = options;
  const now = new Date().toISOString();
  const status: RunStatus = {
    state: "running",
    ...currentProcess(),
    generation: 0,
    startedAt: now,
    heartbeatAt: now,
    step: null,
    epoch: null,
    exit: null,
  };
  writeStatus(path, status);
  const written = writeAtomicSync(join(path, configFileName), `${encodeJson(config, 2)}\n`);
  const manifest: Manifest = {
    format: "cleanloop-run",
    version: 1,
    name,
    group,
    command,
    resumeFrom,
    createdAt: now,
    parentsCreated,
    artifacts: [{ name: configFileName, kind: "config", step: null, ...written, meta: null }],
    pointers: {},
    pending: null,
    removing: [],
  };
  writeManifest(path, manifest);
  return new Run(path, manifest, status);
}

/** Removes the files every run has, then its directory and the parents made for it, as far as they are empty. */
function removeOwnFiles(path: string, parentsCreated: number): void {
  // The manifest goes last: a killed discard can be repeated.
  for (const name of [metricsFileName, statusFileName, manifestFileName]) removeFile(join(path, name));
  let directory = path;
  for (let above = 0; above <= parentsCreated && removeEmptyFolder(directory); above++) directory = dirname(directory);
}

/** Makes the missing parents, then the run directory itself, which must be new; returns how many parents were made. */
function makeDirectories(parent: string, path: string): number {
  try {
    const firstCreated = mkdirSync(parent, { recursive: true });
    mkdirSync(path);
    return firstCreated === undefined ? 0 : relative(dirname(firstCreated), parent).split(sep).length;
  } catch (cause) {
    throw systemError("create the run directory", path, cause);
  }
}

/** Owns a run directory; get one from `createRun` or `resumeRun`. */
export class Run {
  readonly path: string;
  readonly #store: ArtifactStore;
  readonly #metrics: MetricsLog;
  #status: RunStatus;

  constructor(path: string, manifest: Manifest, status: RunStatus) {
    this.path = path;
    this.#store = new ArtifactStore(path, manifest);
    this.#metrics = new MetricsLog(join(path, metricsFileName));
    this.#status = status;
  }

  get name(): string {
    return this.#store.manifest.name;
  }

  get artifacts(): readonly ArtifactEntry[] {
    return this.#store.manifest.artifacts;
  }

  get pointers(): Manifest["pointers"] {
    return this.#store.manifest.pointers;
  }

  /** Writes or replaces an artifact. The data must not change until the promise resolves. */
  async writeArtifact(name: string, kind: string, data: Chunks, options?: PutOptions): Promise<ArtifactEntry> {
    this.#checkOpen("writeArtifact");
    // An artifact never outlives the metrics that led to it.
    this.#metrics.flush();
    return this.#store.put(name, kind, data, options);
  }

  /** Removes an artifact and the pointers to it. */
  removeArtifact(name: string): void {
    this.#checkOpen("removeArtifact");
    this.#store.remove(name);
  }

  /** Moves a pointer; the artifact it pointed to is removed unless another pointer holds it. */
  setPointer(pointer: Pointer, artifactName: string): void {
    this.#checkOpen("setPointer");
    this.#store.setPointer(pointer, artifactName);
  }

  /** Appends one line to metrics.jsonl; on disk (in the kernel) when this returns. */
  appendMetrics(row: MetricsRow): void {
    this.#checkOpen("appendMetrics");
    this.#metrics.append(row);
  }

  /** The rows so far. */
  readMetrics(): MetricsRow[] {
    return readMetrics(join(this.path, metricsFileName));
  }

  /** Forgets the rows from the first one whose `key` exceeds `value` on: they come again after a resume. */
  dropMetricsAfter(key: string, value: number): void {
    this.#checkOpen("dropMetricsAfter");
    this.#metrics.dropAfter(key, value);
  }

  /** Writes metrics_history.json: an object of columns, or the list of records that the Python plotting scripts read. */
  async writeMetricsHistory(layout: "columns" | "records" = "columns"): Promise<ArtifactEntry> {
    const rows = this.readMetrics();
    const view = layout === "columns" ? metricsColumns(rows) : metricsRecords(rows);
    return this.writeArtifact(metricsHistoryFileName, "metrics", `${encodeJson(view)}\n`);
  }

  /** Says that the run is alive and how far it is; writes status.json at most every {@link heartbeatIntervalMs}. */
  heartbeat(progress: Progress = {}): void {
    this.#checkOpen("heartbeat");
    const nowMs = Date.now();
    const due = nowMs - Date.parse(this.#status.heartbeatAt) >= heartbeatIntervalMs;
    this.#status = { ...this.#status, ...progress };
    if (due) this.#writeStatus({ heartbeatAt: new Date(nowMs).toISOString() });
  }

  /** Records how the run ended; afterwards it cannot be written to, and a second call changes nothing. */
  finish(state: FinalState, exit: ExitDetail = {}): void {
    if (this.#status.state !== "running") return;
    this.#metrics.close();
    this.#writeStatus({ state, exit, heartbeatAt: new Date().toISOString() });
  }

  /**
   * Removes exactly what this run wrote, then the directories that are empty because of it, for runs that must leave no
   * files. Files of others, and artifacts changed since, stay; their names are returned.
   */
  discard(): string[] {
    // Closed without a word in status.json: the disk may be full, which is a reason to discard.
    this.#metrics.close();
    this.#status = { ...this.#status, state: "finished" };
    const kept = this.#store.removeAll();
    sweepTemporaryFiles(this.path);
    removeOwnFiles(this.path, this.#store.manifest.parentsCreated);
    return kept;
  }

  #writeStatus(change: Partial<RunStatus>): void {
    this.#status = { ...this.#status, ...change };
    writeStatus(this.path, this.#status);
  }

  #checkOpen(caller: string): void {
    if (this.#status.state === "running") return;
    throw new ArtifactError("closed", `${caller}: the run ${this.path} is ${this.#status.state}. Use resumeRun first.`);
  }
}
