// The log of a clean run is all that stays of it: what the trainer puts there, in which order, and how it ends.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseFlags } from "@cleanloop/cli";
import { trainerFlags } from "../../scripts/rlvae/trainer_flags.ts";
import { emptyWorkplace, runCommand, startCommand, tree } from "./harness.ts";
import { logContents, logDirectories, readRecords } from "./tracker_logs.ts";

const TRAINER = "train_cyclic_loop_comparison";
const TIMEOUT_MS = 120_000;

const place = emptyWorkplace();
afterAll(place.remove);
const bundle = join(place.path, "bundle");
const SMALL = ["--loop_mode=closed", "--n_train_samples=10", "--n_val_samples=5", "--batch_size=5", "--wandb_only", "--wandb_offline", `--pretrained=${bundle}`];

beforeAll(async () => {
  const words = ["--n_train_samples=10", "--n_val_samples=5", "--pretrain_steps=5", `--out=${bundle}`];
  expect((await runCommand("pretrain_vae", words, place.path)).code).toBe(0);
}, TIMEOUT_MS);

describe("the log of a run", () => {
  const words = [...SMALL, "--n_epochs=2", "--cycle_penalty=2", "--sequence_viz_count=3", "--wandb_tags=a,b"];
  let directory = "";
  beforeAll(async () => {
    const { code, stdout } = await runCommand(TRAINER, words, place.path);
    expect(code).toBe(0);
    directory = join(place.path, stdout.trim());
  }, TIMEOUT_MS);

  test("names the run as the original does: config keys, project, tags", () => {
    const { config } = logContents(directory);
    expect(config).toMatchObject({
      experiment_type: "cyclic_loop_comparison", loop_mode: "closed", cycle_penalty: 2, use_riemannian: true, riemannian_method: "geodesic",
      posterior_type: "riemannian_metric", riemannian_beta: 1, input_dim: [3, 64, 64], latent_dim: 16, n_flows: 8, learning_rate: 3e-4, beta: 1,
      batch_size: 5, n_epochs: 2, dataset_type: "cyclic_only", train_size: 10, val_size: 5, wandb_only: true, disable_local_files: false,
    });
    expect(config.temperature_fix).toBeNumber();
    expect(config.temperature_fix).toBeGreaterThan(0);
    const run = readRecords(directory).find((record) => record.run)?.run;
    expect(run).toMatchObject({ project: "cyclic-loop-mode-comparison", tags: ["a", "b"] });
    expect(run?.displayName).toStartWith("closed__cyclic_extended__1__42__");
  });

  test("holds every flag as it was resolved, and what computed", () => {
    const { config } = logContents(directory);
    const resolved = { ...parseFlags(trainerFlags, words), wandb_project: "cyclic-loop-mode-comparison" };
    expect(config.flags).toEqual(JSON.parse(JSON.stringify(resolved)));
    expect(config.compute).toMatchObject({ engine: "onnx", device: "cpu", threads: 2, reason: expect.stringContaining("CPU") });
  });

  test("holds what the command said, and samples of the machine", () => {
    const { output, stats } = logContents(directory);
    for (const said of ["training closed__", "compute: compiled for the CPU", "epoch 1/2 | ", "epoch 2/2 | "]) expect(output).toContain(said);
    expect(stats.length).toBeGreaterThanOrEqual(2);
    for (const key of ["cpu", "memory", "disk", "proc.memory.rssMB"]) expect(stats[0][key]).toBeNumber();
  });

  test("ends with a summary of the last row and of the run", () => {
    const { summary, history } = logContents(directory);
    expect(summary).toMatchObject({
      "final/total_latent_points": 40, "final/sequences_visualized": 3, "final/riemannian_beta_used": 1, "final/loop_mode": "closed", epoch: 1,
    });
    expect(summary["val/total_loss"]).toBe(history[1]["val/total_loss"]);
  });

  test("has its records in the order that readers need: header, run, ..., summary, exit, final, footer", () => {
    const { kinds, numbers, exitCode } = logContents(directory);
    expect(exitCode).toBe(0);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(kinds.slice(0, 2)).toEqual(["header", "run"]);
    expect(kinds.slice(-4)).toEqual(["summary", "exit", "final", "footer"]);
    for (const kind of ["header", "run", "exit", "final", "footer"]) expect(kinds.filter((other) => other === kind)).toHaveLength(1);
    const records = readRecords(directory);
    const picture = records.findIndex(({ files }) => files?.files.some(({ path }) => path.includes("reconstruction_overview")));
    expect(picture).toBeGreaterThan(0);
    expect(picture).toBeLessThan(kinds.indexOf("history")); // a row never refers to a file that is not there yet
  });
});

test("Ctrl-C ends the log with exit code 130; until then nobody else may resume the run", async () => {
  const child = startCommand(TRAINER, [...SMALL, "--n_epochs=1000", "--run_name=stopped", "--keep_weights"], place.path);
  const run = join(place.path, "runs/rlvae/stopped");
  const metrics = join(run, "metrics.jsonl");
  while (!(existsSync(metrics) && readFileSync(metrics).length > 0)) await Bun.sleep(5);
  const { code, stderr } = await runCommand(TRAINER, ["--resume=runs/rlvae/stopped"], place.path);
  child.kill("SIGINT");
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: resumeRun: .*stopped belongs to process \d+/m);
  expect(await child.exited).toBe(130);
  expect(existsSync(run)).toBe(false);
  const directory = logDirectories(join(place.path, "runs")).at(-1) as string;
  const { exitCode, kinds, summary, output } = logContents(directory);
  expect(exitCode).toBe(130);
  expect(kinds.slice(-4)).toEqual(["summary", "exit", "final", "footer"]);
  expect(summary["final/loop_mode"]).toBe("closed");
  expect(output).toContain("SIGINT: finishing this step");
  expect(tree(directory)).toEqual(expect.arrayContaining(["files/decoder.onnx", "files/encoder.onnx", "files/weights.safetensors"]));
}, TIMEOUT_MS);
