// What an ALLO run is made of: the network, the objective and its step sizes, and the three presets.

import { ModelError } from "../errors.ts";

/** Spread of the first weights: normal, cut at two standard deviations, scaled back to unit variance (flax) or not (haiku). */
export type Initialisation = "flax" | "haiku";

/** The network: coordinates [n, 2] -> `hiddenLayerCount` relu layers of `hiddenSize` -> features [n, featureCount]. */
export interface AlloConfig {
  /** Number d of features, one per eigenvector. */
  readonly featureCount: number;
  readonly hiddenSize: number;
  readonly hiddenLayerCount: number;
  readonly initialisation: Initialisation;
}

/** Penalty on features that collapse to a constant; the second and third push them away from one. */
export type Perturbation = "none" | "exponential" | "squared" | "squared-null-grad";

/**
 * The augmented Lagrangian and how its multipliers move ("Proper Laplacian Representation Learning", ICLR 2024, equation 6).
 *
 * `one-sided`: the constraint batch is the graph batch; a second batch only scales the quadratic penalty and carries no
 * gradient; the barrier grows by |sum of the penalty|. `two-sided`: two independent constraint batches, both with gradient,
 * their errors averaged; the barrier grows by the mean of the positive part of the averaged penalty.
 */
export interface AlloObjective {
  readonly constraints: "one-sided" | "two-sided";
  /** c in c * mean |phi(s) - phi(s')|^2; duals converge to -4 c lambda. */
  readonly graphScale: number;
  /** First value of the duals, and whether only the diagonal starts there. */
  readonly initialDual: number;
  readonly initialDualsDiagonal: boolean;
  /** Ascent per step: duals += dualRate * error + integralRate * sum of past errors. */
  readonly dualRate: number;
  readonly integralRate: number;
  /** Share of the summed errors that a step keeps. */
  readonly integralDecay: number;
  /** Largest magnitude of a dual. */
  readonly dualLimit: number;
  /** First value, ascent per step, and largest value of the barrier coefficient b. */
  readonly initialBarrier: number;
  readonly barrierRate: number;
  readonly barrierLimit: number;
  readonly perturbation: Perturbation;
  /** Weight and scale of the perturbation. */
  readonly graphEpsilon: number;
  readonly graphVarianceScale: number;
  /** A feature is trained only while every error of the features before it is below this; null trains all at once. */
  readonly gateThreshold: number | null;
}

/** How the network is trained. */
export interface AlloTraining {
  readonly learningRate: number;
  /** Share of the steps, the last ones, over which the learning rate falls linearly to zero. */
  readonly decayFraction: number;
  /** Decay of Adam's second moment. */
  readonly beta2: number;
  /** Pairs per step; 0 takes the mean over the whole data set instead of a sample. */
  readonly batchSize: number;
  readonly steps: number;
}

/** Where the pairs of states come from. */
export interface AlloSampling {
  /** gamma of the truncated geometric law of offsets; null follows the horizon, see {@link alloOffsets}. */
  readonly gamma: number | null;
  /** Transitions per episode; null follows the number of states. */
  readonly horizon: number | null;
  /** Transitions in all. */
  readonly transitions: number;
  /** Where episodes start: at states drawn one by one, or in every state in turn. */
  readonly starts: "random" | "even";
}

/** One complete setting. */
export interface AlloPreset {
  readonly config: AlloConfig;
  readonly objective: AlloObjective;
  readonly training: AlloTraining;
  readonly sampling: AlloSampling;
  /** How grid cells become inputs. */
  readonly coordinates: "seed" | "paper";
}

export type AlloPresetName = "fast" | "seed" | "paper";

const NO_EXTRAS = { perturbation: "none", graphEpsilon: 0.01, graphVarianceScale: 0.1, gateThreshold: null } as const;

/** Horizons that follow the number of states stay within these. */
const SHORTEST_HORIZON = 50;
const LONGEST_HORIZON = 500;
/** A gamma that follows the horizon T is 1 - this / T, so that most offsets end before their episode does. */
const MEAN_OFFSETS_PER_HORIZON = 5;

/**
 * The offsets' gamma and the horizon of a world with `stateCount` states. Eigenvectors separate at a rate that is proportional to
 * the gaps between the Laplacian's eigenvalues, and the larger the world, the further apart pairs have to be for the gaps of its
 * smoothest modes to open; where nothing else is asked for, episodes are as long as the world has states.
 */
export function alloOffsets({ gamma, horizon }: Pick<AlloSampling, "gamma" | "horizon">, stateCount: number) {
  const transitions = horizon ?? Math.min(LONGEST_HORIZON, Math.max(SHORTEST_HORIZON, stateCount));
  return { horizon: transitions, gamma: gamma ?? Math.max(0, 1 - MEAN_OFFSETS_PER_HORIZON / transitions) };
}

const PAPER_OBJECTIVE: AlloObjective = {
  constraints: "two-sided", graphScale: 1,
  initialDual: 0, initialDualsDiagonal: false, dualRate: 1e-4, integralRate: 0, integralDecay: 0.99, dualLimit: 100,
  initialBarrier: 2, barrierRate: 0.01, barrierLimit: 10_000,
  ...NO_EXTRAS,
};

/**
 * `seed`: the original trainer, one learning rate for everything and a constant barrier. `paper`: the published experiment.
 * `fast`: the paper's objective, minimised over the whole data set at every step, with fifty times the data, offsets that grow
 * with the world, a weaker barrier, a hundred times faster duals, a shorter memory in Adam and a learning rate that ends at zero.
 */
export const ALLO_PRESETS: Readonly<Record<AlloPresetName, AlloPreset>> = {
  seed: {
    config: { featureCount: 10, hiddenSize: 256, hiddenLayerCount: 4, initialisation: "flax" },
    objective: {
      constraints: "one-sided", graphScale: 0.5,
      initialDual: -2, initialDualsDiagonal: false, dualRate: 3e-4, integralRate: 0, integralDecay: 0.99, dualLimit: Infinity,
      initialBarrier: 0.5, barrierRate: 3e-4, barrierLimit: 0.5,
      ...NO_EXTRAS,
    },
    training: { learningRate: 3e-4, decayFraction: 0, beta2: 0.999, batchSize: 256, steps: 20_000 },
    sampling: { gamma: 0.2, horizon: 1000, transitions: 1e6, starts: "random" },
    coordinates: "seed",
  },
  paper: {
    config: { featureCount: 11, hiddenSize: 256, hiddenLayerCount: 3, initialisation: "haiku" },
    objective: PAPER_OBJECTIVE,
    training: { learningRate: 1e-3, decayFraction: 0, beta2: 0.999, batchSize: 1024, steps: 200_000 },
    sampling: { gamma: 0.9, horizon: 50, transitions: 1e6, starts: "random" },
    coordinates: "paper",
  },
  fast: {
    config: { featureCount: 11, hiddenSize: 256, hiddenLayerCount: 3, initialisation: "haiku" },
    objective: { ...PAPER_OBJECTIVE, dualRate: 1e-2, initialBarrier: 1.5 },
    training: { learningRate: 3e-3, decayFraction: 0.5, beta2: 0.99, batchSize: 0, steps: 5000 },
    sampling: { gamma: null, horizon: null, transitions: 5e7, starts: "even" },
    coordinates: "paper",
  },
};

/** Most parameters of a network: with gradients and Adam's two moments, 16 bytes each, they fill 4 GiB. */
const MOST_PARAMETERS = 2 ** 32 / 16;

const parameterCount = ({ featureCount: d, hiddenSize: h, hiddenLayerCount }: AlloConfig): number =>
  (2 + 1) * h + (hiddenLayerCount - 1) * (h + 1) * h + (h + 1) * d;

/**
 * Throws BAD_CONFIG unless every size is a positive whole number, d is not more than the number of states, and a training
 * session can hold the network: 4 GiB for its parameters, their gradients and moments.
 */
export function checkAlloConfig(config: AlloConfig, stateCount: number): void {
  for (const name of ["featureCount", "hiddenSize", "hiddenLayerCount"] as const) {
    if (Number.isInteger(config[name]) && config[name] >= 1) continue;
    throw new ModelError("BAD_CONFIG", `checkAlloConfig: got ${name} = ${config[name]}, wanted a whole number from 1`);
  }
  if (config.featureCount > stateCount) {
    throw new ModelError(
      "BAD_CONFIG",
      `checkAlloConfig: got ${config.featureCount} features for ${stateCount} states, which have as many eigenvectors; ` +
        `ask for at most ${stateCount}`,
    );
  }
  if (parameterCount(config) > MOST_PARAMETERS) {
    const { hiddenSize, hiddenLayerCount } = config;
    throw new ModelError(
      "BAD_CONFIG",
      `checkAlloConfig: got ${parameterCount(config)} parameters (hiddenSize = ${hiddenSize}, hiddenLayerCount = ${hiddenLayerCount}), ` +
        `wanted at most ${MOST_PARAMETERS}, which take 4 GiB with their gradients and moments; lower hiddenSize or hiddenLayerCount`,
    );
  }
}

/**
 * Learning rate of a step (from 0): constant, then linear to zero over the last `decayFraction` of the steps, where the last
 * step still has a share of it.
 */
export function alloLearningRate({ learningRate, decayFraction, steps }: AlloTraining, step: number): number {
  return decayFraction === 0 ? learningRate : learningRate * Math.min(1, (steps - step) / (decayFraction * steps));
}
