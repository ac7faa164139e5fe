// npx -y bun@1.4.5 start
// bun scripts/start.ts --seed 7
// bun scripts/start.ts --output_dir first-runs
//
// The first contact: a small but real clean training on drawn sprites, then what it reached, what it left, what to try next.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { defineCommand, defineFlags, EXIT, formatBytes, formatDuration, parseFlags, renderTable, runCommand, withDefaults } from "@cleanloop/cli";
import { version } from "./package.json" with { type: "json" };
import { trainerFlags } from "./rlvae/trainer_flags.ts";
import type { TrainingResult } from "./train_cyclic_loop_comparison.ts";
import { train } from "./train_cyclic_loop_comparison.ts";

/** Works with and without an installed Bun. */
const BUN = "npx -y bun@1.4.5 run";
const next = [
  ["run_clean_training --loop_mode open", "the whole clean training"],
  ["run_clean_training --loop_mode closed --keep_weights", "a closed loop, weights in the log"],
  ["train_cyclic_loop_comparison --loop_mode open --wandb_offline", "with checkpoints and figure data"],
  ["train_cyclic_loop_comparison --help", "every flag"],
] as const;

const { seed, threads, n_epochs, n_train_samples, n_val_samples, pretrain_steps, output_dir } = trainerFlags;
const HABITS = ["--loop_mode=open", "--wandb_only", "--wandb_offline", "--batch_size=8"];

const startCommand = defineCommand({
  name: "start",
  version,
  summary: "A small but real clean training on drawn sprites, in less than a minute.",
  examples: ["bun scripts/start.ts", "bun scripts/start.ts --seed 7", "bun scripts/start.ts --threads 1 --output_dir first-runs"],
  flags: withDefaults(defineFlags({ seed, threads, n_epochs, n_train_samples, n_val_samples, pretrain_steps, output_dir }), {
    n_epochs: 5,
    n_train_samples: 320,
    n_val_samples: 60,
    pretrain_steps: 200,
  }),
  async run({ flags, signal, print }) {
    const startMs = performance.now();
    const result = await train({ flags: { ...parseFlags(trainerFlags, HABITS), ...flags }, given: new Set(), signal });
    if (result.state === "killed") return;
    print(report(result, performance.now() - startMs));
    return EXIT.done;
  },
});

function report({ rows, tracker }: TrainingResult, durationMs: number): string {
  const columns = ["epoch", "train total", "held-out total", "reconstruction", "loop gap (image)", "steps/s"];
  const keys = ["train/total_loss", "val/total_loss", "val_mean/recon_loss", "val_mean/image_cyclicity", "performance/steps_per_second"];
  const table = renderTable(columns, rows.map((row) => [Number(row.epoch) + 1, ...keys.map((key) => row[key])]));
  const left = tracker === null ? "nothing" : `${tracker} (${formatBytes(directorySizeBytes(tracker))})`;
  return [
    "",
    table,
    "",
    `A Riemannian flow VAE learned to carry unseen characters through a sword stroke from their first frame, in ${formatDuration(durationMs)}.`,
    `The workspace is clean: the run left ${left}, and the pre-training in the cache.`,
    "",
    "Next:",
    ...next.map(([words, what]) => `  ${BUN} ${words.padEnd(64)}${what}`),
  ].join("\n");
}

function directorySizeBytes(directory: string): number {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.reduce((total, entry) => total + statSync(join(entry.parentPath, entry.name)).size, 0);
}

if (import.meta.main) await runCommand(startCommand);
