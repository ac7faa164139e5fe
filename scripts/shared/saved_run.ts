// A run that is to be continued: its flags, where its last checkpoint lies, and the tracker's run it logs to.
import { dirname } from "node:path";
import type { JsonObject, RunState, RunView } from "@cleanloop/artifacts";
import { openRun } from "@cleanloop/artifacts";
import { UsageError } from "@cleanloop/cli";

/** What `args.json` holds beside the flags, under the key `cleanloop`: what else a later command has to know of a run. */
export interface RunRecord {
  /** The command that made the run, and alone can resume it. */
  command: string;
  /** Identity of the data that it trains on. */
  data_fingerprint: string;
  /** The tracker's run, continued under the same id. */
  tracker_id: string;
  /** Nothing in the directory is worth keeping once its process is gone: the next clean run may remove it. */
  discard_when_dead: boolean;
}

/** `args.json`: every flag by its name, as the original programs write it, and the record. */
export type SavedArguments = Record<string, unknown> & { cleanloop: RunRecord };

export interface SavedRun<Flags> {
  flags: Flags;
  record: RunRecord;
  directory: string;
  /** The directory of all runs, wherever it lies now. */
  root: string;
  /** How it ended: "killed" also when its process is simply gone. */
  state: RunState;
  /** Path of the last checkpoint; null when the run ended before its first one and has to begin again. */
  checkpoint: string | null;
  /** Step of the last checkpoint, in the unit of the command (epochs, gradient steps). */
  position: number;
  view: RunView;
}

/** Reads a run for resuming. Throws ArtifactError for what is no run, UsageError for a run of another command. */
export function openSavedRun<Flags>(directory: string, command: string): SavedRun<Flags> {
  const view = openRun(directory);
  const { record, flags } = savedArguments(view.config);
  if (record?.command !== command) {
    const maker = record === null ? "not by a trainer" : `by ${record.command}, not by ${command}`;
    throw new UsageError(`--resume ${directory}: this run was made ${maker}; give one of ${command}`);
  }
  return {
    flags: flags as Flags,
    record,
    directory: view.path,
    root: dirname(dirname(view.path)),
    state: view.status().state,
    checkpoint: view.pointerPath("last"),
    position: view.artifacts.find(({ name }) => name === view.pointers.last)?.step ?? 0,
    view,
  };
}

/** Takes an `args.json` apart; it may be anybody's JSON, which has no record. */
export function savedArguments(config: JsonObject | null): { record: RunRecord | null; flags: JsonObject } {
  const { cleanloop, ...flags } = (config ?? {}) as Partial<SavedArguments> & JsonObject;
  return { record: typeof cleanloop?.command === "string" ? cleanloop : null, flags };
}

/** Values as JSON: what is not set is left out. */
export function plainJson(values: object): JsonObject {
  return JSON.parse(JSON.stringify(values)) as JsonObject;
}
