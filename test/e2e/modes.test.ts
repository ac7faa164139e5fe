// What each output mode leaves: the file tree after a run in an empty directory, and the size of the offline log.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readNpz, readSafetensors } from "@cleanloop/artifacts";
import { fromValueJson, logRecord, readLog } from "@cleanloop/wandb";
import { emptyWorkplace, runCommand, sizeBytes, tree } from "./harness.ts";

const TRAINER = "train_cyclic_loop_comparison";
const QUICK = ["--loop_mode=open", "--n_epochs=1", "--n_train_samples=10", "--n_val_samples=5", "--batch_size=5"];
const TIMEOUT_MS = 120_000;

const place = emptyWorkplace();
afterAll(place.remove);
const bundle = join(place.path, "bundle");
const outputs = () => tree(place.path).filter((path) => !path.startsWith("bundle/"));
const quick = (...more: string[]) => runCommand(TRAINER, [...QUICK, `--pretrained=${bundle}`, ...more], place.path);

const RUN = "runs/rlvae/open__cyclic_extended__1__42__TIME";
const LOG = "runs/wandb/offline-run-TIME-ID";
const CHECKPOINTS = [`${RUN}/checkpoints/epoch-0001-batch-000000.safetensors`, `${RUN}/decoder.onnx`, `${RUN}/encoder.onnx`];
const RECORDS = [`${RUN}/args.json`, `${RUN}/manifest.json`, `${RUN}/metric.safetensors`, `${RUN}/metrics.jsonl`, `${RUN}/metrics_history.json`, `${RUN}/status.json`];
const OFFLINE_LOG = [
  `${LOG}/files/media/images/analysis/reconstruction_overview_0_HASH.png`,
  `${LOG}/files/wandb-metadata.json`,
  `${LOG}/run-ID.wandb`,
];

beforeAll(async () => {
  const words = ["--n_train_samples=10", "--n_val_samples=5", "--pretrain_steps=20", `--out=${bundle}`];
  expect(await runCommand("pretrain_vae", words, place.path)).toMatchObject({ code: 0, stdout: `${bundle}\n` });
}, TIMEOUT_MS);

describe("the tree before a run is empty; after it", () => {
  test.each([[], ["--disable_local_files"], ["--wandb_only"]])("with %p, which needs a server, it still is, and the command says how to go on", async (...mode: string[]) => {
    const { code, stderr, stdout } = await quick(...mode);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toStartWith("error: online tracking is not in this version: add --wandb_offline");
    expect(outputs()).toEqual([]);
  });

  const modes: [string[], string[]][] = [
    [["--wandb_offline"], [...RECORDS, ...CHECKPOINTS, `${RUN}/analysis/epoch-0000.npz`, ...OFFLINE_LOG]],
    [["--disable_local_files", "--wandb_offline"], [...RECORDS, ...CHECKPOINTS, ...OFFLINE_LOG]],
    [["--wandb_only", "--wandb_offline"], OFFLINE_LOG],
    [["--wandb_only", "--wandb_offline", "--keep_weights"], [...OFFLINE_LOG, `${LOG}/files/decoder.onnx`, `${LOG}/files/encoder.onnx`, `${LOG}/files/weights.safetensors`]],
    [["--no-wandb"], [...RECORDS, ...CHECKPOINTS, `${RUN}/analysis/epoch-0000.npz`]],
  ];
  test.each(modes)("with %p", async (mode, wanted) => {
    const { code, stdout, stderr } = await quick(...mode);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(outputs()).toEqual(wanted.toSorted());
    const printed = stdout.trim();
    expect(tree(join(place.path, printed)).length).toBeGreaterThan(0);
    if (mode.join() === "--wandb_only,--wandb_offline") {
      expect(sizeBytes(join(place.path, printed))).toBeLessThan(60_000);
      expect(stderr).toContain("weights are not kept in this mode; --keep_weights");
      expect(stderr).toContain("no weights were kept");
    }
    if (mode.join() === "--wandb_offline") inspectStandardRun(join(place.path, printed));
    rmSync(join(place.path, "runs"), { recursive: true });
  }, TIMEOUT_MS);
});

/** The arrays and the weights are what their names say. */
function inspectStandardRun(directory: string): void {
  const arrays = readNpz(join(directory, "analysis", "epoch-0000.npz"));
  expect(Object.fromEntries([...arrays].map(([name, { dtype, shape }]) => [name, `${dtype} ${shape.join("x")}`]))).toEqual({
    latents: "float32 5x8x16", posterior_means: "float32 5x16", original_cyclicity: "float64 5", reconstruction_cyclicity: "float32 5",
    latent_cyclicity: "float64 5", originals: "uint8 5x8x3x64x64", reconstructions: "uint8 5x8x3x64x64", log_det_metric: "float64 5x8",
    metric_condition: "float64 5x8",
  });
  expect(arrays.get("original_cyclicity")?.data).toEqual(new Float64Array(5));
  const { tensors } = readSafetensors(join(directory, "checkpoints", "epoch-0001-batch-000000.safetensors"));
  const count = (belongs: (name: string) => boolean) =>
    [...tensors].reduce((sum, [name, { data }]) => sum + (belongs(name) ? data.length : 0), 0);
  expect(count((name) => !name.includes("/"))).toBe(14_927_392);
  // the eighth flow and the log-variance head do not train, so they have no moments and no average
  const trained = 14_927_392 - 288_320 - (512 * 16 + 16);
  for (const kind of ["adam.firstMoment/", "adam.secondMoment/", "average/"]) expect(count((name) => name.startsWith(kind))).toBe(trained);
}

test("run_clean_training is clean by default, passes other flags through, and its habits can be switched off", async () => {
  const words = [...QUICK, `--pretrained=${bundle}`];
  const note = join(place.path, "runs", "rlvae", "notes.txt");
  mkdirSync(dirname(note), { recursive: true });
  writeFileSync(note, "of somebody else");
  const clean = await runCommand("run_clean_training", [...words, "--kl=gaussian_prior", "--json"], place.path);
  expect(clean.code).toBe(0);
  expect(JSON.parse(clean.stdout)).toMatchObject({ state: "finished", run: null, epochs: 1, best: { epoch: 0 } });
  expect(clean.stderr).toContain("gaussian_prior KL");
  expect(outputs()).toEqual(["runs/rlvae/notes.txt", ...OFFLINE_LOG].toSorted());
  rmSync(join(place.path, "runs"), { recursive: true });
  const refused = await runCommand("run_clean_training", [...words, "--no-wandb_offline"], place.path);
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(outputs()).toEqual([]);
}, TIMEOUT_MS);

test("--engine tfjs, the eager reference, trains too and leaves the same tree", async () => {
  const words = ["--loop_mode=open", "--n_epochs=1", "--n_train_samples=1", "--n_val_samples=1", "--batch_size=1", `--pretrained=${bundle}`, "--engine=tfjs", "--device=wasm"];
  const { code, stderr } = await runCommand("run_clean_training", words, place.path);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stderr).toMatch(/^compute: tfjs on wasm, as asked; tfjs on wasm, 1 thread/m);
  expect(outputs()).toEqual(OFFLINE_LOG);
  rmSync(join(place.path, "runs"), { recursive: true });
}, TIMEOUT_MS);

test("25 clean epochs with every export stay under 1 MB, one row per epoch on one axis", async () => {
  const words = ["--loop_mode=closed", "--n_epochs=25", "--n_train_samples=10", "--n_val_samples=5", "--batch_size=5", `--pretrained=${bundle}`];
  const { code, stdout } = await runCommand("run_clean_training", words, place.path);
  expect(code).toBe(0);
  const log = join(place.path, stdout.trim());
  expect(sizeBytes(log)).toBeLessThan(1_000_000);
  expect(readdirSync(join(log, "files", "media", "images", "analysis"))).toHaveLength(6); // epochs 0, 5, ... 20 and the last

  const file = readdirSync(log).find((name) => name.endsWith(".wandb")) as string;
  const rows = readLog(readFileSync(join(log, file))).flatMap(({ payload }) => logRecord.decode(payload).history ?? []);
  const axis = rows.map(({ item, step }) => [step?.num, fromValueJson(item.find(({ key }) => key === "epoch")?.valueJson ?? "null")]);
  expect(axis).toEqual(Array.from({ length: 25 }, (_, epoch) => [epoch, epoch]));
  const keys = new Set(rows[0].item.map(({ key }) => key));
  const wanted = [
    "train/total_loss", "train/recon_loss", "train/kl_loss", "train/flow_loss", "train/cycle_penalty", "train/gradient_norm",
    "val/total_loss", "val_mean/recon_loss", "optimization/learning_rate", "config/loop_mode", "system/memory_allocated_gb", "epoch",
    "best_model/epoch", "best_model/val_loss", "best_model/train_loss", "best_model/loop_mode", "metrics/timesteps_with_data",
    "metrics/total_timesteps", "metrics/coverage_percentage", "metric_detail/mean_log_det", "metric_detail/std_log_det",
    "metric_detail/mean_condition_number", "metric_detail/max_condition_number", "metric_detail/mean_eigenvalue",
    "metric_detail/grid_points_computed", "metric_detail/grid_size", "metric_detail/temperature_used", "analysis/reconstruction_overview",
  ];
  expect(wanted.filter((key) => !keys.has(key))).toEqual([]);
  const penalty = rows[0].item.find(({ key }) => key === "train/cycle_penalty")?.valueJson;
  expect(Number(penalty)).toBeGreaterThan(0); // the raw penalty, which the original always logs as 0
}, TIMEOUT_MS);
