// What a run of allo leaves in each output mode: the file tree, and what is in the files, for us and for the original's scripts.
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openRun, readNpy, readSafetensors } from "@cleanloop/artifacts";
import { findPython, runPython } from "../artifacts/support.ts";
import { emptyWorkplace, runCommand, sizeBytes, startCommand, tree } from "./harness.ts";
import { logContents } from "./tracker_logs.ts";

const SMALL = [
  "--env_type=open:4x5", "--preset=seed", "--num_eigenvectors=10", "--hidden_dim=16", "--num_envs=10", "--num_steps=100",
  "--max_episode_length=50", "--batch_size=64", "--num_gradient_steps=250", "--plot_freq=100", "--save_freq=100",
];
const TIMEOUT_MS = 60_000;

const place = emptyWorkplace();
afterAll(place.remove);
const python = findPython("numpy");
/** Runs allo with the small flags, of which the given ones replace those of the same name. */
const run = (...words: string[]) => {
  const names = words.map((word) => word.split("=")[0]);
  return runCommand("allo", [...SMALL.filter((word) => !names.includes(word.split("=")[0])), ...words], place.path);
};

const RUN = "runs/open-4x5/open-4x5__allo__0__42__TIME";
const LOG = "runs/wandb/offline-run-TIME-ID";
const inRun = (...names: string[]) => names.map((name) => `${RUN}/${name}`);
const RECORDS = inRun("args.json", "manifest.json", "metrics.jsonl", "metrics_history.json", "status.json");
const CHECKPOINT = inRun("checkpoints/step-00000250.safetensors");
const MODELS = inRun("models/encoder.onnx", "models/final_model.safetensors");
const ARRAYS = inRun(
  "dataset_eigenvalues.npy", "dataset_eigenvectors.npy", "gt_eigenvalues.npy", "gt_eigenvectors.npy", "sampling_distribution.npy",
  "state_coords.npy", "viz_metadata.json", "viz_metadata.pkl", "final_learned_eigenvectors.npy",
  ...[0, 100, 200, 250].map((step) => `learned_eigenvectors_step_${step}.npy`),
);
const OFFLINE_LOG = [`${LOG}/files/media/images/eigenvectors/exact_above_learned_250_HASH.png`, `${LOG}/files/wandb-metadata.json`, `${LOG}/run-ID.wandb`];
const WEIGHTS = ["encoder.onnx", "final_learned_eigenvectors.npy", "weights.safetensors"].map((name) => `${LOG}/files/${name}`);

/** The keys of a record of the original with ten features. */
const ORIGINAL_KEYS = [
  "gradient_step", "allo", "sps", "approx_eigenvalue_sum", "barrier_coef", "barrier_loss", "distance_to_constraint_manifold",
  "distance_to_origin", "dual_loss", "dual_loss_neg", "grad_norm", "graph_loss", "total_error", "total_norm_error", "total_two_component_error",
  ...Array.from({ length: 10 }, (_, i) => [`dual_${i}`, `graph_perturbation_${i}`]).flat(),
  ...[0, 1].flatMap((j) => Array.from({ length: 9 - j }, (_, i) => `dual_${i + j + 1}_${j}`)),
];

describe("the tree after a run", () => {
  const modes: [string[], string[]][] = [
    [["--wandb_offline"], [...RECORDS, ...CHECKPOINT, ...MODELS, ...ARRAYS, ...OFFLINE_LOG]],
    [["--no-wandb", "--no-save_model"], [...RECORDS, ...CHECKPOINT, ...ARRAYS]],
    [["--disable_local_files", "--wandb_offline"], [...RECORDS, ...CHECKPOINT, ...MODELS, ...OFFLINE_LOG]],
    [["--wandb_only", "--wandb_offline"], OFFLINE_LOG],
    [["--wandb_only", "--wandb_offline", "--keep_weights"], [...OFFLINE_LOG, ...WEIGHTS]],
  ];
  test.each(modes)("with %p", async (mode, wanted) => {
    const { code, stdout, stderr } = await run(...mode);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(tree(place.path)).toEqual(wanted.toSorted());
    const printed = join(place.path, stdout.trim());
    expect(tree(printed).length).toBeGreaterThan(0);
    if (mode.join() === "--wandb_offline") {
      inspectRun(printed);
      inspectLog(join(place.path, "runs/wandb", readdirSync(join(place.path, "runs/wandb"))[0]));
    }
    if (mode.includes("--wandb_only") && !mode.includes("--keep_weights")) expect(stderr).toContain("no weights were kept");
    rmSync(join(place.path, "runs"), { recursive: true });
  }, TIMEOUT_MS);

  test.each([[], ["--disable_local_files"], ["--wandb_only"]])("with %p, which needs a server, is empty, and the command says how to go on", async (...mode: string[]) => {
    const { code, stderr, stdout } = await run(...mode);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toStartWith("error: online tracking is not in this version: add --wandb_offline");
    expect(tree(place.path)).toEqual([]);
  });
});

/** Arrays, weights and metrics are what their names say. */
function inspectRun(directory: string): void {
  const [n, d, hidden] = [20, 10, 16];
  const shapes = Object.fromEntries(readdirSync(directory).filter((name) => name.endsWith(".npy")).map((name) => {
    const { dtype, shape } = readNpy(join(directory, name));
    return [name, `${dtype} ${shape.join("x")}`];
  }));
  const features = [0, 100, 200, 250].map((step) => [`learned_eigenvectors_step_${step}.npy`, `float32 ${n}x${d}`]);
  expect(shapes).toEqual({
    "gt_eigenvalues.npy": `float32 ${d}`, "gt_eigenvectors.npy": `float32 ${n}x${d}`, "dataset_eigenvalues.npy": `float32 ${d}`,
    "dataset_eigenvectors.npy": `float32 ${n}x${d}`, "state_coords.npy": `float32 ${n}x2`, "sampling_distribution.npy": `float32 ${n}`,
    "final_learned_eigenvectors.npy": `float32 ${n}x${d}`, ...Object.fromEntries(features),
  });
  const array = (name: string) => [...(readNpy(join(directory, name)).data as Float32Array)];
  expect(array("final_learned_eigenvectors.npy")).toEqual(array("learned_eigenvectors_step_250.npy"));
  expect(array("learned_eigenvectors_step_100.npy")).not.toEqual(array("learned_eigenvectors_step_200.npy"));
  // closed form of the open room: (cos(pi i / 4) + cos(pi j / 5)) / 2
  [1, 0.904508, 0.853553, 0.758062, 0.654508].forEach((value, i) => expect(array("gt_eigenvalues.npy")[i]).toBeCloseTo(value, 5));

  const { tensors, metadata } = readSafetensors(join(directory, "models/final_model.safetensors"));
  const layers = [[hidden, 2], [hidden, hidden], [hidden, hidden], [hidden, hidden], [d, hidden]];
  const parameters = layers.flatMap(([out, fanIn], layer) => [[`encoder.layers.${layer}.weight`, [out, fanIn]], [`encoder.layers.${layer}.bias`, [out]]]);
  expect(Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]))).toEqual({
    ...Object.fromEntries(parameters), duals: [d, d], barrier_coefs: [], gt_eigenvalues: [d], gt_eigenvectors: [n, d],
  });
  const args = JSON.parse(readFileSync(join(directory, "args.json"), "utf8"));
  expect(args).toMatchObject({ env_type: "open:4x5", exp_name: "allo", num_hidden_layers: 3, learning_rate: 3e-4, cleanloop: { command: "allo" } });
  const { resume: _resume, cleanloop: _record, ...flags } = args;
  expect(JSON.parse(metadata.args)).toEqual(flags);

  const records = JSON.parse(readFileSync(join(directory, "metrics_history.json"), "utf8")) as Record<string, number>[];
  expect(records.map(({ gradient_step }) => gradient_step)).toEqual([0, 100, 200, 249]);
  expect(ORIGINAL_KEYS).toHaveLength(52);
  for (const record of records) {
    expect(Object.keys(record)).toEqual(expect.arrayContaining([...ORIGINAL_KEYS, "lagrangian", "cosine_sim_0", "cosine_sim_avg", "learning_rate"]));
    expect(Object.values(record).every((value) => typeof value === "number")).toBe(true);
  }
  expect(records[0]).toMatchObject({ dual_0: -2, dual_9_1: -2, barrier_coef: 0.5, sps: 0, approx_eigenvalue_sum: 10 });
  expect(openRun(directory).verifyArtifacts()).toEqual([]);
  if (python) readAsOriginal(directory);
}

/** What the original's plotting script opens, opened in the same ways. */
function readAsOriginal(directory: string): void {
  const program = `
import json, pickle, sys, numpy as np
from pathlib import Path
d = Path(sys.argv[1])
with open(d / "viz_metadata.pkl", "rb") as f: viz = pickle.load(f)
values, vectors = np.load(d / "gt_eigenvalues.npy"), np.load(d / "gt_eigenvectors.npy")
with open(d / "metrics_history.json") as f: history = json.load(f)
steps = [m["gradient_step"] for m in history]
learned = [np.load(p) for p in sorted(d.glob("learned_eigenvectors_step_*.npy"))]
final = np.load(d / "final_learned_eigenvectors.npy")
grid = np.full(viz["grid_width"] * viz["grid_height"], np.nan)
grid[viz["canonical_states"]] = vectors[:, 1]
duals = np.array([[m[f"dual_{i}"] for i in range(viz["num_eigenvectors"])] for m in history])
print(grid.reshape(viz["grid_height"], viz["grid_width"]).shape, values.dtype, len(learned), final.shape, duals.shape, steps, viz["geometric_gamma"], viz["door_markers"])`;
  expect(runPython(python, program, directory).trim()).toBe("(4, 5) float32 4 (20, 10) (4, 10) [0, 100, 200, 249] 0.2 {}");
}

/** One row per record on the axis of gradient steps, the flags, and the scores at the end. */
function inspectLog(directory: string): void {
  const { history, config, summary, exitCode } = logContents(directory);
  expect(exitCode).toBe(0);
  expect(history.filter((row) => "graph_loss" in row).map(({ gradient_step, _step }) => [gradient_step, _step])).toEqual([0, 100, 200, 249].map((step) => [step, step]));
  expect(config).toMatchObject({ env_type: "open:4x5", preset: "seed", state_count: 20, transitions: 1000, compute: { engine: "onnx" } });
  expect(summary["final/cosine_group_avg"]).toBeNumber();
  expect(summary["final/gradient_steps"]).toBe(250);
  expect(sizeBytes(directory)).toBeLessThan(100_000);
}

test("--json prints how it went", async () => {
  const { code, stdout } = await run("--no-wandb", "--json", "--run_name=json");
  expect(code).toBe(0);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ state: "finished", run: "runs/open-4x5/json", tracker: null, steps: 250, nonFiniteSteps: 0 });
  expect(result.scores.cosine_group_avg).toBeWithin(0, 1);
}, TIMEOUT_MS);

test("doors are written, in the original's words; --plot_during_training without a program to draw with is one warning", async () => {
  const { code, stderr } = await run("--no-wandb", "--use_doors", "--num_doors=2", "--num_eigenvectors=3", "--plot_during_training", "--run_name=doors");
  expect(code).toBe(0);
  const directory = join(place.path, "runs/open-4x5/doors");
  expect(readdirSync(directory)).toContain("door_config.pkl");
  expect(JSON.parse(readFileSync(join(directory, "viz_metadata.json"), "utf8")).door_markers).toHaveLength(2);
  expect(stderr.match(/^warning: --plot_during_training.*/gm)).toEqual([expect.stringContaining("generate_plots.ts is not in this version")]);
}, TIMEOUT_MS);

test("a run whose directory is removed fails at once, says why, and leaves it removed", async () => {
  const words = ["--no-wandb", "--num_gradient_steps=10000000", "--run_name=removed"];
  const child = startCommand("allo", [...SMALL.filter((word) => !word.startsWith("--num_gradient_steps")), ...words], place.path);
  const [stdout, stderr] = [child.stdout.text(), child.stderr.text()];
  const directory = join(place.path, "runs/open-4x5/removed");
  while (child.exitCode === null && !existsSync(join(directory, "checkpoints"))) await Bun.sleep(20);
  // Again where the trainer puts a file into a folder between a look at it and its removal.
  while (existsSync(directory)) Bun.spawnSync(["rm", "-rf", directory]);
  expect({ code: await child.exited, stdout: await stdout }).toEqual({ code: 1, stdout: "" });
  expect(await stderr).toMatch(/^error: cannot .*removed/m);
  expect(await stderr).not.toContain("This is a bug");
  expect(existsSync(directory)).toBe(false);
}, TIMEOUT_MS);

test("one step, and steps that are not finite, end honestly", async () => {
  const one = await run("--no-wandb", "--num_gradient_steps=1", "--run_name=one");
  expect(one.code).toBe(0);
  expect(openRun(join(place.path, "runs/open-4x5/one")).metrics()).toHaveLength(1);
  const broken = await run("--no-wandb", "--learning_rate=1e30", "--log_freq=10", "--run_name=broken");
  expect(broken.stderr).toMatch(/^error: the last 100 steps gave a loss or gradient that is not finite; lower --learning_rate/m);
  expect(broken.code).toBe(1);
  const view = openRun(join(place.path, "runs/open-4x5/broken"));
  expect(view.status()).toMatchObject({ state: "failed", exit: { exitCode: 1 } });
  expect(view.metrics().at(-1)).toMatchObject({ graph_loss: NaN });
}, TIMEOUT_MS);
