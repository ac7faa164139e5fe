// bun test/e2e/kill9.ts --kills 50
//
// Kills a training run with SIGKILL at random moments, and resumes it, until it has been killed so often; after every kill
// the directory must open, its status must be honest and every listed file must be whole. The last resume runs to the end.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openRun, readStatus } from "@cleanloop/artifacts";
import { defineCommand, defineFlags, FailedError, runCommand } from "@cleanloop/cli";
import { Random } from "@cleanloop/data";
import { emptyWorkplace, runCommand as runScript, startCommand } from "./harness.ts";

const TRAINER = "train_cyclic_loop_comparison";
/** Half of the kills fall into this time after the start: loading, pre-training, compiling. */
const START_MS = 3000;
/** The others into this time after a new row of metrics: writing a checkpoint, then the next epoch. */
const EPOCH_MS = 600;

interface KillOptions {
  /** Working directory of the command. */
  directory: string;
  /** Flags of the run. */
  words: readonly string[];
  /** Its run directory, relative to `directory`. */
  run: string;
  kills: number;
  seed: number;
}

/** Throws FailedError at the first thing that is not as it should be; returns what was met, for a summary line. */
export async function killAndResume({ directory, words, run, kills, seed }: KillOptions): Promise<string> {
  const random = new Random(seed);
  const path = join(directory, run);
  const met = { beforeTheRun: 0, beforeACheckpoint: 0, after: 0, ended: 0 };
  for (let kill = 0; kill < kills; kill++) {
    const isThere = existsSync(join(path, "manifest.json"));
    const child = startCommand(TRAINER, isThere ? [`--resume=${run}`] : words, directory);
    if (kill % 2 === 0) await Bun.sleep(random.uniform() * START_MS);
    else await newMetrics(join(path, "metrics.jsonl"), child.exited).then(() => Bun.sleep(random.uniform() * EPOCH_MS));
    child.kill("SIGKILL");
    await child.exited;
    if (!existsSync(join(path, "manifest.json"))) {
      met.beforeTheRun++;
      continue;
    }
    const view = openRun(path);
    const { state } = readStatus(path);
    const problems = view.verifyArtifacts();
    if (state !== "killed" && state !== "finished") throw new FailedError(`after kill ${kill + 1} the status is ${state}`);
    if (problems.length > 0) throw new FailedError(`after kill ${kill + 1}: ${problems[0].message}`);
    view.metrics().forEach(({ epoch }, index) => {
      if (epoch !== index) throw new FailedError(`after kill ${kill + 1} row ${index} of the metrics is of epoch ${String(epoch)}`);
    });
    if (state === "finished") met.ended++;
    else if (view.pointers.last === undefined) met.beforeACheckpoint++;
    else met.after++;
  }
  const isThere = existsSync(join(path, "manifest.json"));
  const { code, stderr } = await runScript(TRAINER, isThere ? [`--resume=${run}`] : words, directory);
  const hadEnded = code === 3 && stderr.includes("nothing to do");
  if (code !== 0 && !hadEnded) throw new FailedError(`the last resume ended with ${code}: ${stderr}`);
  return `${kills} kills: ${met.beforeTheRun} before the run existed, ${met.beforeACheckpoint} before a checkpoint, ${met.after} after one, ${met.ended} after the end; resumed to the end`;
}

/** Waits until the file has grown by a line, or the process has ended. */
async function newMetrics(path: string, exited: Promise<number>): Promise<void> {
  const lines = () => (existsSync(path) ? readFileSync(path, "utf8").split("\n").length : 0);
  const before = lines();
  let hasEnded = false;
  void exited.then(() => (hasEnded = true));
  while (!hasEnded && lines() <= Math.max(1, before)) await Bun.sleep(5);
}

const command = defineCommand({
  name: "kill9",
  version: "1",
  summary: "Kills and resumes a training run many times.",
  examples: ["bun test/e2e/kill9.ts", "bun test/e2e/kill9.ts --kills 50", "bun test/e2e/kill9.ts --seed 3"],
  flags: defineFlags({
    kills: { type: "integer", min: 1, default: 10, description: "How often." },
    seed: { type: "integer", min: 0, default: 0, description: "Decides the moments." },
  }),
  async run({ flags, print }) {
    const place = emptyWorkplace();
    try {
      const words = [
        "--loop_mode=open", "--n_epochs=40", "--n_train_samples=80", "--n_val_samples=10", "--batch_size=8", "--pretrain_steps=20",
        "--wandb_offline", "--run_name=shot",
      ];
      print(await killAndResume({ directory: place.path, words, run: "runs/rlvae/shot", kills: flags.kills, seed: flags.seed }));
    } finally {
      place.remove();
    }
  },
});

if (import.meta.main) await runCommand(command);
