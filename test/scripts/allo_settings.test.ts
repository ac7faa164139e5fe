// What the flags of allo mean: presets, step sizes, flags that do nothing, and which of them a resumed run may be given anew.
import { describe, expect, test } from "bun:test";
import { givenFlags, parseFlags, UsageError } from "@cleanloop/cli";
import { ALLO_PRESETS, alloOffsets } from "@cleanloop/models";
import { alloFlags } from "../../scripts/allo/flags.ts";
import { alloSettings, resumedFlags } from "../../scripts/allo/settings.ts";

const ROOM4_STATES = 104;
const settingsOf = (...words: string[]) => alloSettings(parseFlags(alloFlags, words), givenFlags(alloFlags, words), ROOM4_STATES);

describe("a preset", () => {
  test.each(["fast", "seed", "paper"] as const)("%s alone is the preset of the models", (name) => {
    const { config, objective, training, sampling, episodes, coordinates } = settingsOf(`--preset=${name}`);
    const preset = ALLO_PRESETS[name];
    expect({ config, objective, training, coordinates }).toEqual({
      config: preset.config, objective: preset.objective, training: preset.training, coordinates: preset.coordinates,
    });
    expect(sampling).toEqual(alloOffsets(preset.sampling, ROOM4_STATES));
    expect(episodes).toBe(Math.floor(preset.sampling.transitions / sampling.horizon));
  });

  test("seed has the defaults of the original's flags", () => {
    expect(settingsOf("--preset=seed").flags).toMatchObject({
      env_type: "room4", max_episode_length: 1000, num_envs: 1000, num_steps: 1000, use_doors: false, num_doors: 5, door_seed: 42,
      num_eigenvectors: 10, hidden_dim: 256, num_hidden_layers: 3, learning_rate: 3e-4, batch_size: 256, num_gradient_steps: 20000,
      geometric_gamma: 0.2, duals_initial_val: -2, barrier_initial_val: 0.5, max_barrier_coefs: 0.5, step_size_duals: 1, step_size_duals_I: 0,
      integral_decay: 0.99, init_dual_diag: false, graph_epsilon: 0.01, graph_variance_scale: 0.1, perturbation_type: "none",
      turn_off_above_threshold: false, cum_error_threshold: 0.1, log_freq: 100, plot_freq: 1000, save_freq: 1000, save_model: true,
      plot_during_training: false, seed: 42, exp_name: "allo", exp_number: 0,
    });
  });

  test("is followed only by flags that are left out", () => {
    const { config, training, objective } = settingsOf("--preset=paper", "--hidden_dim=32", "--num_hidden_layers=0", "--batch_size=8", "--duals_initial_val=-1");
    expect(config).toMatchObject({ hiddenSize: 32, hiddenLayerCount: 1, featureCount: 11 });
    expect(training).toMatchObject({ batchSize: 8, learningRate: 1e-3 });
    expect(objective).toMatchObject({ initialDual: -1, initialBarrier: 2 });
  });
});

describe("step sizes", () => {
  test("of the seed preset all follow the learning rate, as in the original", () => {
    const { objective, training } = settingsOf("--preset=seed", "--learning_rate=0.001", "--step_size_duals=3", "--step_size_duals_I=0.5");
    expect(training.learningRate).toBe(1e-3);
    expect(objective).toMatchObject({ dualRate: 3e-3, integralRate: 5e-4, barrierRate: 1e-3 });
  });

  test("can be set apart", () => {
    const words = ["--preset=seed", "--dual_learning_rate=0.01", "--barrier_learning_rate=0", "--step_size_duals=0.5"];
    expect(settingsOf(...words).objective).toMatchObject({ dualRate: 0.005, barrierRate: 0 });
    expect(settingsOf("--learning_rate=0.5").objective.dualRate).toBe(ALLO_PRESETS.fast.objective.dualRate);
  });

  test("the gate has its threshold only when it is on", () => {
    expect(settingsOf("--cum_error_threshold=0.3").objective.gateThreshold).toBeNull();
    expect(settingsOf("--turn_off_above_threshold", "--cum_error_threshold=0.3").objective.gateThreshold).toBe(0.3);
  });
});

describe("data", () => {
  test("are the transitions of --num_envs times --num_steps in whole episodes", () => {
    const { episodes, sampling } = settingsOf("--num_envs=3", "--num_steps=40", "--max_episode_length=50", "--geometric_gamma=0.5");
    expect({ episodes, ...sampling }).toEqual({ episodes: 2, horizon: 50, gamma: 0.5 });
  });

  test.each([["seed", 1000], ["paper", 1000], ["fast", 50_000]])("of --num_envs are as many as --num_steps of preset %s, whatever --num_envs is", (preset, steps) => {
    expect(settingsOf(`--preset=${preset}`).flags.num_steps).toBe(steps);
    const { flags, episodes } = settingsOf(`--preset=${preset}`, "--num_envs=10", "--max_episode_length=100");
    expect(flags.num_steps).toBe(steps);
    expect(episodes).toBe((10 * steps) / 100);
  });

  test("of less than one episode are refused", () => {
    expect(() => settingsOf("--num_envs=7", "--num_steps=7")).toThrow("--num_envs 7 times --num_steps 7 is less than one episode of --max_episode_length 104");
  });

  test("of two-sided constraints are states as visited, of one-sided ones first elements of pairs", () => {
    expect(["fast", "paper", "seed"].map((preset) => settingsOf(`--preset=${preset}`).constraintLaw)).toEqual(["visits", "visits", "first"]);
  });
});

describe("flags that do nothing are named with the reason", () => {
  const none = settingsOf("--num_doors=2", "--use_doors", "--perturbation_type=squared", "--graph_epsilon=1");
  test("none of those that are read, and none that are left out", () => expect(none.warnings).toEqual([]));

  test.each([
    ["--gamma=0.99", "--gamma does nothing, as in the original, which never read it; --geometric_gamma is the discount of the offsets"],
    ["--max_time_offset=5", "--max_time_offset does nothing, as in the original, which never read it; offsets end with their episode, see --max_episode_length"],
    ["--num_doors=2", "--num_doors does nothing without --use_doors"],
    ["--door_seed=2", "--door_seed does nothing without --use_doors"],
    ["--graph_epsilon=2", "--graph_epsilon does nothing without a --perturbation_type"],
    ["--cum_error_threshold=2", "--cum_error_threshold does nothing without --turn_off_above_threshold"],
    ["--integral_decay=0.5", "--integral_decay does nothing without --step_size_duals_I above 0"],
    ["--max_barrier_coefs=0.5", "--barrier_initial_val 1.5 is above --max_barrier_coefs 0.5, which holds from the second step on"],
  ])("%s", (word, warning) => expect(settingsOf(word).warnings).toEqual([warning]));

  const CLEAN = ["--wandb_only", "--wandb_offline"];
  const NO_WEIGHTS = "without weights that are kept: drop --wandb_only, or add --keep_weights";
  const NO_FEATURES = "--plot_during_training does nothing without features on disk: drop --wandb_only and --disable_local_files";
  test.each([
    [["--plot_during_training", ...CLEAN], NO_FEATURES],
    [["--plot_during_training", "--disable_local_files"], NO_FEATURES],
    [["--save_model", ...CLEAN], `--save_model does nothing ${NO_WEIGHTS}`],
    [["--save_freq=7", ...CLEAN], `--save_freq does nothing ${NO_WEIGHTS}`],
    [["--barrier_learning_rate=1", "--preset=seed"], "--barrier_learning_rate does nothing without a --max_barrier_coefs above --barrier_initial_val"],
  ])("%j", (words, warning) => expect(settingsOf(...words).warnings).toEqual([warning]));

  test("but not where they are read", () => {
    const read = [
      ["--plot_during_training"], ["--save_model", "--save_freq=7", "--disable_local_files"], ["--save_model", "--save_freq=7", ...CLEAN, "--keep_weights"],
      ["--barrier_learning_rate=1", "--preset=seed", "--max_barrier_coefs=1"],
    ];
    expect(read.flatMap((words) => settingsOf(...words).warnings)).toEqual([]);
  });
});

describe("a name that no directory can have is refused before any work", () => {
  test.each(["x".repeat(201), "a/b", "a\\b", ".a", "a\nb"])("%j", (name) => {
    expect(() => settingsOf(`--run_name=${name}`)).toThrow(UsageError);
    expect(() => settingsOf(`--exp_name=${name}`)).toThrow(UsageError);
  });

  test("with the flag that it came from", () => {
    expect(() => settingsOf("--exp_name=a/b")).toThrow('--exp_name a/b: runName: got experiment "a/b"');
    expect(() => settingsOf("--run_name=a/b")).toThrow("--run_name a/b: wanted a name for one directory");
  });
});

describe("a resumed run", () => {
  const saved = settingsOf("--preset=seed", "--num_gradient_steps=400", "--batch_size=8").flags;
  const resume = (position: number, ...words: string[]) => {
    const all = ["--resume=runs/a", ...words];
    return resumedFlags({ flags: saved, state: "killed", position }, parseFlags(alloFlags, all), givenFlags(alloFlags, all));
  };

  test("keeps its settings, preset included, and may go further", () => {
    expect(resume(400, "--num_gradient_steps=500", "--json")).toMatchObject({
      preset: "seed", batch_size: 8, num_gradient_steps: 500, learning_rate: 3e-4, resume: "runs/a", json: true,
    });
  });

  test("means the same settings again", () => {
    const words = ["--resume=runs/a"];
    const again = alloSettings(resume(7), givenFlags(alloFlags, words), ROOM4_STATES);
    expect(again).toEqual({ ...settingsOf("--preset=seed", "--num_gradient_steps=400", "--batch_size=8"), flags: { ...saved, resume: "runs/a" } });
  });

  test.each([["--preset=fast", "--preset fast: the run has seed"], ["--batch_size=16", "--batch_size 16: the run has 8"], ["--seed=1", "--seed 1: the run has 42"]])(
    "refuses %s",
    (word, message) => expect(() => resume(7, word)).toThrow(message),
  );

  test("declines when it is finished and no step is left; a killed one still has its closing part", () => {
    const finished = (...words: string[]) =>
      resumedFlags({ flags: saved, state: "finished", position: 400 }, parseFlags(alloFlags, words), givenFlags(alloFlags, words));
    expect(() => finished("--resume=runs/a")).toThrow("nothing to do: the run has its 400 steps; raise --num_gradient_steps to go on");
    expect(finished("--resume=runs/a", "--num_gradient_steps=401").num_gradient_steps).toBe(401);
    expect(resume(400).num_gradient_steps).toBe(400);
  });

  test("finds its named layout file where --env_file says that it lies now", () => {
    const named = settingsOf("--env_type=file", "--env_file_name=mine").flags;
    const words = ["--resume=runs/a", "--env_file=elsewhere/mine.txt"];
    const flags = resumedFlags({ flags: named, state: "killed", position: 7 }, parseFlags(alloFlags, words), givenFlags(alloFlags, words));
    expect(flags).toMatchObject({ env_type: "file", env_file: "elsewhere/mine.txt", env_file_name: undefined });
  });

  test("stays in its results directory, however that is written", () => {
    expect(resume(7, "--results_dir=./runs/").results_dir).toBe("runs");
    expect(() => resume(7, "--results_dir=other")).toThrow(new UsageError("--results_dir other: the run has runs; a resumed run keeps its settings, so leave the flag out"));
  });

  test("cannot have fewer steps than it has done", () => {
    const refusal = "--num_gradient_steps 90: the run has done 100 steps already; ask for at least as many, or leave the flag out";
    expect(() => resume(100, "--num_gradient_steps=90")).toThrow(new UsageError(refusal));
    expect(resume(100, "--num_gradient_steps=100").num_gradient_steps).toBe(100);
  });
});
