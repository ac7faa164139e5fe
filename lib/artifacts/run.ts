// A run directory, seen by the process that owns it: it writes artifacts, metrics and an honest status.
import { join } from "node:path";
import { ArtifactStore, type PutOptions } from "./artifact-store.ts";
import type { Chunks } from "./atomic.ts";
import { ArtifactError } from "./errors.ts";
import { encodeJson } from "./json.ts";
import { type ArtifactEntry, type Manifest, type Pointer, requireManifest } from "./manifest.ts";
import { metricsColumns, metricsFileName, MetricsLog, type MetricsRow, readMetrics, readMetricsRecordsJson } from "./metrics.ts";
import { sweepTemporaryFiles } from "./removal.ts";
import { removeRunFiles } from "./run-files.ts";
import { type ExitDetail, type FinalState, type RunStatus, writeStatus } from "./status.ts";

export const metricsHistoryFileName = "metrics_history.json";

/** Heartbeats closer together than this are skipped, so that one per training step costs nothing. */
export const heartbeatIntervalMs = 5_000;

/** How far the run is. */
export interface Progress {
  step?: number;
  epoch?: number;
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

  /** Makes a folder for files that others will put there; `discard` removes it when it is empty. */
  makeFolder(name: string): void {
    this.#checkOpen("makeFolder");
    this.#store.makeFolder(name);
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

  /** Writes metrics_history.json: an object of columns, or the list of records that Python's plotting scripts read. */
  async writeMetricsHistory(layout: "columns" | "records" = "columns"): Promise<ArtifactEntry> {
    const path = join(this.path, metricsFileName);
    const text = layout === "columns" ? encodeJson(metricsColumns(readMetrics(path))) : readMetricsRecordsJson(path);
    return this.writeArtifact(metricsHistoryFileName, "metrics", `${text}\n`);
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
    removeRunFiles(this.path, this.#store.manifest.parentsCreated);
    return kept;
  }

  #writeStatus(change: Partial<RunStatus>): void {
    this.#status = { ...this.#status, ...change };
    requireManifest(this.path);
    writeStatus(this.path, this.#status);
  }

  #checkOpen(caller: string): void {
    if (this.#status.state === "running") return;
    throw new ArtifactError("closed", `${caller}: the run ${this.path} is ${this.#status.state}. Use resumeRun first.`);
  }
}
