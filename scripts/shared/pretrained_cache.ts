// Pre-training on demand: read from the cache when the same frames and settings were pre-trained before, made once otherwise.
import { createHash } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Pretrained } from "./pretrained_bundle.ts";
import { readBundle, writeBundle } from "./pretrained_bundle.ts";
import type { FrameSets, PretrainOptions } from "./pretraining.ts";
import { pretrain } from "./pretraining.ts";

/** Raised when the recipe changes, so that bundles of the old one are not taken for new. */
const RECIPE = 1;

export interface CacheOptions extends PretrainOptions {
  output_dir: string;
  /** Where the bundle goes; the cache under `output_dir` when left out. */
  directory?: string;
}

/**
 * The bundle for these frames and settings, read and verified or made and written. The number of threads is no part of the
 * identity: it changes the last digits only. Throws what pre-training throws, and ArtifactError when it cannot be written.
 */
export async function ensurePretrained(
  sprites: FrameSets,
  options: CacheOptions,
  signal: AbortSignal,
): Promise<{ directory: string; pretrained: Pretrained }> {
  const identity = { data: sprites.fingerprint, steps: options.pretrain_steps, seed: options.seed, recipe: RECIPE };
  const fingerprint = createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 16);
  const directory = options.directory ?? join(options.output_dir, "cache", `pretrain-${fingerprint}`);
  if (existsSync(directory)) {
    try {
      const pretrained = readBundle(directory);
      process.stderr.write(`pre-training: found in ${directory}\n`);
      return { directory, pretrained };
    } catch (error) {
      process.stderr.write(`pre-training: making the cached bundle again: ${(error as Error).message}\n`);
      rmSync(directory, { recursive: true });
    }
  }
  const pretrained = await pretrain(sprites, options, signal);
  await writeBundle(directory, pretrained);
  process.stderr.write(`pre-training: kept in ${directory}\n`);
  return { directory, pretrained };
}
