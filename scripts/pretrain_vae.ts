// bun scripts/pretrain_vae.ts
// bun scripts/pretrain_vae.ts --data data/sprites --n_train_samples 3000 --n_val_samples 600 --pretrain_steps 4000
// bun scripts/pretrain_vae.ts --out runs/bundle-a --seed 1 --json
//
// Pre-trains encoder and decoder as a plain VAE on single frames, then builds the Riemannian metric from its posteriors
// (k-medoids of the means; both scalings). The trainer does this by itself and keeps the result in runs/cache.
import { existsSync } from "node:fs";
import { defineCommand, defineFlags, RefusedError, runCommand } from "@cleanloop/cli";
import { version } from "./package.json" with { type: "json" };
import { trainerFlags } from "./rlvae/trainer_flags.ts";

const { data, n_train_samples, n_val_samples, seed, pretrain_steps, engine, device, threads, output_dir, json } = trainerFlags;

const pretrainCommand = defineCommand({
  name: "pretrain_vae",
  version,
  summary: "Pre-trains encoder and decoder on single frames and builds the metric from their posteriors.",
  examples: [
    "bun scripts/pretrain_vae.ts",
    "bun scripts/pretrain_vae.ts --data data/sprites --n_train_samples 3000 --n_val_samples 600",
    "bun scripts/pretrain_vae.ts --out runs/bundle-a --seed 1 --json",
  ],
  flags: defineFlags({
    data, n_train_samples, n_val_samples, seed, pretrain_steps, engine, device, threads, output_dir, json,
    out: { type: "string", valueName: "directory", heading: "Output", description: "A new directory for the bundle, instead of the cache." },
  }),
  async run({ flags, signal, print }) {
    const { loadSprites } = await import("@cleanloop/data");
    const { ensurePretrained, pretrainInto } = await import("./rlvae/pretrained_cache.ts");
    if (flags.out !== undefined && existsSync(flags.out)) throw new RefusedError(`--out ${flags.out} is already there; name a new directory`);
    const sprites = loadSprites(flags.data, { trainCount: flags.n_train_samples, validationCount: flags.n_val_samples, seed: flags.seed });
    const { directory, pretrained } =
      flags.out === undefined
        ? await ensurePretrained(sprites, flags, signal)
        : { directory: flags.out, pretrained: await pretrainInto(flags.out, sprites, flags, signal) };
    print(flags.json ? JSON.stringify({ directory, ...pretrained.report }) : directory);
  },
});

if (import.meta.main) await runCommand(pretrainCommand);
