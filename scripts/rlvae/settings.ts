// From flags to what they mean: objective, model sizes, tracker config; and how a resumed run's flags come together.
import type { RunState } from "@cleanloop/artifacts";
import { RefusedError, UsageError } from "@cleanloop/cli";
import type { Objective, RlvaeConfig } from "@cleanloop/models";
import { resolveObjective, rlvaeConfig, usesMetric } from "@cleanloop/models";
import { mergedFlags } from "../shared/resumed_flags.ts";
import type { SavedRun } from "../shared/saved_run.ts";
import { openSavedRun } from "../shared/saved_run.ts";
import type { TrainerFlags } from "./trainer_flags.ts";
import { RESUMABLE_FLAGS } from "./trainer_flags.ts";

/** The command whose runs these are, whatever other command started it. */
export const COMMAND = "train_cyclic_loop_comparison";

/** Above this many epochs the original logs to another project. */
const EXTENDED_EPOCHS = 50;

/** Flags of a run that is settled: a loop mode and a project are there. */
export type RunFlags = TrainerFlags & { loop_mode: "open" | "closed"; wandb_project: string };

export interface RunSettings {
  flags: RunFlags;
  objective: Objective;
  config: RlvaeConfig;
}

/** What the flags mean. Throws UsageError for flags that contradict each other. */
export function runSettings(flags: TrainerFlags): RunSettings {
  const { loop_mode } = flags;
  if (loop_mode === undefined) throw new UsageError("--loop_mode is required (one of open, closed), unless --resume");
  const { kl_weight, riemannian_beta } = flags;
  if (kl_weight !== undefined && riemannian_beta !== undefined && kl_weight !== riemannian_beta) {
    throw new UsageError(`--kl_weight ${kl_weight} and --riemannian_beta ${riemannian_beta} are the same weight; give one`);
  }
  const objective = resolveObjective(flags.objective, {
    posterior: flags.posterior,
    kl: flags.kl,
    klWeight: kl_weight ?? (usesMetric(flags) ? riemannian_beta : undefined),
    flowWeight: flags.flow_weight,
    loopMode: loop_mode,
    cyclePenalty: flags.cycle_penalty,
    metricScaling: flags.metric_scaling,
    metricTemperature: flags.metric_temperature,
  });
  const wandb_project = flags.wandb_project ?? `cyclic-loop-mode-${flags.n_epochs > EXTENDED_EPOCHS ? "extended" : "comparison"}`;
  return { flags: { ...flags, loop_mode, wandb_project }, objective, config: rlvaeConfig({ flowDirection: flags.flow_direction }) };
}

/** Reads a run for resuming; its output directory is where it lies now, whatever directory it was started from. */
export function openRlvaeRun(directory: string): SavedRun<TrainerFlags> {
  const saved = openSavedRun<TrainerFlags>(directory, COMMAND);
  return { ...saved, flags: { ...saved.flags, output_dir: saved.root } };
}

/** What is known of a run that is to be resumed. */
export interface Interrupted {
  flags: TrainerFlags;
  state: RunState;
  /** The epoch that comes next. */
  position: number;
}

/**
 * The flags of a resumed run: its own, with the few that may change taken from the command line. A run that was killed behind
 * its last epoch still has its closing part to do. Throws UsageError when another flag was written with another value,
 * RefusedError for a finished run with no epoch left.
 */
export function resumedFlags({ flags: saved, state, position }: Interrupted, words: TrainerFlags, given: ReadonlySet<string>): TrainerFlags {
  const merged = mergedFlags(saved, words, { given, resumable: RESUMABLE_FLAGS });
  if (state === "finished" && position >= merged.n_epochs) {
    throw new RefusedError(`nothing to do: the run has its ${merged.n_epochs} epochs; raise --n_epochs to go on`);
  }
  return merged;
}

/**
 * The config of the tracker's run, under the original's names and ours, and every flag as it was resolved. A temperature that
 * follows from the metric is left out: it is known only when the metric is.
 */
export function trackerConfig({ flags, objective, config }: RunSettings, more: Record<string, unknown>): Record<string, unknown> {
  return {
    experiment_type: "cyclic_loop_comparison",
    loop_mode: flags.loop_mode,
    cycle_penalty: flags.cycle_penalty,
    use_riemannian: usesMetric(objective),
    riemannian_method: "geodesic",
    posterior_type: objective.posterior,
    riemannian_beta: objective.klWeight,
    temperature_fix: typeof objective.metricTemperature === "number" ? objective.metricTemperature : undefined,
    input_dim: [3, 64, 64],
    latent_dim: config.latentSize,
    n_flows: config.flowCount,
    learning_rate: flags.learning_rate,
    beta: 1,
    batch_size: flags.batch_size,
    n_epochs: flags.n_epochs,
    dataset_type: "cyclic_only",
    wandb_only: flags.wandb_only,
    disable_local_files: flags.disable_local_files,
    objective: flags.objective,
    kl: objective.kl,
    flow_weight: objective.flowWeight,
    flow_direction: config.flowDirection,
    metric_scaling: objective.metricScaling,
    weight_averaging: flags.weight_averaging,
    seed: flags.seed,
    flags,
    ...more,
  };
}
