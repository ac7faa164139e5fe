// bun scripts/run_clean_training.ts --loop_mode open
// bun scripts/run_clean_training.ts --loop_mode closed --n_epochs 25 --n_train_samples 3000 --data data/sprites --n_val_samples 600
// bun scripts/run_clean_training.ts --loop_mode open --no-wandb_only --threads 1
//
// The trainer with clean habits: one tracker log is all that stays. Every trainer flag passes through, and each habit can be
// switched off by its --no- form. Same process, same exit code.
import { defineCommand, runCommand, withDefaults } from "@cleanloop/cli";
import { version } from "./package.json" with { type: "json" };
import { trainerFlags } from "./rlvae/trainer_flags.ts";
import { trainCommand } from "./train_cyclic_loop_comparison.ts";

const cleanFlags = withDefaults(trainerFlags, {
  wandb_only: true,
  wandb_offline: true,
  disable_curvature_during_training: true,
  n_epochs: 10,
  n_train_samples: 1000,
  batch_size: 8,
  visualization_frequency: 5,
});

export const cleanCommand = defineCommand({
  name: "run_clean_training",
  version,
  summary: "Trains the Riemannian flow VAE and leaves nothing behind but the tracker's log.",
  examples: [
    "bun scripts/run_clean_training.ts --loop_mode open",
    "bun scripts/run_clean_training.ts --loop_mode closed --n_epochs 25 --keep_weights",
    "bun scripts/run_clean_training.ts --loop_mode open --no-wandb_only --disable_local_files",
  ],
  flags: cleanFlags,
  run: (context) => trainCommand.run(context),
});

if (import.meta.main) await runCommand(cleanCommand);
