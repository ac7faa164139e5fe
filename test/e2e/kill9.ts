// bun test/e2e/kill9.ts --runs 50
// bun test/e2e/kill9.ts --trainer allo --runs 50
//
// Kills run after run with SIGKILL at a random moment. After the kill the directory must open, its status must be honest, every
// listed file and every record of the tracker's log whole; resumed, it must finish with the bits of a run that was never killed.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openRun } from "@cleanloop/artifacts";
import { defineCommand, defineFlags, FailedError, runCommand } from "@cleanloop/cli";
import { Random } from "@cleanloop/data";
import { differences } from "./compare_runs.ts";
import { emptyWorkplace, runCommand as runScript, startCommand } from "./harness.ts";
import { logContents, logDirectories, logFile } from "./tracker_logs.ts";

/** A training command and how its runs look. */
export interface Trainer {
  command: string;
  /** Its runs lie in here, below the output directory. */
  group: string;
  /** Flags of every run, but its name. */
  words: readonly string[];
  /** The number that each row of the metrics has under `stepKey`, of a whole run. */
  rows: readonly number[];
  stepKey: string;
  /** A key that every row of the metrics has, and no other row of the tracker's log. */
  rowKey: string;
  /** Step of the last checkpoint. */
  end: number;
  /** Files of a finished run. */
  results: readonly string[];
}

interface KillOptions {
  /** Working directory of the commands. */
  directory: string;
  trainer: Trainer;
  runs: number;
  seed: number;
}

/** The RlVAE trainer with so many epochs. */
export function rlvae(words: readonly string[], epochs: number): Trainer {
  return {
    command: "train_cyclic_loop_comparison",
    group: "rlvae",
    words: [...words, `--n_epochs=${epochs}`],
    rows: Array.from({ length: epochs }, (_, epoch) => epoch),
    stepKey: "epoch",
    rowKey: "train/total_loss",
    end: epochs,
    results: ["encoder.onnx", "decoder.onnx", "metrics_history.json"],
  };
}

/** ALLO with so many steps in a small open room; `words` replace what is small here. */
export function allo(words: readonly string[], steps: number): Trainer {
  const logFreq = 20;
  const small = [
    "--env_type=open:4x5", "--num_eigenvectors=4", "--hidden_dim=16", "--num_steps=50", "--batch_size=64",
    `--num_gradient_steps=${steps}`, `--log_freq=${logFreq}`, "--plot_freq=150", "--save_freq=110",
  ];
  const isGiven = (word: string) => words.some((other) => other.split("=")[0] === word.split("=")[0]);
  return {
    command: "allo",
    group: "open-4x5",
    words: [...small.filter((word) => !isGiven(word)), ...words],
    rows: [...Array.from({ length: Math.ceil(steps / logFreq) }, (_, i) => i * logFreq), ...((steps - 1) % logFreq === 0 ? [] : [steps - 1])],
    stepKey: "gradient_step",
    rowKey: "lagrangian",
    end: steps,
    results: [`learned_eigenvectors_step_${steps}.npy`, "final_learned_eigenvectors.npy", "models/final_model.safetensors", "models/encoder.onnx"],
  };
}

/**
 * A third of the kills fall anywhere into the run, a third into the checkpoint and the steps behind its first row of metrics, a
 * third into what follows its last row: checkpoint, models, the end. Throws FailedError at the first thing that is not as it
 * should be; returns what was met, for a summary line.
 */
export async function killAndResume({ directory, trainer, runs, seed }: KillOptions): Promise<string> {
  const { command, group, words, rows } = trainer;
  const random = new Random(seed);
  const whole = join(directory, "runs", group, "whole");
  const startMs = performance.now();
  const reference = startCommand(command, [...words, "--run_name=whole"], directory);
  await metricsRows(join(whole, "metrics.jsonl"), rows.length, reference.exited);
  const lastRowMs = performance.now();
  const code = await reference.exited;
  if (code !== 0) throw new FailedError(`the run without a kill ended with ${code}: ${await reference.stderr.text()}`);
  const [durationMs, closingMs] = [performance.now() - startMs, performance.now() - lastRowMs];
  const met = { beforeTheRun: 0, beforeACheckpoint: 0, betweenCheckpoints: 0, inTheClosingPart: 0, ended: 0 };

  for (let number = 1; number <= runs; number++) {
    const name = `shot-${number}`;
    const run = join("runs", group, name);
    const path = join(directory, run);
    const logsBefore = new Set(logDirectories(join(directory, "runs")));
    const child = startCommand(command, [...words, `--run_name=${name}`], directory);
    if (number % 3 === 0) await Bun.sleep(random.uniform() * durationMs);
    else {
      await metricsRows(join(path, "metrics.jsonl"), number % 3 === 1 ? rows.length : 1, child.exited);
      await Bun.sleep(random.uniform() * closingMs);
    }
    child.kill("SIGKILL");
    await child.exited;

    const newLogs = logDirectories(join(directory, "runs")).filter((log) => !logsBefore.has(log));
    const moment = existsSync(path) ? checkKilled(path, newLogs, trainer) : "beforeTheRun";
    met[moment]++;
    const { code, stderr } = await runScript(command, moment === "beforeTheRun" ? [...words, `--run_name=${name}`] : [`--resume=${run}`], directory);
    if (code !== (moment === "ended" ? 3 : 0)) throw new FailedError(`${name}, killed ${moment}: the resumed run ended with ${code}: ${stderr}`);
    checkFinished(path, whole, trainer);
    rmSync(path, { recursive: true }); // they may be large
  }
  rmSync(whole, { recursive: true });
  return `${runs} runs killed: ${Object.entries(met).map(([moment, count]) => `${count} ${moment}`).join(", ")}; all resumed to the same bits`;
}

/** The directory, the status and the log right after the kill; says how far the run was. */
function checkKilled(path: string, logs: readonly string[], { rows, stepKey, rowKey, end }: Trainer) {
  const view = openRun(path);
  const { state } = view.status();
  if (state !== "killed" && state !== "finished") throw new FailedError(`${path}: the status after a kill is ${state}`);
  requireWhole(path);
  const metrics = view.metrics();
  metrics.forEach((row, index) => {
    if (row[stepKey] !== rows[index]) throw new FailedError(`${path}: row ${index} of the metrics is of ${stepKey} ${String(row[stepKey])}`);
  });
  for (const log of logs) {
    if (logFile(log) === undefined) continue; // killed before it began
    const { history, numbers } = logContents(log);
    if (numbers.some((number, index) => number !== index + 1)) throw new FailedError(`${log}: the records are not numbered 1, 2, 3`);
    const logged = history.filter((row) => rowKey in row).length;
    const missing = metrics.length - logged; // a row goes into the metrics first
    if (missing !== 0 && missing !== 1) throw new FailedError(`${log}: ${logged} rows, the metrics have ${metrics.length}`);
  }
  if (state === "finished") return "ended";
  const reached = view.artifacts.find(({ name }) => name === view.pointers.last)?.step ?? 0;
  return view.pointers.last === undefined ? "beforeACheckpoint" : reached < end ? "betweenCheckpoints" : "inTheClosingPart";
}

function checkFinished(path: string, whole: string, { results }: Trainer): void {
  const view = openRun(path);
  const { state } = view.status();
  if (state !== "finished") throw new FailedError(`${path}: the status of the resumed run is ${state}`);
  requireWhole(path);
  for (const name of results) view.artifactPath(name);
  const [difference] = differences(path, whole);
  if (difference) throw new FailedError(`${path} is not the run that was never killed: ${difference}`);
}

function requireWhole(path: string): void {
  const [problem] = openRun(path).verifyArtifacts();
  if (problem) throw new FailedError(problem.message);
}

/** Waits until the file has so many lines, or the process has ended. */
async function metricsRows(path: string, count: number, exited: Promise<number>): Promise<void> {
  let hasEnded = false;
  void exited.then(() => (hasEnded = true));
  while (!hasEnded && !(existsSync(path) && readFileSync(path, "utf8").split("\n").length > count)) await Bun.sleep(5);
}

const TRAINERS = {
  rlvae: () => rlvae(["--loop_mode=open", "--n_train_samples=80", "--n_val_samples=10", "--batch_size=8", "--pretrain_steps=20", "--wandb_offline"], 3),
  allo: () => allo(["--wandb_offline"], 1000),
};

const command = defineCommand({
  name: "kill9",
  version: "1",
  summary: "Kills training runs at random moments and resumes each to its end.",
  examples: ["bun test/e2e/kill9.ts", "bun test/e2e/kill9.ts --runs 50", "bun test/e2e/kill9.ts --trainer allo --seed 3"],
  flags: defineFlags({
    trainer: { type: "enum", values: ["rlvae", "allo"], default: "rlvae", description: "Whose runs." },
    runs: { type: "integer", min: 1, default: 10, description: "How many runs." },
    seed: { type: "integer", min: 0, default: 0, description: "Decides the moments." },
  }),
  async run({ flags, print }) {
    const place = emptyWorkplace();
    try {
      print(await killAndResume({ directory: place.path, trainer: TRAINERS[flags.trainer](), runs: flags.runs, seed: flags.seed }));
    } finally {
      place.remove();
    }
  },
});

if (import.meta.main) await runCommand(command);
