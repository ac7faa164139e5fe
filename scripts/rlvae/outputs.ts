// What a run of the RlVAE trainer is called, and what its tracker is told at the start.
import type { OutputPolicy } from "../shared/output_policy.ts";
import type { OutputsRequest } from "../shared/run_outputs.ts";
import type { SavedRun } from "../shared/saved_run.ts";
import type { RunSettings } from "./settings.ts";
import { COMMAND, trackerConfig } from "./settings.ts";
import type { TrainerFlags } from "./trainer_flags.ts";

const EXPERIMENT = "cyclic_extended";
const GROUP = "rlvae";

export interface RlvaeOutputs {
  settings: RunSettings;
  policy: OutputPolicy;
  saved: SavedRun<TrainerFlags> | undefined;
  dataFingerprint: string;
  /** Numbers about the data, for the tracker's config. */
  facts: Record<string, unknown>;
}

/** The request for the run directory and the log of these settings. */
export function outputsRequest({ settings, policy, saved, dataFingerprint, facts }: RlvaeOutputs): OutputsRequest {
  const { flags } = settings;
  return {
    command: COMMAND,
    flags,
    root: flags.output_dir,
    group: GROUP,
    name: flags.run_name ?? { label: flags.loop_mode, experiment: EXPERIMENT, number: 1, seed: flags.seed },
    policy,
    saved,
    dataFingerprint,
    historyLayout: "columns",
    tracker: {
      project: flags.wandb_project,
      entity: flags.wandb_entity,
      group: flags.wandb_group,
      tags: flags.wandb_tags,
      startingStep: saved?.position,
      stepMetric: "epoch",
      config: trackerConfig(settings, facts),
    },
  };
}
