// The records of a transaction log: W&B's protobuf package `wandb_internal`, as far as a run needs it.
// Field numbers are the format; the names are those of the protobuf package in camelCase.

import type { Decoded, Given, Message } from "./message.ts";
import { bool, double, int, message, repeated, repeatedString, string, sub } from "./message.ts";

const empty = message({});
const timestamp = message({ seconds: int(1), nanos: int(2) });
/** A key with its value as JSON; `nestedKey` is the path of a flattened value in newer official logs. */
const item = message({ key: string(1), nestedKey: repeatedString(2), valueJson: string(16) });
const config = message({ update: repeated(1, item), remove: repeated(2, item) });
const summary = message({ update: repeated(1, item), remove: repeated(2, item) });

const header = message({ versionInfo: sub(1, message({ producer: string(1), minConsumer: string(2) })) });

const telemetry = message({ pythonVersion: string(4), cliVersion: string(5), coreVersion: string(12) });

const run = message({
  runId: string(1),
  entity: string(2),
  project: string(3),
  config: sub(4, config),
  summary: sub(5, summary),
  runGroup: string(6),
  jobType: string(7),
  displayName: string(8),
  notes: string(9),
  tags: repeatedString(10),
  sweepId: string(12),
  host: string(13),
  startingStep: int(14),
  storageId: string(16),
  startTime: sub(17, timestamp),
  resumed: bool(18),
  telemetry: sub(19, telemetry),
  runtime: int(20),
  git: sub(21, message({ remoteUrl: string(1), commit: string(2) })),
  forked: bool(22),
  branchPoint: sub(23, message({ run: string(1), value: double(2), metric: string(3) })),
});

const history = message({ item: repeated(1, item), step: sub(2, message({ num: int(1) })) });

/** `OutputRawRecord.outputType`. */
export const OutputType = { stderr: 0, stdout: 1 } as const;
const outputRaw = message({ outputType: int(1), timestamp: sub(2, timestamp), line: string(3) });

const stats = message({
  statsType: int(1),
  timestamp: sub(2, timestamp),
  item: repeated(3, message({ key: string(1), valueJson: string(16) })),
});

/** `FilesRecord` policy: when the file is to be uploaded. */
export const FilePolicy = { now: 0, end: 1, live: 2 } as const;
/** `FilesRecord` type: what the file is for. */
export const FileType = { other: 0, wandb: 1, media: 2, artifact: 3 } as const;
const files = message({ files: repeated(1, message({ path: string(1), policy: int(2), type: int(3) })) });

/** `MetricRecord.goal`. */
export const MetricGoal = { unset: 0, minimize: 1, maximize: 2 } as const;
const metric = message({
  name: string(1),
  globName: string(2),
  stepMetric: string(4),
  stepMetricIndex: int(5),
  options: sub(6, message({ stepSync: bool(1), hidden: bool(2), defined: bool(3) })),
  summary: sub(
    7,
    message({
      min: bool(1),
      max: bool(2),
      mean: bool(3),
      best: bool(4),
      last: bool(5),
      none: bool(6),
      copy: bool(7),
      first: bool(8),
    }),
  ),
  goal: int(8),
  expandedFromGlob: bool(10),
});

const artifactManifest = message({
  version: int(1),
  storagePolicy: string(2),
  storagePolicyConfig: repeated(3, message({ key: string(1), valueJson: string(2) })),
  contents: repeated(
    4,
    message({
      path: string(1),
      digest: string(2),
      ref: string(3),
      sizeBytes: int(4),
      mimetype: string(5),
      localPath: string(6),
      birthArtifactId: string(7),
      skipCache: bool(8),
      extra: repeated(16, message({ key: string(1), valueJson: string(2) })),
    }),
  ),
  manifestFilePath: string(5),
});

const artifact = message({
  runId: string(1),
  project: string(2),
  entity: string(3),
  type: string(4),
  name: string(5),
  digest: string(6),
  description: string(7),
  metadata: string(8),
  userCreated: bool(9),
  useAfterCommit: bool(10),
  aliases: repeatedString(11),
  manifest: sub(12, artifactManifest),
  distributedId: string(13),
  finalize: bool(14),
  clientId: string(15),
  sequenceClientId: string(16),
  baseId: string(17),
  ttlDurationSeconds: int(18),
  tags: repeatedString(19),
});

const alert = message({ title: string(1), text: string(2), level: string(3), waitDurationMs: int(4) });
const exit = message({ exitCode: int(1), runtimeSeconds: int(2) });

const recordFields = {
  num: int(1),
  history: sub(2, history),
  summary: sub(3, summary),
  config: sub(5, config),
  files: sub(6, files),
  stats: sub(7, stats),
  artifact: sub(8, artifact),
  alert: sub(10, alert),
  telemetry: sub(11, telemetry),
  metric: sub(12, metric),
  outputRaw: sub(13, outputRaw),
  run: sub(17, run),
  exit: sub(18, exit),
  final: sub(20, empty),
  header: sub(21, header),
  footer: sub(22, empty),
};

/** A record to be written: exactly one kind besides `num`. */
export type NewRecord = Given<typeof recordFields>;
/** A record as read: the kinds that were sent are set, in practice one. */
export type LogRecord = Decoded<typeof recordFields>;
/** The kinds of record this package knows. */
export type RecordKind = Exclude<keyof LogRecord, "num">;

/** The protobuf message `Record`, one per entry of the log. */
export const logRecord: Message<NewRecord, LogRecord> = message(recordFields);

const recordKinds = Object.keys(recordFields).filter((name) => name !== "num") as RecordKind[];

/** The kind of a record that was read; undefined for one this package does not know. */
export function recordKind(record: LogRecord): RecordKind | undefined {
  return recordKinds.find((kind) => record[kind] !== undefined);
}

/** Milliseconds since 1970 as protobuf's Timestamp. */
export function toTimestamp(unixMs: number): { seconds: number; nanos: number } {
  const seconds = Math.floor(unixMs / 1000);
  return { seconds, nanos: Math.floor((unixMs - seconds * 1000) * 1e6) };
}
