// What a run is to the code that logs to it, whether it is recorded or not.

import type { Artifact } from "./artifact.ts";
import type { WandbError } from "./errors.ts";

/** One row of values: numbers, strings, booleans, lists, nested objects, and media. */
export type Row = Readonly<Record<string, unknown>>;

export interface LogOptions {
  /** The row's place on the step axis, 0 or more, never below an earlier one; counts up by itself when left out. */
  readonly step?: number;
  /** `false` keeps the row open, in memory only, until the next call; by default it is on disk when `log` returns. */
  readonly commit?: boolean;
}

/** Which aggregate of a metric the summary shows; the last value when none is named. */
export type SummaryAggregate = "min" | "max" | "mean" | "first" | "last" | "none";

export interface MetricOptions {
  /** The metric on whose axis this one is drawn. */
  readonly stepMetric?: string;
  readonly summary?: SummaryAggregate | readonly SummaryAggregate[];
  readonly goal?: "minimize" | "maximize";
  /** Keeps the metric out of the automatic charts. */
  readonly hidden?: boolean;
}

export interface AlertOptions {
  readonly title: string;
  readonly text: string;
  readonly level?: "INFO" | "WARN" | "ERROR";
  /** The least time between two alerts with this title. */
  readonly waitDurationMs?: number;
}

/** A set of keys with JSON values: the config or the summary of a run. */
export interface KeyValues {
  get(key: string): unknown;
  /** Sets several keys; the change is in the log when the call returns. */
  update(values: Row): void;
  /** A copy of all keys. */
  toJSON(): Record<string, unknown>;
}

/**
 * A run. After `init` no method throws because of the tracker or of what it was given: a value that cannot be logged
 * is left out and listed in `warnings`; when the log itself cannot be written any more, `failure` says why and
 * every later call does nothing.
 */
export interface Run {
  readonly id: string;
  readonly name: string;
  readonly project: string;
  readonly mode: "offline" | "disabled";
  /** The run's directory (`.../wandb/offline-run-<time>-<id>`), absolute; undefined when nothing is recorded. */
  readonly directory: string | undefined;
  /** The readable copy of the history, when `historyJsonl` asked for it. */
  readonly historyFile: string | undefined;
  readonly config: KeyValues;
  readonly summary: KeyValues;
  /** Why recording stopped before the run did. */
  readonly failure: WandbError | undefined;
  /** What was left out of the log, one entry per reason. */
  readonly warnings: readonly WandbError[];

  /** Records a row of values at a step. */
  log(row: Row, options?: LogOptions): void;
  /** Says how a metric is drawn and summarized; the name may hold `*`. Applies to rows logged afterwards. */
  defineMetric(name: string, options?: MetricOptions): void;
  alert(options: AlertOptions): void;
  /** Copies a file, or writes bytes, to `files/<name>` of the run. `name` is a relative path. */
  saveFile(source: string | Uint8Array, name: string): void;
  /** Copies the artifact's files into the run and records it as a new version of its collection. */
  logArtifact(artifact: Artifact): void;
  /** Ends the run: flushes everything and records the exit code. Complete when the call returns; safe to repeat. */
  finish(exitCode?: number): Promise<void>;
}
