// A run that was stopped, killed or simply ended early and is then resumed must end with the bits of one that was not.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openRun, readCheckpoint, readStatus } from "@cleanloop/artifacts";
import { killAndResume } from "./kill9.ts";
import { emptyWorkplace, runCommand, startCommand } from "./harness.ts";

const TRAINER = "train_cyclic_loop_comparison";
const SMALL = ["--loop_mode=open", "--n_train_samples=40", "--n_val_samples=10", "--batch_size=8", "--no-wandb", "--disable_local_files"];
const TIMEOUT_MS = 120_000;

const place = emptyWorkplace();
const bundle = join(place.path, "bundle");
const flags = (...more: string[]) => [...SMALL, `--pretrained=${bundle}`, ...more];
const runPath = (name: string) => join(place.path, "runs", "rlvae", name);

/** Everything that must not depend on interruptions: the last checkpoint, and the metrics without their timings. */
function essence(directory: string) {
  const run = openRun(directory);
  const { tensors, state } = readCheckpoint(run.pointerPath("last") as string);
  const metrics = run.metrics().map((row) => Object.entries(row).filter(([key]) => !/^(performance|system)\//.test(key)));
  const { config: _config, ...position } = state;
  return { tensors, position, metrics };
}

function expectEqualRuns(name: string): void {
  const got = essence(runPath(name));
  const wanted = essence(runPath("whole"));
  expect(got.metrics).toEqual(wanted.metrics);
  expect(got.position).toEqual(wanted.position);
  expect(Object.keys(got.tensors)).toEqual(Object.keys(wanted.tensors));
  for (const [name, { data }] of Object.entries(wanted.tensors)) {
    const bytes = (array: ArrayBufferView) => Buffer.from(array.buffer, array.byteOffset, array.byteLength);
    expect(bytes(got.tensors[name].data).equals(bytes(data)), name).toBe(true);
  }
}

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
    expectEqualRuns("stopped");
  }, TIMEOUT_MS);

  test("after five kill -9 at random moments ends with the same bits", async () => {
    await killAndResume({ directory: place.path, words: flags("--n_epochs=3", "--run_name=shot"), run: "runs/rlvae/shot", kills: 5, seed: 1 });
    expectEqualRuns("shot");
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
