// A run of allo that was stopped, killed or ended early and is then resumed must end with the bits of one that was not.
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openRun, readStatus, resumeRun } from "@cleanloop/artifacts";
import { differences } from "./compare_runs.ts";
import { emptyWorkplace, runCommand, startCommand, tree } from "./harness.ts";
import { allo, killAndResume } from "./kill9.ts";
import { logContents, logDirectories } from "./tracker_logs.ts";

const TIMEOUT_MS = 60_000;
const place = emptyWorkplace();
afterAll(place.remove);
const at = (name: string) => join(place.path, "runs", "open-4x5", name);

/** A trainer of `steps` steps, its runs named. */
const words = (steps: number, name: string, ...more: string[]) => [...allo(["--no-wandb", ...more], steps).words, `--run_name=${name}`];

/** Starts a run and stops it by `signal` as soon as it has so many records. */
async function stopAfter(records: number, flags: readonly string[], name: string, signal: "SIGINT" | "SIGTERM" = "SIGINT") {
  const child = startCommand("allo", flags, place.path);
  const metrics = join(at(name), "metrics.jsonl");
  const count = () => (existsSync(metrics) ? readFileSync(metrics, "utf8").split("\n").length - 1 : 0);
  while (child.exitCode === null && count() < records) await Bun.sleep(2);
  child.kill(signal);
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { stdout, stderr, code };
}

describe("a run that goes on ends with the same bits", () => {
  const STEPS = 3000;

  test.each([
    ["distinct", []],
    ["rows", ["--evaluation=rows"]],
    ["whole-data", ["--batch_size=0"]],
    ["every-carried-tensor", ["--preset=seed", "--step_size_duals_I=0.1", "--perturbation_type=squared", "--turn_off_above_threshold"]],
  ])("after Ctrl-C: %s", async (name, more: string[]) => {
    expect(await runCommand("allo", words(STEPS, name, ...more), place.path)).toMatchObject({ code: 0, stdout: `runs/open-4x5/${name}\n` });
    const stopped = `stopped-${name}`;
    const { code, stdout, stderr } = await stopAfter(3, words(STEPS, stopped, ...more), stopped);
    expect({ code, stdout }).toEqual({ code: 130, stdout: `runs/open-4x5/${stopped}\n` });
    expect(stderr).toContain(`stopped; --resume runs/open-4x5/${stopped} goes on from here`);
    const view = openRun(at(stopped));
    expect(view.status()).toMatchObject({ state: "killed", exit: { exitCode: 130 } });
    expect(view.verifyArtifacts()).toEqual([]);
    expect(view.artifacts.map(({ name }) => name)).not.toContain("final_learned_eigenvectors.npy");
    const reached = view.artifacts.find(({ name }) => name === view.pointers.last)?.step as number;
    expect(reached).toBeWithin(1, STEPS);
    expect((await runCommand("allo", [`--resume=runs/open-4x5/${stopped}`], place.path)).code).toBe(0);
    expect(readStatus(at(stopped))).toMatchObject({ state: "finished", generation: 1 });
    expect(differences(at(stopped), at(name))).toEqual([]);
  }, TIMEOUT_MS);

  test("after kill -9 at random moments, six times", async () => {
    const directory = join(place.path, "shots");
    mkdirSync(directory);
    expect(await killAndResume({ directory, trainer: allo(["--wandb_offline"], 600), runs: 6, seed: 1 })).toStartWith("6 runs killed");
  }, 2 * TIMEOUT_MS);

  test("of a run that was killed behind its last step does what was left", async () => {
    const path = at("distinct");
    const rows = openRun(path).metrics();
    const run = resumeRun(path);
    for (const name of ["models/encoder.onnx", "final_learned_eigenvectors.npy"]) run.removeArtifact(name);
    run.finish("killed");
    expect(await runCommand("allo", ["--resume=runs/open-4x5/distinct"], place.path)).toMatchObject({ code: 0 });
    const view = openRun(path);
    expect(view.artifacts.map(({ name }) => name)).toEqual(expect.arrayContaining(["models/encoder.onnx", "final_learned_eigenvectors.npy"]));
    expect(view.metrics()).toEqual(rows);
    expect(view.verifyArtifacts()).toEqual([]);
  }, TIMEOUT_MS);

  test("with more steps than planned at first, where the learning rate does not fall", async () => {
    const flat = ["--lr_decay=0"];
    for (const [name, steps] of [["long", 300], ["short", 200]] as const) {
      expect((await runCommand("allo", words(steps, name, ...flat), place.path)).code).toBe(0);
    }
    expect((await runCommand("allo", ["--resume=runs/open-4x5/short", "--num_gradient_steps=300"], place.path)).code).toBe(0);
    expect(differences(at("short"), at("long"))).toEqual([]);
  }, TIMEOUT_MS);
});

test("a run of a named layout file goes on in another directory, told where the file lies", async () => {
  const [home, elsewhere] = ["home", "elsewhere"].map((name) => join(place.path, name));
  for (const directory of [join(home, "layouts"), elsewhere]) mkdirSync(directory, { recursive: true });
  writeFileSync(join(home, "layouts/ell"), "....\n....\n..XX\n..XX\n");
  writeFileSync(join(elsewhere, "other"), "....\n....\n..XX\n.XXX\n");
  const start = [...words(40, "named"), "--env_file_name=ell"].map((word) => (word.startsWith("--env_type=") ? "--env_type=file" : word));
  expect((await runCommand("allo", start, home)).code).toBe(0);
  const resume = (...more: string[]) => runCommand("allo", ["--resume=../home/runs/file/named", "--num_gradient_steps=60", ...more], elsewhere);
  expect((await resume("--env_file=other")).stderr).toContain("other is not the layout that the run was trained on");
  expect((await resume()).stderr).toContain("--env_file_name ell: readLayout: layouts/ell: there is no such file");
  expect(await resume("--env_file=../home/layouts/ell")).toMatchObject({ code: 0, stdout: `${join(home, "runs/file/named")}\n` });
}, TIMEOUT_MS);

test("Ctrl-C while data are collected ends with 130, and nothing was written", async () => {
  const child = startCommand("allo", [...words(100, "early"), "--num_envs=10000000"], place.path);
  const reader = child.stderr.getReader();
  let said = "";
  while (!said.includes("collecting")) said += new TextDecoder().decode((await reader.read()).value);
  child.kill("SIGINT");
  expect(await child.exited).toBe(130);
  expect(await child.stdout.text()).toBe("");
  expect(existsSync(at("early"))).toBe(false);
}, TIMEOUT_MS);

test.each([["standard", []], ["hybrid", ["--disable_local_files"]]])("a finished run that goes on has no model of its shorter self: %s", async (mode, flags: string[]) => {
  const name = `longer-${mode}`;
  expect((await runCommand("allo", words(40, name, ...flags), place.path)).code).toBe(0);
  expect(existsSync(join(at(name), "models/encoder.onnx"))).toBe(true);
  const records = readFileSync(join(at(name), "metrics.jsonl"), "utf8").split("\n").length - 1;
  const { code } = await stopAfter(records + 1, [`--resume=runs/open-4x5/${name}`, "--num_gradient_steps=100000"], name);
  expect(code).toBe(130);
  expect(openRun(at(name)).artifacts.filter(({ kind }) => kind === "model")).toEqual([]);
  expect(existsSync(join(at(name), "models/encoder.onnx"))).toBe(false);
}, TIMEOUT_MS);

test("SIGTERM ends with 143; in a clean mode that keeps its weights they are then in the log", async () => {
  const clean = allo(["--wandb_only", "--wandb_offline", "--keep_weights"], 100_000).words;
  const { code, stdout } = await stopAfter(3, [...clean, "--run_name=clean"], "clean", "SIGTERM");
  expect(code).toBe(143);
  expect(existsSync(at("clean"))).toBe(false);
  const log = join(place.path, stdout.trim());
  expect(tree(log)).toEqual(expect.arrayContaining(["files/encoder.onnx", "files/final_learned_eigenvectors.npy", "files/weights.safetensors"]));
  expect(logContents(log).exitCode).toBe(143);
}, TIMEOUT_MS);

test("a clean run that is killed with -9 leaves its log, and its directory goes when the next clean run of its world starts", async () => {
  const clean = (steps: number) => allo(["--wandb_only", "--wandb_offline"], steps).words;
  const logsBefore = new Set(logDirectories(join(place.path, "runs")));
  const child = startCommand("allo", [...clean(100_000), "--run_name=shot"], place.path);
  while (!existsSync(join(at("shot"), "metrics_history.json"))) await Bun.sleep(5);
  child.kill("SIGKILL");
  await child.exited;
  const [log] = logDirectories(join(place.path, "runs")).filter((directory) => !logsBefore.has(directory));
  expect(logContents(log).exitCode).toBeUndefined();
  const { code, stderr } = await runCommand("allo", [...clean(20), "--run_name=next"], place.path);
  expect(stderr).toContain("removed runs/open-4x5/shot, a clean run that was killed");
  expect(code).toBe(0);
  expect(existsSync(at("shot"))).toBe(false);
}, TIMEOUT_MS);

test("what cannot be resumed is refused: finished, changed, of another command, no run", async () => {
  const refused = async (...flags: string[]) => {
    const { code, stderr } = await runCommand("allo", flags, place.path);
    return `${code} ${stderr.split("\n")[0]}`;
  };
  expect((await runCommand("allo", words(40, "done"), place.path)).code).toBe(0);
  expect(await refused("--resume=runs/open-4x5/done")).toBe("3 error: nothing to do: the run has its 40 steps; raise --num_gradient_steps to go on");
  expect(await refused("--resume=runs/open-4x5/done", "--num_gradient_steps=30")).toStartWith("2 error: --num_gradient_steps 30: the run has done 40 steps already");
  expect(await refused("--resume=runs/open-4x5/done", "--num_gradient_steps=50", "--batch_size=7")).toStartWith("2 error: --batch_size 7: the run has 64");
  expect(await refused("--resume=runs/open-4x5/absent")).toStartWith("1 error: ");
  expect(await refused(`--resume=${place.path}`)).toContain("manifest.json");
  const { code, stderr } = await runCommand("train_cyclic_loop_comparison", ["--resume=runs/open-4x5/done"], place.path);
  expect(`${code} ${stderr.split("\n")[0]}`).toBe(
    "2 error: --resume runs/open-4x5/done: this run was made by allo, not by train_cyclic_loop_comparison; give one of train_cyclic_loop_comparison",
  );
}, TIMEOUT_MS);
