// The two records every log begins with: who wrote it, and which run it is.

import { hostname } from "node:os";

import type { JsonItem } from "./key-values.ts";
import type { ResolvedOptions } from "./options.ts";
import packageJson from "./package.json" with { type: "json" };
import type { NewRecord } from "./records.ts";
import { toTimestamp } from "./records.ts";

/** The header names the program that wrote the log; readers of the format do not act on it. */
export function headerRecord(): NewRecord {
  return { header: { versionInfo: { producer: `${packageJson.version}+cleanloop` } } };
}

/** The run with the config it starts with. */
export function runRecord(options: ResolvedOptions, config: readonly JsonItem[], startTime: Date): NewRecord {
  return {
    run: {
      runId: options.id,
      entity: options.entity,
      project: options.project,
      config: { update: config },
      runGroup: options.group,
      jobType: options.jobType,
      displayName: options.name,
      notes: options.notes,
      tags: options.tags,
      host: hostname(),
      startingStep: options.startingStep,
      startTime: toTimestamp(startTime.getTime()),
      resumed: options.startingStep > 0,
    },
  };
}
