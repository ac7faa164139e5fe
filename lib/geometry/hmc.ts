// Hamiltonian Monte Carlo with many chains side by side: samples from any density with a gradient.

import { MetricError } from "./errors.ts";
import { leapfrog, type Gradient } from "./leapfrog.ts";
import { pointCount } from "./metric-tensor.ts";
import type { RandomSource } from "./metric.ts";

/** A density π on R^D, known up to a factor. */
export interface LogDensity {
  /** D. */
  readonly dimension: number;
  /** log π at N points [N, D]: [N]; -Infinity where π is zero. */
  logAt(points: Float64Array): Float64Array;
  /** ∇ log π at N points: [N, D]. Any finite value will do where π is zero: trajectories may cross such ground. */
  readonly gradientAt: Gradient;
}

export interface HmcOptions {
  /** ε; every move draws its own between 0.8 and 1.2 times this, so that no trajectory closes on itself for ever. */
  stepSize: number;
  /** Leapfrog steps of a move. */
  leapfrogSteps: number;
  /** Moves of every chain. */
  moves: number;
}

export interface HmcSamples {
  /** Where each chain has ended, row-major [N, D]. */
  samples: Float64Array;
  /** Share of all N · moves proposals that were accepted; .6 to .99 is the mark of a sensible step size. */
  acceptanceRate: number;
}

/**
 * Moves N chains from `starts` [N, D] and returns where they end. A move draws momenta p ~ N(0, I), follows the
 * leapfrog and accepts the end with probability min(1, e^(H₀ - H)), which leaves π unchanged whatever the step size
 * (Neal 2011, section 5.3.2). The sample is as good as the chains are long: a start among islands far apart keeps the
 * share of each. Throws BAD_SHAPE, and BAD_ARGUMENT for a start where π is zero and for options out of range.
 */
export function hamiltonianMonteCarlo(
  density: LogDensity,
  starts: Float64Array,
  random: RandomSource,
  options: HmcOptions,
): HmcSamples {
  const { dimension } = density;
  const { stepSize, leapfrogSteps, moves } = options;
  const chains = pointCount(starts, dimension, "hamiltonianMonteCarlo");
  if (!(stepSize > 0) || stepSize === Infinity) refuse("stepSize", stepSize, "a positive number");
  if (!Number.isInteger(leapfrogSteps) || leapfrogSteps < 1) refuse("leapfrogSteps", leapfrogSteps, "1 or more");
  if (!Number.isInteger(moves) || moves < 1) refuse("moves", moves, "1 or more");

  const samples = starts.slice();
  const logDensity = density.logAt(samples);
  const outside = logDensity.findIndex((value) => !Number.isFinite(value));
  if (outside >= 0) refuse(`log density at start ${outside}`, logDensity[outside], "a start of density above 0");
  const momenta = new Float64Array(samples.length);
  let accepted = 0;
  for (let move = 0; move < moves; move++) {
    random.normals(momenta);
    const kineticBefore = kineticEnergies(momenta, dimension);
    const proposals = samples.slice();
    leapfrog(density.gradientAt, proposals, momenta, stepSize * (0.8 + 0.4 * random.uniform()), leapfrogSteps);
    const kinetic = kineticEnergies(momenta, dimension);
    const proposed = density.logAt(proposals);
    for (let chain = 0; chain < chains; chain++) {
      const energyDrop = proposed[chain] - logDensity[chain] + kineticBefore[chain] - kinetic[chain];
      if (!(random.uniform() < Math.exp(energyDrop))) continue;
      accepted++;
      logDensity[chain] = proposed[chain];
      const row = chain * dimension;
      samples.set(proposals.subarray(row, row + dimension), row);
    }
  }
  return { samples, acceptanceRate: accepted / (chains * moves) };
}

/** ½‖p‖² of each row: [N]. */
function kineticEnergies(momenta: Float64Array, dimension: number): Float64Array {
  const out = new Float64Array(momenta.length / dimension);
  momenta.forEach((value, i) => (out[Math.floor(i / dimension)] += value ** 2 / 2));
  return out;
}

function refuse(name: string, got: number, wanted: string): never {
  throw new MetricError("BAD_ARGUMENT", `hamiltonianMonteCarlo: got ${name} ${got}, wanted ${wanted}`);
}
