// The two places a training run writes to, opened and closed together: the run directory and the tracker's log.
import { relative } from "node:path";
import type { ExitDetail, Run } from "@cleanloop/artifacts";
import { ArtifactError, createRun, resumeRun, runName } from "@cleanloop/artifacts";
import { EXIT } from "@cleanloop/cli";
import type { Run as TrackerRun } from "@cleanloop/wandb";
import { init } from "@cleanloop/wandb";
import type { OutputPolicy } from "./output_policy.ts";
import type { SavedArguments, SavedRun } from "./saved_run.ts";
import { plainJson } from "./saved_run.ts";
import type { RunSettings } from "./settings.ts";
import { trackerConfig } from "./settings.ts";

const EXPERIMENT = "cyclic_extended";
const GROUP = "rlvae";
/** Above this many epochs the original logs to another project. */
const EXTENDED_EPOCHS = 50;
const HEARTBEAT_INTERVAL_MS = 5000;

export interface OutputsRequest {
  settings: RunSettings;
  policy: OutputPolicy;
  saved: SavedRun | undefined;
  dataFingerprint: string;
  /** Numbers about the data, for the tracker's config. */
  facts: Record<string, unknown>;
}

/** Where the outputs lie when all is closed; null for what was not kept. Paths are relative where that is shorter. */
export interface OutputPaths {
  run: string | null;
  tracker: string | null;
}

export interface RunOutputs {
  run: Run;
  tracker: TrackerRun;
  /** Records the end in both places; in the wandb-only modes the run directory is then removed. */
  close(state: "finished" | "failed" | "killed", detail: ExitDetail): Promise<OutputPaths>;
}

/** Opens both. Throws ArtifactError (directory exists, cannot be written) or WandbError before anything was trained. */
export function openOutputs(request: OutputsRequest): RunOutputs {
  const { settings, policy, saved, dataFingerprint, facts } = request;
  const { flags } = settings;
  const trackerId = saved?.tracker_id ?? newTrackerId();
  const run = saved ? resumeRun(saved.directory) : createNewRun(request, trackerId);
  let tracker: TrackerRun;
  try {
    tracker = init({
      mode: policy.tracker,
      dir: flags.output_dir,
      project: flags.wandb_project ?? (flags.n_epochs > EXTENDED_EPOCHS ? "cyclic-loop-mode-extended" : "cyclic-loop-mode-comparison"),
      entity: flags.wandb_entity,
      group: flags.wandb_group,
      tags: flags.wandb_tags,
      name: run.name,
      id: trackerId,
      startingStep: saved?.nextEpoch,
      stepMetric: "epoch",
      config: trackerConfig(settings, { ...facts, data_fingerprint: dataFingerprint }),
    });
  } catch (error) {
    run.finish("failed", { message: (error as Error).message, exitCode: EXIT.failed });
    if (!policy.runDirectoryKept) run.discard();
    throw error;
  }
  const heartbeat = setInterval(() => run.heartbeat(), HEARTBEAT_INTERVAL_MS);
  heartbeat.unref();
  return {
    run,
    tracker,
    async close(state, detail) {
      clearInterval(heartbeat);
      try {
        if (policy.runDirectoryKept && state !== "failed") await run.writeMetricsHistory();
        await tracker.finish(detail.exitCode ?? EXIT.failed);
      } finally {
        run.finish(state, detail);
        if (!policy.runDirectoryKept) run.discard();
      }
      return { run: policy.runDirectoryKept ? shortPath(run.path) : null, tracker: tracker.directory ? shortPath(tracker.directory) : null };
    },
  };
}

/** A new run directory; generated names count up while another run of this second has the name. */
function createNewRun({ settings: { flags }, dataFingerprint }: OutputsRequest, trackerId: string): Run {
  const saved: SavedArguments = { flags, data_fingerprint: dataFingerprint, tracker_id: trackerId };
  const config = plainJson(saved);
  const create = (name: string) => createRun({ root: flags.output_dir, group: GROUP, name, config, command: process.argv.slice(1) });
  if (flags.run_name !== undefined) return create(flags.run_name);
  const parts = { label: flags.loop_mode, experiment: EXPERIMENT, seed: flags.seed, unixSeconds: Math.floor(Date.now() / 1000) };
  for (let number = 1; ; number++) {
    try {
      return create(runName({ ...parts, number }));
    } catch (error) {
      if (!(error instanceof ArtifactError && error.code === "exists")) throw error;
    }
  }
}

/** Eight characters, as W&B's own ids. */
function newTrackerId(): string {
  const letters = "0123456789abcdefghijklmnopqrstuvwxyz";
  return Array.from(crypto.getRandomValues(new Uint32Array(8)), (value) => letters[value % letters.length]).join("");
}

function shortPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith("..") ? path : fromHere;
}
