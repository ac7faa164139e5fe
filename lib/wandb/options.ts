// The options of `init`, and what they mean when left out.

import { WandbError } from "./errors.ts";
import type { Row } from "./run.ts";
import { checkProject, checkRunId, newRunId } from "./run-directory.ts";

const DEFAULT_SYSTEM_INTERVAL_MS = 15_000;

export interface InitOptions {
  /** `offline` records on disk, `disabled` records nothing; `online` is refused in this version. */
  readonly mode: "offline" | "online" | "disabled";
  readonly project: string;
  /** The directory that gets a `wandb/` directory, or that directory itself; by default the current one. */
  readonly dir?: string;
  /** The team or user; the server's default when left out. */
  readonly entity?: string;
  /** The run's id in the project, unique there: 8 random characters when left out. */
  readonly id?: string;
  /** The name people see; the id when left out. */
  readonly name?: string;
  readonly group?: string;
  readonly jobType?: string;
  readonly tags?: readonly string[];
  readonly notes?: string;
  readonly config?: Row;
  /** The metric that every other is drawn against; rows that lack it get it, with the row's step as its value. */
  readonly stepMetric?: string;
  /** The step of the first row, for a run that continues an earlier one under the same id. */
  readonly startingStep?: number;
  /** Whether what the program prints goes into the run; on by default. */
  readonly console?: boolean;
  /** Whether processor, memory, disk and GPU are sampled, and how often; on by default, every 15 seconds. */
  readonly systemMetrics?: boolean | { readonly intervalMs: number };
  /** Also writes every row to a readable `history.jsonl` in the run's directory; off by default. */
  readonly historyJsonl?: boolean;
}

/** The options with every default filled in. */
export interface ResolvedOptions extends InitOptions {
  readonly dir: string;
  readonly id: string;
  readonly name: string;
  readonly entity: string;
  readonly startingStep: number;
  readonly console: boolean;
  /** Undefined when nothing is to be sampled. */
  readonly systemIntervalMs: number | undefined;
}

/** Checks the options and fills in the defaults; throws `bad-option`. */
export function resolveOptions(options: InitOptions): ResolvedOptions {
  const { id = newRunId(), startingStep = 0 } = options;
  checkProject(options.project);
  checkRunId(id);
  if (!Number.isSafeInteger(startingStep) || startingStep < 0) {
    throw new WandbError("bad-option", `init: got startingStep ${startingStep}, wanted an integer of 0 or more`);
  }
  return {
    ...options,
    id,
    startingStep,
    dir: options.dir ?? ".",
    name: options.name ?? id,
    entity: options.entity ?? "",
    console: options.console ?? true,
    systemIntervalMs: systemIntervalMs(options.systemMetrics ?? true),
  };
}

function systemIntervalMs(setting: boolean | { readonly intervalMs: number }): number | undefined {
  if (typeof setting === "boolean") return setting ? DEFAULT_SYSTEM_INTERVAL_MS : undefined;
  if (!(setting.intervalMs >= 1)) {
    throw new WandbError("bad-option", `init: got systemMetrics.intervalMs ${setting.intervalMs}, wanted 1 or more`);
  }
  return setting.intervalMs;
}
