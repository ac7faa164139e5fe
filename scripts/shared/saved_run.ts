// A run that is to be continued: its flags, where its last checkpoint lies, and the tracker's run it logs to.
import { dirname } from "node:path";
import type { JsonObject, RunState } from "@cleanloop/artifacts";
import { openRun } from "@cleanloop/artifacts";
import { UsageError } from "@cleanloop/cli";
import type { TrainerFlags } from "./trainer_flags.ts";

/** What `args.json` of a run holds: every flag, and what else a resumed run has to know. */
export interface SavedArguments {
  flags: TrainerFlags;
  data_fingerprint: string;
  /** The tracker's run, continued under the same id. */
  tracker_id: string;
  /** Nothing in the directory is worth keeping once its process is gone: the next clean run may remove it. */
  discard_when_dead: boolean;
}

export interface SavedRun extends SavedArguments {
  directory: string;
  /** How it ended: "killed" also when its process is simply gone. */
  state: RunState;
  /** Path of the last checkpoint; null when the run ended before its first one and has to begin again. */
  checkpoint: string | null;
  /** Path of the metric the run trains with; null when it uses none. */
  metric: string | null;
  nextEpoch: number;
}

const METRIC_FILE = "metric.safetensors";

/**
 * Reads a run for resuming; its output directory is where it lies now, whatever directory it was started from.
 * Throws ArtifactError for what is no run, UsageError for a run of another command.
 */
export function openSavedRun(directory: string): SavedRun {
  const view = openRun(directory);
  const saved = view.config as unknown as Partial<SavedArguments> | null;
  if (saved?.flags?.loop_mode === undefined || saved.data_fingerprint === undefined || saved.tracker_id === undefined) {
    throw new UsageError(`--resume ${directory}: this run was not made by the trainer; give one of runs/rlvae`);
  }
  const last = view.artifacts.find(({ name }) => name === view.pointers.last);
  const hasMetric = view.artifacts.some(({ name }) => name === METRIC_FILE);
  return {
    flags: { ...saved.flags, output_dir: dirname(dirname(view.path)) },
    data_fingerprint: saved.data_fingerprint,
    tracker_id: saved.tracker_id,
    discard_when_dead: saved.discard_when_dead === true,
    directory: view.path,
    state: view.status().state,
    checkpoint: view.pointerPath("last"),
    metric: hasMetric ? view.artifactPath(METRIC_FILE) : null,
    nextEpoch: last?.step ?? 0,
  };
}

/** Values as JSON: what is not set is left out. */
export function plainJson(values: object): JsonObject {
  return JSON.parse(JSON.stringify(values)) as JsonObject;
}
