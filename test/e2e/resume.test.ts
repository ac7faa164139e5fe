// A run that was stopped, killed or simply ended early and is then resumed must end with the bits of one that was not.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openRun, readStatus, resumeRun } from "@cleanloop/artifacts";
import { differences } from "./compare_runs.ts";
import { killAndResume, rlvae } from "./kill9.ts";
import { emptyWorkplace, runCommand, startCommand } from "./harness.ts";

const TRAINER = "train_cyclic_loop_comparison";
const SMALL = ["--loop_mode=open", "--n_train_samples=40", "--n_val_samples=10", "--batch_size=8", "--no-wandb", "--disable_local_files"];
const TIMEOUT_MS = 120_000;

const place = emptyWorkplace();
const bundle = join(place.path, "bundle");
const flags = (...more: string[]) => [...SMALL, `--pretrained=${bundle}`, ...more];
const runPath = (name: string) => join(place.path, "runs", "rlvae", name);

beforeAll(async () => {
  const { code, stderr } = await runCommand("pretrain_vae", ["--n_train_samples=40", "--n_val_samples=10", "--pretrain_steps=20", `--out=${bundle}`], place.path);
  expect(stderr).toContain("kept in");
  expect(code).toBe(0);
  const whole = await runCommand(TRAINER, flags("--n_epochs=3", "--run_name=whole"), place.path);
  expect(whole).toMatchObject({ code: 0, stdout: "runs/rlvae/whole\n" });
}, TIMEOUT_MS);
afterAll(place.remove);

describe("resume", () => {
  test("after Ctrl-C, with more epochs than planned at first, ends with the same bits", async () => {
    const child = startCommand(TRAINER, flags("--n_epochs=2", "--run_name=stopped"), place.path);
    const metrics = join(runPath("stopped"), "metrics.jsonl");
    while (!existsSync(metrics) || readFileSync(metrics).length === 0) await Bun.sleep(5);
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    expect(await child.stdout.text()).toBe("runs/rlvae/stopped\n");
    expect(readStatus(runPath("stopped"))).toMatchObject({ state: "killed", exit: { exitCode: 130 } });
    expect((await runCommand(TRAINER, ["--resume=runs/rlvae/stopped", "--n_epochs=3"], place.path)).code).toBe(0);
    expect(readStatus(runPath("stopped"))).toMatchObject({ state: "finished", generation: 1 });
    expect(differences(runPath("stopped"), runPath("whole"))).toEqual([]);
  }, TIMEOUT_MS);

  test("after kill -9 at random moments, five runs end with the same bits", async () => {
    const directory = join(place.path, "shots");
    mkdirSync(directory);
    const words = ["--loop_mode=open", "--n_train_samples=24", "--n_val_samples=10", "--batch_size=8", "--disable_local_files", "--wandb_offline", `--pretrained=${bundle}`];
    expect(await killAndResume({ directory, trainer: rlvae(words, 2), runs: 5, seed: 1 })).toStartWith("5 runs killed");
  }, 3 * TIMEOUT_MS);

  test("of a run that was killed behind its last epoch does what was left: models, history, an honest end", async () => {
    const path = runPath("whole");
    const rows = openRun(path).metrics();
    const run = resumeRun(path);
    for (const name of ["encoder.onnx", "decoder.onnx", "metrics_history.json"]) run.removeArtifact(name);
    run.finish("killed");
    expect(await runCommand(TRAINER, ["--resume=runs/rlvae/whole"], place.path)).toMatchObject({ code: 0, stdout: "runs/rlvae/whole\n" });
    expect(readStatus(path)).toMatchObject({ state: "finished", exit: { exitCode: 0 } });
    const view = openRun(path);
    expect(view.artifacts.map(({ name }) => name)).toEqual(expect.arrayContaining(["encoder.onnx", "decoder.onnx", "metrics_history.json"]));
    expect(view.metrics()).toEqual(rows);
    expect(view.verifyArtifacts()).toEqual([]);
  }, TIMEOUT_MS);

  test("refuses what is running on, finished, changed or no run", async () => {
    const refused = async (...words: string[]) => {
      const { code, stderr } = await runCommand(TRAINER, words, place.path);
      return `${code} ${stderr.split("\n")[0]}`;
    };
    expect(await refused("--resume=runs/rlvae/whole")).toBe("3 error: nothing to do: the run has its 3 epochs; raise --n_epochs to go on");
    expect(await refused("--resume=runs/rlvae/whole", "--n_epochs=5", "--batch_size=4")).toStartWith("2 error: --batch_size 4: the run has 8");
    expect(await refused("--resume=runs/rlvae/absent")).toStartWith("1 error: ");
    expect(await refused(`--resume=${place.path}`)).toContain("manifest.json");
  }, TIMEOUT_MS);
});
