// From flags to a gridworld, its data, and the eigenvectors that training has to find.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { defineFlags, parseFlags, UsageError } from "@cleanloop/cli";
import type { GridLayout, Gridworld, OffsetSampling, PairLaw, Rollouts, Spectrum } from "@cleanloop/data";
import {
  collectRollouts,
  createGridworld,
  DataError,
  datasetSpectrum,
  exactSpectrum,
  expectedPairLaw,
  GRIDWORLD_NAMES,
  isSymmetricWalk,
  laplacianEigenvalues,
  namedLayout,
  pairLaw,
  readLayout,
  rolloutChunks,
} from "@cleanloop/data";
import { checkAlloConfig, ModelError } from "@cleanloop/models";
import type { AlloFlags } from "./flags.ts";
import type { AlloSettings } from "./settings.ts";

/** Where --env_file_name looks for what is no named layout. */
const LAYOUT_FOLDER = "layouts";

/** About as many states are walked between two looks at the signal: a fraction of a second. */
const PART_STATES = 4e6;

/** What is to be learned, and what can be learned from the data at hand. */
export interface Targets {
  /** The walk's own eigenvectors and eigenvalues. */
  walk: Spectrum;
  /**
   * Of the Laplacian that endless data would realise: what features and duals are compared with. Its eigenvectors are the
   * walk's where the walk is symmetric; one-way doors make it another operator.
   */
  reference: Spectrum;
  /** Of the Laplacian that these data realise: where training converges to. */
  dataset: Spectrum;
  isSymmetric: boolean;
}

export interface CollectedData {
  law: PairLaw;
  /** Kept only where single rows are drawn. */
  rollouts: Rollouts | null;
}

/** The world of the flags. Throws UsageError for a layout or doors that cannot be. */
export function openWorld(flags: AlloFlags): Gridworld {
  const layout = layoutOf(flags);
  const doors = flags.use_doors ? { count: flags.num_doors, seed: flags.door_seed } : undefined;
  return usage(doors ? `--num_doors ${doors.count}` : layout.name, () => createGridworld(layout, { doors }));
}

/** Identity of the world: the data follow from it, the seed and the flags. */
export function worldFingerprint({ layout, canonicalStates, next }: Gridworld): string {
  const hash = createHash("sha256").update(`${layout.height}x${layout.width}`);
  for (const array of [canonicalStates, next]) hash.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return hash.digest("hex").slice(0, 16);
}

/** Walks the episodes and counts their pairs; the episodes themselves are kept only for --evaluation rows. */
export function collectData(world: Gridworld, { flags, sampling, episodes }: AlloSettings, part = { firstEpisode: 0, episodes }): CollectedData {
  const request = { ...part, length: sampling.horizon, seed: flags.seed, starts: flags.starts };
  const rollouts = flags.evaluation === "rows" ? usage("--evaluation rows", () => collectRollouts(world, request)) : null;
  const law = usage(transitionsText(flags), () => pairLaw(rollouts ? [rollouts] : rolloutChunks(world, request), sampling.gamma));
  return { law, rollouts };
}

/**
 * {@link collectData} of all episodes, a part at a time, so that `signal` is heard in between; throws its reason. Episodes that
 * are kept are one part: they are at most 2^30 states.
 */
export async function collectInParts(world: Gridworld, settings: AlloSettings, signal: AbortSignal): Promise<CollectedData> {
  const { episodes, sampling, flags } = settings;
  const perPart = flags.evaluation === "rows" ? episodes : Math.ceil(PART_STATES / (sampling.horizon + 1));
  let all: CollectedData | undefined;
  for (let firstEpisode = 0; firstEpisode < episodes; firstEpisode += perPart) {
    await Bun.sleep(0);
    signal.throwIfAborted();
    const count = Math.min(perPart, episodes - firstEpisode);
    const part = collectData(world, settings, { firstEpisode, episodes: count });
    if (all) addLaw(all.law, part.law, count / (firstEpisode + count));
    else all = part;
  }
  return all!; // there is at least one episode
}

/** Makes `law` the mean of itself and of `other`, which counts for `share` of the whole. */
function addLaw(law: PairLaw, other: PairLaw, share: number): void {
  for (const name of ["joint", "first", "second", "visits"] as const) {
    const [mean, added] = [law[name], other[name]];
    for (let i = 0; i < mean.length; i++) mean[i] += share * (added[i] - mean[i]);
  }
}

/** The exact spectrum alone, which needs no data. Throws UsageError for a world too large for it, and for one with fewer states. */
export function walkSpectrum(world: Gridworld, { config }: AlloSettings): Spectrum {
  usage(`--num_eigenvectors ${config.featureCount}`, () => checkAlloConfig(config, world.stateCount));
  return usage(world.layout.name, () => exactSpectrum(world, config.featureCount));
}

/** All that the learned features are compared with. */
export function targetsOf(world: Gridworld, walk: Spectrum, law: PairLaw, settings: AlloSettings): Targets {
  const { flags, config, sampling, constraintLaw } = settings;
  const spectrumOf = (pairs: PairLaw) => usage(transitionsText(flags), () => datasetSpectrum(pairs, config.featureCount, constraintLaw));
  const isSymmetric = isSymmetricWalk(world);
  // Doors leave no formula from the walk's spectrum to that of the sampled pairs.
  const reference = isSymmetric ? sampledSpectrum(walk, sampling) : spectrumOf(expectedPairLaw(world, sampling));
  return { walk, reference, dataset: spectrumOf(law), isSymmetric };
}

/** A symmetric walk as its sampler shows it: the same eigenvectors, the eigenvalues of the Laplacian. */
function sampledSpectrum(walk: Spectrum, sampling: OffsetSampling): Spectrum {
  const [eigenvalues, extraEigenvalues] = [walk.eigenvalues, walk.extraEigenvalues].map((values) => laplacianEigenvalues(values, sampling));
  return { ...walk, eigenvalues, extraEigenvalues };
}

const transitionsText = ({ num_envs, num_steps }: AlloSettings["flags"]): string => `--num_envs ${num_envs} --num_steps ${num_steps}`;

function layoutOf({ env_type, env_file, env_file_name }: AlloFlags): GridLayout {
  const files = Object.entries({ env_file, env_file_name }).filter(([, value]) => value !== undefined);
  if (env_type !== "file") {
    if (files.length > 0) throw new UsageError(`--${files[0][0]} needs --env_type file, got --env_type ${env_type}; drop one of the two`);
    if (!env_type.startsWith("open:")) checkName(env_type);
    return usage(`--env_type ${env_type}`, () => namedLayout(env_type));
  }
  if (files.length !== 1) {
    throw new UsageError(`--env_type file needs one of --env_file and --env_file_name, got ${files.length === 0 ? "none" : "both"}`);
  }
  const [[flag, value]] = files as [[string, string]];
  const isNamed = flag === "env_file_name" && GRIDWORLD_NAMES.some((name) => name === value);
  const path = flag === "env_file" ? value : join(LAYOUT_FOLDER, value);
  return usage(`--${flag} ${value}`, () => (isNamed ? namedLayout(value) : readLayout(path)));
}

/** Throws what a flag with fixed values throws, which knows what was probably meant. */
function checkName(name: string): void {
  const values = [...GRIDWORLD_NAMES, "open:HxW", "file"];
  parseFlags(defineFlags({ env_type: { type: "enum", values, description: "" } }), [`--env_type=${name}`]);
}

/** What the user asked for cannot be: their mistake, so wrong usage, with the words that led to it. */
function usage<T>(words: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof DataError || error instanceof ModelError) throw new UsageError(`${words}: ${error.message}`);
    throw error;
  }
}
