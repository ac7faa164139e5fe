// The run directory and the tracker's log at their end: what must not be lost, and what resumed and later runs find.
import { afterAll, afterEach, describe, expect, setSystemTime, spyOn, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openRun, readStatus } from "@cleanloop/artifacts";
import { givenFlags, parseFlags } from "@cleanloop/cli";
import { logRecord, readLog } from "@cleanloop/wandb";
import { outputPolicy } from "../../scripts/shared/output_policy.ts";
import type { RunOutputs } from "../../scripts/shared/run_outputs.ts";
import { openOutputs } from "../../scripts/shared/run_outputs.ts";
import { outputsRequest } from "../../scripts/rlvae/outputs.ts";
import { openRlvaeRun, resumedFlags, runSettings } from "../../scripts/rlvae/settings.ts";
import { trainerFlags } from "../../scripts/rlvae/trainer_flags.ts";

const place = mkdtempSync(join(tmpdir(), "cleanloop-outputs-"));
afterAll(() => rmSync(place, { recursive: true }));
afterEach(() => void setSystemTime());

let count = 0;
const newRoot = () => join(place, `root-${count++}`);
const CLEAN = ["--wandb_only", "--wandb_offline"];
const DONE = { exitCode: 0 };
const best = { pointers: ["best", "last"] } as const;

function open(root: string, ...words: string[]) {
  const settings = runSettings(parseFlags(trainerFlags, ["--loop_mode=open", `--output_dir=${root}`, ...words]));
  return openOutputs(outputsRequest({ settings, policy: outputPolicy(settings.flags), saved: undefined, dataFingerprint: "f", facts: {} }));
}

function resume(directory: string, ...words: string[]) {
  const saved = openRlvaeRun(directory);
  const settings = runSettings(resumedFlags(saved, parseFlags(trainerFlags, words), givenFlags(trainerFlags, words)));
  return openOutputs(outputsRequest({ settings, policy: outputPolicy(settings.flags), saved, dataFingerprint: "f", facts: {} }));
}

/** The records of the one log below `root`. */
function records(root: string) {
  const [directory] = readdirSync(join(root, "wandb"));
  const name = readdirSync(join(root, "wandb", directory)).find((file) => file.endsWith(".wandb")) as string;
  return readLog(readFileSync(join(root, "wandb", directory, name))).map(({ payload }) => logRecord.decode(payload));
}

/** Makes a run's recorded owner a process that has ended, and lets go of this process's terminal. */
async function pretendDead({ run, tracker }: RunOutputs): Promise<void> {
  const dead = Bun.spawn(["true"]);
  await dead.exited;
  await tracker.finish(137);
  const path = join(run.path, "status.json");
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), pid: dead.pid }));
}

describe("what was to be kept in the log and is not there", () => {
  test("keeps the run directory, with the reason, when the log was deleted", async () => {
    const root = newRoot();
    const { run, tracker, saveInTracker, close } = await open(root, ...CLEAN, "--keep_weights");
    await run.writeArtifact("checkpoints/a", "checkpoint", "weights", best);
    unlinkSync(join(tracker.directory as string, `run-${tracker.id}.wandb`));
    saveInTracker({ name: "weights.safetensors", bytes: new Uint8Array(4) });
    await expect(close("finished", DONE)).rejects.toThrow(/log is not complete: .*deleted.*what the run wrote is kept in .*rlvae/);
    expect(readStatus(run.path)).toMatchObject({ state: "failed", exit: { exitCode: 1 } });
    expect(readFileSync(join(run.path, "checkpoints/a"), "utf8")).toBe("weights");
    await close("finished", DONE); // a second call changes nothing
    expect(existsSync(run.path)).toBe(true);
  });

  test("also when no weights were asked for: the metrics are all there is", async () => {
    const { run, tracker, close } = await open(newRoot(), ...CLEAN);
    run.appendMetrics({ epoch: 0 });
    unlinkSync(join(tracker.directory as string, `run-${tracker.id}.wandb`));
    await expect(close("finished", DONE)).rejects.toThrow("log is not complete");
    expect(openRun(run.path).metrics()).toEqual([{ epoch: 0 }]);
  });

  test("keeps the best weights of a run that failed before they reached the log", async () => {
    const { run, close } = await open(newRoot(), ...CLEAN, "--keep_weights");
    await run.writeArtifact("checkpoints/a", "checkpoint", "weights", best);
    expect(await close("failed", { exitCode: 1, message: "no space" })).toMatchObject({ run: expect.stringContaining("rlvae") });
    expect(readStatus(run.path)).toMatchObject({ state: "failed", exit: { message: "no space" } });
  });

  test("a whole log lets the directory go", async () => {
    const root = newRoot();
    const { run, saveInTracker, close } = await open(root, ...CLEAN, "--keep_weights");
    await run.writeArtifact("checkpoints/a", "checkpoint", "weights", best);
    saveInTracker({ name: "weights.safetensors", bytes: new Uint8Array(4) });
    expect(await close("finished", DONE)).toMatchObject({ run: null });
    expect(readdirSync(root)).toEqual(["wandb"]);
  });
});

test("a discarded run names the file that somebody else changed, and leaves it", async () => {
  using stderr = spyOn(process.stderr, "write");
  const { run, close } = await open(newRoot(), ...CLEAN);
  await run.writeArtifact("metric.safetensors", "metric", "ours");
  writeFileSync(join(run.path, "metric.safetensors"), "theirs");
  await close("finished", DONE);
  expect(stderr.mock.calls.map(([text]) => String(text)).join("")).toMatch(/stays: somebody else changed metric\.safetensors$/m);
  expect(readdirSync(run.path)).toEqual(["metric.safetensors"]);
});

test("metrics_history.json that cannot be written makes the run a failed one, in its status and in the log", async () => {
  const root = newRoot();
  const { run, close } = await open(root, "--wandb_offline");
  mkdirSync(join(run.path, "metrics_history.json"));
  await expect(close("finished", DONE)).rejects.toThrow("metrics_history.json");
  expect(readStatus(run.path)).toMatchObject({ state: "failed", exit: { exitCode: 1 } });
  expect(records(root).find(({ exit }) => exit)?.exit?.exitCode).toBe(1);
});

test("a heartbeat that cannot be written stops nothing", async () => {
  const { run, heartbeat } = await open(newRoot(), "--no-wandb");
  rmSync(run.path, { recursive: true });
  setSystemTime(Date.now() + 60_000);
  expect(() => run.heartbeat()).toThrow("cannot write");
  expect(() => heartbeat({ epoch: 1 })).not.toThrow();
});

describe("a resumed run", () => {
  test("remembers what it was given anew, and stays in its project", async () => {
    const first = await open(newRoot(), "--n_epochs=50", "--no-wandb");
    await first.close("killed", { exitCode: 130 });
    const second = await resume(first.run.path, `--resume=${first.run.path}`, "--n_epochs=60", "--threads=1");
    await second.close("killed", { exitCode: 130 });
    const { flags } = openRlvaeRun(first.run.path);
    expect(flags).toMatchObject({ n_epochs: 60, threads: 1, wandb_project: "cyclic-loop-mode-comparison" });
    expect(flags.resume).toBeUndefined();
    expect(openRun(first.run.path).verifyArtifacts()).toEqual([]);
  });

  test("writes where its directory lies now, not where it was once started", async () => {
    const first = await open(newRoot(), "--wandb_offline");
    await first.close("killed", { exitCode: 130 });
    const path = join(first.run.path, "args.json");
    const args = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...args, output_dir: "somewhere/else" }));
    const second = await resume(first.run.path, `--resume=${first.run.path}`);
    await second.close("killed", { exitCode: 130 });
    expect(dirname(dirname(second.tracker.directory as string))).toBe(dirname(dirname(first.run.path)));
  });

  test("that another process runs is refused", async () => {
    const { run, close } = await open(newRoot(), "--no-wandb");
    await expect(resume(run.path, `--resume=${run.path}`)).rejects.toThrow("belongs to process");
    await close("finished", DONE);
  });
});

describe("a clean run that was killed", () => {
  test("is removed by the next clean run of the same output directory", async () => {
    const root = newRoot();
    const dead = await open(root, ...CLEAN, "--run_name=dead");
    await pretendDead(dead);
    const next = await open(root, ...CLEAN);
    expect(existsSync(dead.run.path)).toBe(false);
    expect(existsSync(next.run.path)).toBe(true);
    await next.close("finished", DONE);
    expect(readdirSync(root)).toEqual(["wandb"]);
  });

  test.each([["alive", [...CLEAN]], ["of a mode that keeps its directory", ["--wandb_offline"]], ["with weights to keep", [...CLEAN, "--keep_weights"]]])(
    "stays when it is %s",
    async (what: string, words: string[]) => {
      const root = newRoot();
      const other = await open(root, ...words);
      if (what !== "alive") await pretendDead(other);
      const next = await open(root, ...CLEAN);
      expect(existsSync(other.run.path)).toBe(true);
      await next.close("finished", DONE);
      await other.close("finished", DONE);
    },
  );

  test("can be resumed in the clean mode, which does not take it for dead", async () => {
    const dead = await open(newRoot(), ...CLEAN);
    await pretendDead(dead);
    const again = await resume(dead.run.path, `--resume=${dead.run.path}`);
    expect(again.run.path).toBe(dead.run.path);
    expect(await again.close("finished", DONE)).toMatchObject({ run: null });
  });
});
