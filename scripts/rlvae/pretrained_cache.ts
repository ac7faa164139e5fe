// Pre-training on demand: read from the cache when the same frames and settings were pre-trained before, made once otherwise.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ArtifactError } from "@cleanloop/artifacts";
import type { Pretrained } from "./pretrained_bundle.ts";
import { BundleError, readBundle, removeBundle, sweepDeadBundles, writeBundle } from "./pretrained_bundle.ts";
import type { FrameSets, PretrainOptions } from "./pretraining.ts";
import { pretrain } from "./pretraining.ts";

/** Raised when the recipe changes, so that bundles of the old one are not taken for new. */
const RECIPE = 1;

export interface CacheOptions extends PretrainOptions {
  /** The cache lies in here. */
  output_dir: string;
}

/**
 * The bundle for these frames and settings, read and verified or made and written. The number of threads is no part of the
 * identity: it changes the last digits only. A damaged bundle is made again, and what killed commands left half made is removed.
 * Throws what pre-training throws, and ArtifactError when the bundle cannot be read or written.
 */
export async function ensurePretrained(
  sprites: FrameSets,
  options: CacheOptions,
  signal: AbortSignal,
): Promise<{ directory: string; pretrained: Pretrained }> {
  const identity = { data: sprites.fingerprint, steps: options.pretrain_steps, seed: options.seed, recipe: RECIPE };
  const fingerprint = createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 16);
  const cache = join(options.output_dir, "cache");
  const directory = join(cache, `pretrain-${fingerprint}`);
  sweepDeadBundles(cache);
  if (existsSync(directory)) {
    try {
      const pretrained = readBundle(directory);
      process.stderr.write(`pre-training: found in ${directory}\n`);
      return { directory, pretrained };
    } catch (error) {
      if (!(error instanceof BundleError || error instanceof ArtifactError)) throw error;
      process.stderr.write(`pre-training: making the cached bundle again: ${error.message}\n`);
      removeBundle(directory);
    }
  }
  return { directory, pretrained: await pretrainInto(directory, sprites, options, signal) };
}

/** Pre-trains and writes the bundle to a directory that is not there yet. */
export async function pretrainInto(directory: string, sprites: FrameSets, options: PretrainOptions, signal: AbortSignal): Promise<Pretrained> {
  const pretrained = await pretrain(sprites, options, signal);
  await writeBundle(directory, pretrained);
  process.stderr.write(`pre-training: kept in ${directory}\n`);
  return pretrained;
}
