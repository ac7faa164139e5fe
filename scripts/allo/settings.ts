// From flags to what they mean: preset filled in, objective with its step sizes, data; and the flags of a resumed run.
import { resolve } from "node:path";
import type { RunState } from "@cleanloop/artifacts";
import { ArtifactError, isPlainFileName, runName } from "@cleanloop/artifacts";
import { RefusedError, UsageError } from "@cleanloop/cli";
import type { OffsetSampling } from "@cleanloop/data";
import type { AlloConfig, AlloObjective, AlloPreset, AlloTraining } from "@cleanloop/models";
import { ALLO_PRESETS, alloOffsets } from "@cleanloop/models";
import { outputPolicy } from "../shared/output_policy.ts";
import { mergedFlags } from "../shared/resumed_flags.ts";
import type { SavedRun } from "../shared/saved_run.ts";
import { openSavedRun } from "../shared/saved_run.ts";
import type { AlloFlags } from "./flags.ts";
import { alloFlags, RESUMABLE_FLAGS } from "./flags.ts";

export const COMMAND = "allo";

/** Every flag with its value: what was left out comes from the preset. */
export type AlloRunFlags = AlloFlags & PresetFlags;

export interface AlloSettings {
  flags: AlloRunFlags;
  config: AlloConfig;
  objective: AlloObjective;
  training: AlloTraining;
  sampling: OffsetSampling;
  episodes: number;
  coordinates: AlloPreset["coordinates"];
  /** The law of single states in the constraint batches. */
  constraintLaw: "first" | "visits";
  /** What was written and does nothing, one sentence each. */
  warnings: string[];
}

/**
 * What the flags mean in a world of `stateCount` states. `given` names those that were written. Throws UsageError for flags that
 * contradict each other and for data without a whole episode.
 */
export function alloSettings(words: AlloFlags, given: ReadonlySet<string>, stateCount: number): AlloSettings {
  const preset = ALLO_PRESETS[words.preset];
  const flags: AlloRunFlags = { ...words, ...presetFlags(preset, words, stateCount) };
  if (flags.batch_size === 0 && flags.evaluation === "rows") {
    throw new UsageError("--evaluation rows needs a batch: give --batch_size 1 or more, or drop --evaluation");
  }
  checkNames(flags);
  const episodes = Math.floor((flags.num_envs * flags.num_steps) / flags.max_episode_length);
  if (episodes < 1) {
    throw new UsageError(
      `--num_envs ${flags.num_envs} times --num_steps ${flags.num_steps} is less than one episode of ` +
        `--max_episode_length ${flags.max_episode_length}; raise the first or lower the last`,
    );
  }
  return {
    flags,
    config: {
      featureCount: flags.num_eigenvectors,
      hiddenSize: flags.hidden_dim,
      hiddenLayerCount: flags.num_hidden_layers + 1,
      initialisation: preset.config.initialisation,
    },
    objective: {
      constraints: preset.objective.constraints,
      graphScale: flags.graph_scale,
      initialDual: flags.duals_initial_val,
      initialDualsDiagonal: flags.init_dual_diag,
      dualRate: flags.dual_learning_rate * flags.step_size_duals,
      integralRate: flags.dual_learning_rate * flags.step_size_duals_I,
      integralDecay: flags.integral_decay,
      dualLimit: preset.objective.dualLimit,
      initialBarrier: flags.barrier_initial_val,
      barrierRate: flags.barrier_learning_rate,
      barrierLimit: flags.max_barrier_coefs,
      perturbation: flags.perturbation_type,
      graphEpsilon: flags.graph_epsilon,
      graphVarianceScale: flags.graph_variance_scale,
      gateThreshold: flags.turn_off_above_threshold ? flags.cum_error_threshold : null,
    },
    training: {
      learningRate: flags.learning_rate,
      decayFraction: flags.lr_decay,
      beta2: flags.adam_beta2,
      batchSize: flags.batch_size,
      steps: flags.num_gradient_steps,
    },
    sampling: { gamma: flags.geometric_gamma, horizon: flags.max_episode_length },
    episodes,
    coordinates: preset.coordinates,
    constraintLaw: preset.objective.constraints === "one-sided" ? "first" : "visits",
    warnings: deadFlags(flags, given),
  };
}

type PresetFlags = ReturnType<typeof presetFlags>;

/** The flags that have no default of their own, from the command line or else from the preset. */
function presetFlags({ config, objective, training, sampling }: AlloPreset, words: AlloFlags, stateCount: number) {
  const { horizon, gamma } = alloOffsets(
    { horizon: words.max_episode_length ?? sampling.horizon, gamma: words.geometric_gamma ?? sampling.gamma }, stateCount,
  );
  const learning_rate = words.learning_rate ?? training.learningRate;
  // The original moves everything by one learning rate.
  const isShared = words.preset === "seed";
  return {
    // Not by --num_envs as given: fewer environments mean fewer data.
    num_steps: words.num_steps ?? Math.ceil(sampling.transitions / alloFlags.num_envs.default),
    max_episode_length: horizon,
    geometric_gamma: gamma,
    starts: words.starts ?? sampling.starts,
    batch_size: words.batch_size ?? training.batchSize,
    num_eigenvectors: words.num_eigenvectors ?? config.featureCount,
    hidden_dim: words.hidden_dim ?? config.hiddenSize,
    num_hidden_layers: words.num_hidden_layers ?? config.hiddenLayerCount - 1,
    learning_rate,
    adam_beta2: words.adam_beta2 ?? training.beta2,
    lr_decay: words.lr_decay ?? training.decayFraction,
    num_gradient_steps: words.num_gradient_steps ?? training.steps,
    graph_scale: words.graph_scale ?? objective.graphScale,
    dual_learning_rate: words.dual_learning_rate ?? (isShared ? learning_rate : objective.dualRate),
    duals_initial_val: words.duals_initial_val ?? objective.initialDual,
    barrier_learning_rate: words.barrier_learning_rate ?? (isShared ? learning_rate : objective.barrierRate),
    barrier_initial_val: words.barrier_initial_val ?? objective.initialBarrier,
    max_barrier_coefs: words.max_barrier_coefs ?? objective.barrierLimit,
  };
}

/** Refused here, and not only when the data are collected and the run directory is made. */
function checkNames({ exp_name, run_name }: AlloFlags): void {
  if (run_name !== undefined && !isPlainFileName(run_name)) {
    throw new UsageError(`--run_name ${run_name}: wanted a name for one directory: at most 200 characters, no slashes, no dot in front; --results_dir says where it lies`);
  }
  try {
    runName({ label: COMMAND, experiment: exp_name, number: 0, seed: 0, unixSeconds: 0 });
  } catch (error) {
    if (error instanceof ArtifactError) throw new UsageError(`--exp_name ${exp_name}: ${error.message}`);
    throw error;
  }
}

/** Flags that were written and change nothing, with the reason. */
function deadFlags(flags: AlloRunFlags, given: ReadonlySet<string>): string[] {
  const { figuresOnDisk, checkpointsOnDisk, weightsInTracker } = outputPolicy(flags);
  const areWeightsKept = checkpointsOnDisk || weightsInTracker;
  const keptWeights = "weights that are kept: drop --wandb_only, or add --keep_weights";
  const needs: [flag: keyof AlloFlags, isRead: boolean, other: string][] = [
    ["num_doors", flags.use_doors, "--use_doors"],
    ["door_seed", flags.use_doors, "--use_doors"],
    ["integral_decay", flags.step_size_duals_I > 0, "--step_size_duals_I above 0"],
    ["graph_epsilon", flags.perturbation_type !== "none", "a --perturbation_type"],
    ["graph_variance_scale", flags.perturbation_type !== "none", "a --perturbation_type"],
    ["cum_error_threshold", flags.turn_off_above_threshold, "--turn_off_above_threshold"],
    ["barrier_learning_rate", flags.barrier_initial_val < flags.max_barrier_coefs, "a --max_barrier_coefs above --barrier_initial_val"],
    ["save_model", areWeightsKept, keptWeights],
    ["save_freq", areWeightsKept, keptWeights],
    [
      "plot_during_training", figuresOnDisk || !flags.plot_during_training,
      "features on disk: drop --wandb_only and --disable_local_files",
    ],
  ];
  const warnings = needs
    .filter(([flag, isRead]) => given.has(flag) && !isRead)
    .map(([flag, , other]) => `--${flag} does nothing without ${other}`);
  if (given.has("gamma")) {
    warnings.push("--gamma does nothing, as in the original, which never read it; --geometric_gamma is the discount of the offsets");
  }
  if (given.has("max_time_offset")) {
    warnings.push(
      "--max_time_offset does nothing, as in the original, which never read it; offsets end with their episode, see --max_episode_length",
    );
  }
  if (flags.barrier_initial_val > flags.max_barrier_coefs) {
    warnings.push(
      `--barrier_initial_val ${flags.barrier_initial_val} is above --max_barrier_coefs ${flags.max_barrier_coefs}, which holds from the second step on`,
    );
  }
  return warnings;
}

/** Reads a run for resuming; its results directory is where it lies now, whatever directory it was started from. */
export function openAlloRun(directory: string): SavedRun<AlloRunFlags> {
  const saved = openSavedRun<AlloRunFlags>(directory, COMMAND);
  return { ...saved, flags: { ...saved.flags, results_dir: saved.root } };
}

/** What is known of a run that is to be resumed. */
export interface Interrupted {
  flags: AlloRunFlags;
  state: RunState;
  /** Steps done. */
  position: number;
}

/**
 * The flags of a resumed run: its own, with the few that may change taken from the command line. A layout file that is given
 * takes the place of one that was named; a results directory can only be the run's own. Throws UsageError when another
 * flag was written with another value or fewer steps are asked for than are done, RefusedError for a finished run with no step
 * left.
 */
export function resumedFlags({ flags: saved, state, position }: Interrupted, words: AlloFlags, given: ReadonlySet<string>): AlloRunFlags {
  const isSamePlace = resolve(words.results_dir) === resolve(saved.results_dir);
  const here = isSamePlace ? { ...words, results_dir: saved.results_dir } : words;
  const all = mergedFlags(saved, here, { given, resumable: RESUMABLE_FLAGS });
  const merged = given.has("env_file") ? { ...all, env_file_name: undefined } : all;
  if (position > merged.num_gradient_steps) {
    throw new UsageError(
      `--num_gradient_steps ${merged.num_gradient_steps}: the run has done ${position} steps already; ask for at least as many, or leave the flag out`,
    );
  }
  if (state === "finished" && position === merged.num_gradient_steps) {
    throw new RefusedError(`nothing to do: the run has its ${merged.num_gradient_steps} steps; raise --num_gradient_steps to go on`);
  }
  return merged;
}
