// A run that is recorded on disk, in a directory that `wandb sync` accepts.

import { appendFileSync } from "node:fs";
import { join } from "node:path";

import type { Artifact } from "./artifact.ts";
import type { OutputStream } from "./console-capture.ts";
import { ConsoleCapture } from "./console-capture.ts";
import { readContent } from "./content.ts";
import { FileStore } from "./file-store.ts";
import { headerRecord, runRecord } from "./first-records.ts";
import { Guard } from "./guard.ts";
import type { HistoryRow } from "./history.ts";
import { StepAxis } from "./history.ts";
import type { JsonItem } from "./key-values.ts";
import { JsonValues } from "./key-values.ts";
import { runMetadata } from "./metadata.ts";
import { MetricDefinitions } from "./metric-definitions.ts";
import type { ResolvedOptions } from "./options.ts";
import { FileType, OutputType, toTimestamp } from "./records.ts";
import type { AlertOptions, LogOptions, MetricOptions, Row, Run } from "./run.ts";
import { Summary } from "./summary.ts";
import { SummaryCadence } from "./summary-cadence.ts";
import type { SystemSample } from "./system-metrics.ts";
import { SystemMonitor } from "./system-metrics.ts";
import type { TransactionLog } from "./transaction-log.ts";
import { toValueJson } from "./value-json.ts";

const RESERVED_KEYS = new Set(["_step", "_runtime", "_timestamp"]);

/** The recorded kind of `Run`; made by `init`. */
export class OfflineRun implements Run {
  readonly mode = "offline";
  readonly id: string;
  readonly name: string;
  readonly project: string;
  readonly historyFile: string | undefined;
  readonly config = new JsonValues((values) => this.updateConfig(values));
  readonly summary = new Summary((values) => this.updateSummary(values));

  private readonly startMs = performance.now();
  private readonly guard: Guard;
  private readonly files: FileStore;
  private readonly metrics = new MetricDefinitions();
  private readonly axis: StepAxis;
  private readonly stepMetric: string | undefined;
  private capture: ConsoleCapture | undefined;
  private monitor: SystemMonitor | undefined;
  private readonly cadence = new SummaryCadence(() => {
    this.guard.attempt("summary", () => this.writeSummary(this.summary.takeChanged()));
  });
  private readonly finishOnExit = (exitCode: number): void => void this.finish(exitCode);

  /** Writes the first records to `log`, an empty log in `directory`; throws the system's error when it cannot. */
  constructor(
    options: ResolvedOptions,
    readonly directory: string,
    private readonly transactionLog: TransactionLog,
    startTime: Date,
  ) {
    this.id = options.id;
    this.name = options.name;
    this.project = options.project;
    this.stepMetric = options.stepMetric;
    this.historyFile = options.historyJsonl === true ? join(directory, "history.jsonl") : undefined;
    this.guard = new Guard(directory, () => this.release());
    this.axis = new StepAxis(options.startingStep, (row) => this.writeRow(row));
    const owner = { runId: options.id, project: options.project, entity: options.entity };
    this.files = new FileStore(directory, owner, (record) => this.transactionLog.append(record));

    this.transactionLog.append(headerRecord());
    for (const [key, value] of Object.entries(options.config ?? {})) this.setJson(this.config, "config", key, value);
    this.transactionLog.append(runRecord(options, this.config.takeChanged(), startTime));
    const metadata = new TextEncoder().encode(JSON.stringify(runMetadata(startTime), undefined, 2));
    this.files.save(metadata, "wandb-metadata.json", FileType.wandb);
    if (this.stepMetric !== undefined) {
      this.defineMetric(this.stepMetric);
      this.defineMetric("*", { stepMetric: this.stepMetric });
    }
    this.watch(options);
  }

  get failure(): Run["failure"] {
    return this.guard.failure;
  }

  get warnings(): Run["warnings"] {
    return this.guard.warnings;
  }

  log(row: Row, options: LogOptions = {}): void {
    this.guard.attempt("log", () => {
      const { step, values } = this.axis.rowAt(options);
      for (const [key, value] of Object.entries(row)) {
        if (value === undefined || RESERVED_KEYS.has(key)) continue;
        this.guard.tolerate(`log ${key}`, () => {
          const resolved = this.files.resolve(value, key, step);
          values.set(key, { value: resolved, json: toValueJson(resolved) });
        });
      }
      if (options.commit !== false) this.axis.commitOpenRow();
    });
  }

  defineMetric(name: string, options: MetricOptions = {}): void {
    this.guard.attempt(`defineMetric ${name}`, () => this.transactionLog.append(this.metrics.define(name, options)));
  }

  alert({ title, text, level = "INFO", waitDurationMs = 0 }: AlertOptions): void {
    this.guard.attempt("alert", () => this.transactionLog.append({ alert: { title, text, level, waitDurationMs } }));
  }

  saveFile(source: string | Uint8Array, name: string): void {
    this.guard.attempt(`saveFile ${name}`, () => {
      this.files.save(readContent(source, "bad-file"), name, FileType.other);
    });
  }

  logArtifact(artifact: Artifact): void {
    this.guard.attempt(`logArtifact ${artifact.name}`, () => this.files.logArtifact(artifact));
  }

  finish(exitCode = 0): Promise<void> {
    this.guard.attempt("finish", () => {
      this.checkLogExists();
      this.release();
      this.axis.commitOpenRow();
      this.writeSummary(this.summary.items());
      this.transactionLog.append({ exit: { exitCode, runtimeSeconds: Math.floor(this.runtimeSeconds()) } });
      // Older readers take the exit code only from a log that these two close.
      this.transactionLog.append({ final: {} });
      this.transactionLog.append({ footer: {} });
      this.transactionLog.sync();
      this.transactionLog.close();
    });
    this.guard.end();
    return Promise.resolve();
  }

  /** Begins to listen to the console and the machine, and to the end of the process. */
  private watch(options: ResolvedOptions): void {
    if (options.systemIntervalMs !== undefined) {
      this.monitor = new SystemMonitor(this.directory, options.systemIntervalMs, (sample) => this.writeSample(sample));
      this.monitor.start();
    }
    if (options.console) {
      this.capture = new ConsoleCapture((stream, text) => this.writeOutput(stream, text));
      this.capture.start();
    }
    process.once("exit", this.finishOnExit);
  }

  /** Stops listening; what was heard last is written, if recording still goes on. */
  private release(): void {
    process.off("exit", this.finishOnExit);
    this.cadence.stop();
    this.capture?.stop();
    this.monitor?.stop();
    if (this.failure !== undefined) this.transactionLog.close();
  }

  private writeRow({ step, values }: HistoryRow): void {
    if (this.stepMetric !== undefined && !values.has(this.stepMetric)) {
      values.set(this.stepMetric, { value: step, json: toValueJson(step) });
    }
    const items: JsonItem[] = [];
    for (const [key, { value, json }] of values) {
      items.push({ key, valueJson: json });
      if (typeof value !== "object") this.expandMetric(key);
      const aggregates = typeof value === "number" ? this.metrics.aggregates(key) : undefined;
      if (aggregates !== undefined) this.summary.aggregate(key, value as number, aggregates);
      else this.summary.set(key, json);
    }
    const runtimeJson = toValueJson(this.runtimeSeconds());
    for (const [key, json] of [
      ["_step", toValueJson(step)],
      ["_runtime", runtimeJson],
      ["_timestamp", toValueJson(Date.now() / 1000)],
    ]) {
      items.push({ key, valueJson: json });
      this.summary.set(key, json);
    }
    this.cadence.changed();
    this.transactionLog.append({ history: { item: items, step: { num: step } } });
    if (this.historyFile !== undefined) appendFileSync(this.historyFile, jsonLine(items));
  }

  private expandMetric(key: string): void {
    const record = this.metrics.expand(key);
    if (record !== undefined) this.transactionLog.append(record);
  }

  private writeSummary(items: readonly JsonItem[]): void {
    const wandb = toValueJson({ runtime: Math.floor(this.runtimeSeconds()) });
    this.transactionLog.append({ summary: { update: [...items, { key: "_wandb", valueJson: wandb }] } });
  }

  private updateConfig(values: Row): void {
    this.guard.attempt("config", () => {
      for (const [key, value] of Object.entries(values)) this.setJson(this.config, "config", key, value);
      const update = this.config.takeChanged();
      if (update.length > 0) this.transactionLog.append({ config: { update } });
    });
  }

  private updateSummary(values: Row): void {
    this.guard.attempt("summary", () => {
      for (const [key, value] of Object.entries(values)) this.setJson(this.summary, "summary", key, value);
      this.cadence.flush();
    });
  }

  private setJson(store: JsonValues, storeName: string, key: string, value: unknown): void {
    if (value !== undefined) this.guard.tolerate(`${storeName} ${key}`, () => store.set(key, toValueJson(value)));
  }

  private writeOutput(stream: OutputStream, text: string): void {
    const outputRaw = { outputType: OutputType[stream], timestamp: toTimestamp(Date.now()), line: text };
    this.guard.attempt("console", () => this.transactionLog.append({ outputRaw }));
  }

  private writeSample(sample: SystemSample): void {
    this.guard.attempt("system metrics", () => {
      this.checkLogExists();
      const item = Object.entries(sample).map(([key, value]) => ({ key, valueJson: toValueJson(value) }));
      this.transactionLog.append({ stats: { timestamp: toTimestamp(Date.now()), item } });
    });
  }

  /** A deleted file takes writes without complaint: what goes there is lost, and somebody should say so. */
  private checkLogExists(): void {
    if (!this.transactionLog.exists) throw new Error("the run's log was deleted while the run went on");
  }

  private runtimeSeconds(): number {
    return Math.round(performance.now() - this.startMs) / 1000;
  }
}

function jsonLine(items: readonly JsonItem[]): string {
  return `{${items.map(({ key, valueJson }) => `${JSON.stringify(key)}:${valueJson}`).join(",")}}\n`;
}
