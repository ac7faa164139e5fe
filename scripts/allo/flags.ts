// The flags of allo: those of the original trainer under its names, presets, and what every training command has.
import type { FlagValues } from "@cleanloop/cli";
import { defineFlags, underHeading } from "@cleanloop/cli";
import { machineFlags, outputFlags, RESUMABLE_SHARED_FLAGS, trackerFlags } from "../shared/output_flags.ts";

export const alloFlags = defineFlags({
  ...underHeading("Preset", {
    preset: { type: "enum", values: ["fast", "seed", "paper"], default: "fast", description: "What flags follow that are left out and show no default. fast: the paper's objective over the whole data set at every step, with more data, quick duals and a learning rate that ends at zero. seed: the original trainer. paper: the published experiment." },
  }),
  ...underHeading("Environment", {
    env_type: { type: "string", valueName: "name|open:HxW|file", default: "room4", description: "A named layout (room4, GridRoom-1, -4, -16, -32, -64, GridRoomSym-4, GridMaze-7 to -32, maze, spiral, obstacles, empty, ...), an open room, or file." },
    env_file: { type: "string", valueName: "path", description: "With --env_type file: a text file, one line per row; space or . free, X or # wall." },
    env_file_name: { type: "string", valueName: "name", description: "With --env_type file: a named layout, or the name of a file in ./layouts." },
    use_doors: { type: "boolean", description: "Turn some moves into one-way doors." },
    num_doors: { type: "integer", min: 0, default: 5, description: "How many." },
    door_seed: { type: "integer", min: 0, max: 2 ** 32 - 1, default: 42, description: "Decides which; the same doors as the original for the same seed." },
  }),
  ...underHeading("Data", {
    num_envs: { type: "integer", min: 1, default: 1000, description: "Times --num_steps: how many transitions are collected, in whole episodes." },
    num_steps: { type: "integer", min: 1, description: "See --num_envs; presets seed and paper: 1000, fast: 50000." },
    max_episode_length: { type: "integer", min: 1, description: "Transitions per episode; preset fast: the number of states, within 50 and 500." },
    starts: { type: "enum", values: ["random", "even"], description: "Where episodes start: at states drawn one by one, or in every state in turn, which leaves less to chance." },
    geometric_gamma: { type: "number", min: 0, max: 1, description: "Second states of pairs lie a truncated geometric number of moves ahead; this is its parameter. Preset fast: 1 - 5 / --max_episode_length." },
    batch_size: { type: "integer", min: 0, max: 10_000_000, description: "Pairs per step; 0 takes the mean over all pairs of the data." },
    evaluation: { type: "enum", values: ["distinct", "rows"], default: "distinct", description: "distinct: the network sees every state once and batches are weights; rows: it sees every row of the batch, the slow reference." },
  }),
  ...underHeading("Network and training", {
    num_eigenvectors: { type: "integer", min: 1, description: "How many eigenvectors are learned, smoothest first." },
    hidden_dim: { type: "integer", min: 1, max: 16_384, description: "Width of the relu layers." },
    num_hidden_layers: { type: "integer", min: 0, description: "Relu layers behind the first one." },
    learning_rate: { type: "number", above: 0, description: "Adam's, for the network." },
    adam_beta2: { type: "number", min: 0, max: 0.999999, description: "Decay of Adam's second moment." },
    lr_decay: { type: "number", min: 0, max: 1, description: "Share of the steps, the last ones, over which it falls linearly to zero." },
    num_gradient_steps: { type: "integer", min: 1, description: "Steps of training." },
    seed: { type: "integer", min: 0, default: 42, description: "Everything random but the doors follows from it." },
  }),
  ...underHeading("Objective", {
    graph_scale: { type: "number", above: 0, description: "c in c * mean |phi(s) - phi(s')|^2." },
    dual_learning_rate: { type: "number", min: 0, description: "Ascent of the duals per unit of error; preset seed: the learning rate." },
    step_size_duals: { type: "number", min: 0, default: 1, description: "Multiplies it." },
    step_size_duals_I: { type: "number", min: 0, default: 0, description: "Multiplies it for the sum of past errors, the integral term." },
    integral_decay: { type: "number", min: 0, max: 1, default: 0.99, description: "Share of that sum that a step keeps." },
    duals_initial_val: { type: "number", description: "First value of the duals." },
    init_dual_diag: { type: "boolean", description: "Only the diagonal starts there, the rest at zero." },
    barrier_learning_rate: { type: "number", min: 0, description: "Ascent of the barrier coefficient; preset seed: the learning rate." },
    barrier_initial_val: { type: "number", min: 0, description: "First value of the barrier coefficient." },
    max_barrier_coefs: { type: "number", min: 0, description: "Its largest value." },
    perturbation_type: { type: "enum", values: ["none", "exponential", "squared", "squared-null-grad"], default: "none", description: "Penalty on features that collapse to a constant." },
    graph_epsilon: { type: "number", min: 0, default: 0.01, description: "Weight of the perturbation." },
    graph_variance_scale: { type: "number", above: 0, default: 0.1, description: "Scale of the perturbation." },
    turn_off_above_threshold: { type: "boolean", description: "Train a feature only while the errors of those before it are small." },
    cum_error_threshold: { type: "number", above: 0, default: 0.1, description: "How small." },
  }),
  ...machineFlags,
  ...underHeading("Output", {
    results_dir: { type: "string", valueName: "directory", default: "runs", description: "Everything a run writes lies in here." },
    exp_name: { type: "string", valueName: "name", default: "allo", description: "Part of the run's name." },
    exp_number: { type: "integer", min: 0, default: 0, description: "Part of the run's name; counts up only while another run that was started in the same second has the name." },
    resume: { type: "string", valueName: "run", description: "Continue this run directory with its own settings, bit for bit unless --threads, --engine or --device change; besides them only --num_gradient_steps, the layout file's place and the output flags may." },
    log_freq: { type: "integer", min: 1, default: 100, description: "Steps between records of the metrics; the last step has one too." },
    plot_freq: { type: "integer", min: 1, default: 1000, description: "Steps between exports of the learned eigenvectors, from step 0 on and at the end." },
    save_freq: { type: "integer", min: 1, default: 1000, description: "Steps between checkpoints that --resume goes on from; one is written at the end and when the run is stopped." },
    save_model: { type: "boolean", default: true, description: "Write the trained network at the end." },
    plot_during_training: { type: "boolean", description: "Draw at every export, in a process of its own, as the original did; to be compared with drawing afterwards." },
  }),
  ...outputFlags,
  ...trackerFlags,
  wandb_project: { ...trackerFlags.wandb_project, default: "laplacian-eigenvectors", description: "Project." },
  ...underHeading("Dead in the original", {
    gamma: { type: "number", description: "Accepted for old command lines: nothing read it. The offsets follow --geometric_gamma." },
    max_time_offset: { type: "integer", description: "Accepted for old command lines: nothing read it. Offsets end with their episode, see --max_episode_length." },
  }),
});

export type AlloFlags = FlagValues<typeof alloFlags>;

/** Flags that a resumed run may be given anew: how far it goes, and where its layout lies (its fingerprint is checked). */
export const RESUMABLE_FLAGS: readonly (keyof AlloFlags)[] = [
  ...RESUMABLE_SHARED_FLAGS, "num_gradient_steps", "env_file", "save_freq", "plot_during_training", "gamma", "max_time_offset",
];
