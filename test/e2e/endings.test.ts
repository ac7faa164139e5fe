// Runs that do not end as planned: a full disk, a lost log, a missed target, a signal at a bad moment. Nothing is lost silently.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { ndarray, openRun, readStatus, writeSafetensors } from "@cleanloop/artifacts";
import type { CommandResult } from "./harness.ts";
import { emptyWorkplace, runCommand, startCommand, tree } from "./harness.ts";
import { logContents, logDirectories, logFile } from "./tracker_logs.ts";

const TRAINER = "train_cyclic_loop_comparison";
const CLEAN = ["--wandb_only", "--wandb_offline"];
const TIMEOUT_MS = 120_000;

const place = emptyWorkplace();
afterAll(place.remove);
const bundle = join(place.path, "bundle");
const runs = join(place.path, "runs");
const runPath = (name: string) => join(runs, "rlvae", name);
const lastLog = () => logDirectories(runs).at(-1) as string;
const small = (...more: string[]) => ["--loop_mode=open", "--n_train_samples=10", "--n_val_samples=5", "--batch_size=5", `--pretrained=${bundle}`, ...more];
const leftovers = () => tree(runs).filter((path) => path.includes(".tmp-"));

/** Starts the trainer and waits for its second row of metrics: the first one is then in the tracker's log too. */
async function startTraining(name: string, ...words: string[]) {
  const child = startCommand(TRAINER, small(`--run_name=${name}`, "--n_epochs=1000", ...words), place.path);
  const metrics = join(runPath(name), "metrics.jsonl");
  const rowCount = () => (existsSync(metrics) ? readFileSync(metrics, "utf8").split("\n").length - 1 : 0);
  while (child.exitCode === null && rowCount() < 2) await Bun.sleep(5);
  return child;
}

/** Runs the trainer where no file may grow beyond `limitKib`: the failed write of a full disk, without a mount. */
async function runOnFullDisk(limitKib: number, words: readonly string[]): Promise<CommandResult> {
  const script = `ulimit -f ${limitKib}; exec "${process.execPath}" "$@"`;
  const path = join(import.meta.dir, "..", "..", "scripts", `${TRAINER}.ts`);
  const child = Bun.spawn(["bash", "-c", script, "bash", path, ...words], { cwd: place.path, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { stdout, stderr, code };
}

beforeAll(async () => {
  const words = ["--n_train_samples=10", "--n_val_samples=5", "--pretrain_steps=5", `--out=${bundle}`];
  expect((await runCommand("pretrain_vae", words, place.path)).code).toBe(0);
}, TIMEOUT_MS);

describe("a clean run whose log is lost", () => {
  test("because somebody deletes it keeps its checkpoints, says where, and ends with 1", async () => {
    const child = await startTraining("lost", ...CLEAN, "--keep_weights");
    unlinkSync(logFile(lastLog()) as string);
    while (openRun(runPath("lost")).pointers.best === undefined) await Bun.sleep(5);
    child.kill("SIGINT");
    const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^error: the tracker's log is not complete: .*deleted.*; what the run wrote is kept in runs\/rlvae\/lost$/m);
    const view = openRun(runPath("lost"));
    expect(view.status()).toMatchObject({ state: "failed", exit: { exitCode: 1 } });
    expect(existsSync(view.pointerPath("best") as string)).toBe(true);
    expect(view.verifyArtifacts()).toEqual([]);
  }, TIMEOUT_MS);

  test("because the disk is full keeps its metrics", async () => {
    const metric = join(place.path, "metric.safetensors"); // small, so that the log is the first file to reach the limit
    await writeSafetensors(metric, {
      centroids: ndarray([2, 16], new Float32Array(32).fill(1, 16)),
      M_matrices: ndarray([2, 16], new Float32Array(32).fill(1)),
      temperature: ndarray([1], Float32Array.of(1)),
    });
    const { code, stderr } = await runOnFullDisk(12, small(...CLEAN, `--metric=${metric}`, "--n_epochs=3", "--run_name=thirsty"));
    expect(stderr).toMatch(/^error: the tracker's log is not complete: .*kept in runs\/rlvae\/thirsty$/m);
    expect(code).toBe(1);
    expect(openRun(runPath("thirsty")).metrics()).toHaveLength(3);
  }, TIMEOUT_MS);
});

test("a disk that is full at the first checkpoint ends the run with one line, recorded in status and log", async () => {
  const { code, stderr, stdout } = await runOnFullDisk(100_000, small("--wandb_offline", "--n_epochs=1", "--run_name=full"));
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^error: cannot write .*checkpoints.*largest file size/m);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(readStatus(runPath("full"))).toMatchObject({ state: "failed", exit: { exitCode: 1 } });
  expect(logContents(lastLog()).exitCode).toBe(1);
  expect(leftovers()).toEqual([]);
}, TIMEOUT_MS);

test("a missed target is a failure in the exit code, the status and the log, also when the run is resumed", async () => {
  const missed = /^error: the best validation total is .*, above --target_val_total 1$/m;
  const first = await runCommand(TRAINER, small("--wandb_offline", "--n_epochs=1", "--run_name=gate", "--target_val_total=1"), place.path);
  expect(first.stderr).toMatch(missed);
  expect(first).toMatchObject({ code: 1, stdout: "runs/rlvae/gate\n" });
  expect(readStatus(runPath("gate"))).toMatchObject({ state: "failed", exit: { exitCode: 1, message: expect.stringContaining("--target_val_total") } });
  expect(logContents(lastLog()).exitCode).toBe(1);
  const again = await runCommand(TRAINER, ["--resume=runs/rlvae/gate"], place.path);
  expect(again.stderr).toMatch(missed);
  expect(again.code).toBe(1);
  expect(await runCommand(TRAINER, ["--resume=runs/rlvae/gate", "--target_val_total=1e9"], place.path)).toMatchObject({ code: 0 });
  expect(readStatus(runPath("gate"))).toMatchObject({ state: "finished" });
}, TIMEOUT_MS);

test("a clean run that is killed with -9 leaves its log, and its directory goes when the next clean run starts", async () => {
  const child = await startTraining("shot", ...CLEAN);
  child.kill("SIGKILL");
  await child.exited;
  expect(readStatus(runPath("shot")).state).toBe("killed");
  const { history, exitCode } = logContents(lastLog());
  expect(history.length).toBeGreaterThanOrEqual(1);
  expect(exitCode).toBeUndefined();
  const { code, stderr } = await runCommand(TRAINER, small(...CLEAN, "--n_epochs=1", "--run_name=next"), place.path);
  expect(stderr).toContain("removed runs/rlvae/shot, a clean run that was killed");
  expect(code).toBe(0);
  expect(existsSync(runPath("shot"))).toBe(false);
}, TIMEOUT_MS);

test("Ctrl-C during the pre-training ends with 130 and leaves nothing half made", async () => {
  const words = ["--loop_mode=open", "--n_train_samples=10", "--n_val_samples=5", "--batch_size=5", "--pretrain_steps=100000", "--no-wandb", "--run_name=early"];
  const child = startCommand(TRAINER, words, place.path);
  while (!existsSync(join(runPath("early"), "manifest.json"))) await Bun.sleep(5);
  await Bun.sleep(1500); // the step is compiled and runs; earlier or later, the outcome has to be the same
  child.kill("SIGINT");
  expect(await child.exited).toBe(130);
  expect(readStatus(runPath("early"))).toMatchObject({ state: "killed", exit: { exitCode: 130 } });
  expect(existsSync(join(runs, "cache"))).toBe(false);
  expect(leftovers()).toEqual([]);
}, TIMEOUT_MS);
