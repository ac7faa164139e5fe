// @cleanloop/wandb: Weights & Biases runs recorded offline, and their logs read back.

export { init } from "./init.ts";
export type { InitOptions } from "./options.ts";
export { newRunId } from "./run-directory.ts";
export type { AlertOptions, KeyValues, LogOptions, MetricOptions, Row, Run, SummaryAggregate } from "./run.ts";

export { Histogram, Html, Image, Plotly, Table } from "./media.ts";
export type { TableCell } from "./media.ts";
export { Artifact } from "./artifact.ts";
export type { ArtifactOptions } from "./artifact.ts";

export { TransactionLog } from "./transaction-log.ts";
export { readLog, recoverLog } from "./log-reader.ts";
export type { LogDamage, LogEntry } from "./log-reader.ts";
export { logRecord, recordKind } from "./records.ts";
export type { LogRecord, NewRecord, RecordKind } from "./records.ts";
export { fromValueJson, toValueJson } from "./value-json.ts";

export { LogError, WandbError } from "./errors.ts";
export type { WandbErrorCode } from "./errors.ts";
