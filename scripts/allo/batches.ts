// Batches of a training step, drawn into the session's staged inputs: as weights over states, or row by row.
import type { InputArray } from "@cleanloop/compute";
import type { PairLaw, RandomState, Rollouts } from "@cleanloop/data";
import { CountSampler, exactBatch, PairBatch, Random, ReplaySampler } from "@cleanloop/data";
import type { AlloObjective } from "@cleanloop/models";
import type { CollectedData } from "./environment.ts";
import type { AlloSettings } from "./settings.ts";

/** The inputs of one step, by name. */
export type StepInputs = Readonly<Record<string, InputArray>>;

export interface BatchSource {
  /** Draws the next step's batches into its inputs. */
  fill(inputs: StepInputs): void;
  /** The random numbers before the next draw; a source opened with them draws the same batches. */
  state(): RandomState;
}

export interface BatchOptions {
  batchSize: number;
  constraints: AlloObjective["constraints"];
  random: RandomState;
}

/** The stream of a run that starts afresh. */
export function batchStream(seed: number): Random {
  return new Random(seed).fork("batches");
}

/** The source that --evaluation asks for, continuing the random numbers of `random`. */
export function openBatches({ law, rollouts }: CollectedData, { training, objective, sampling }: AlloSettings, random: RandomState): BatchSource {
  const options = { batchSize: training.batchSize, constraints: objective.constraints, random };
  if (rollouts) return rowBatches(rollouts, sampling.gamma, options);
  return training.batchSize === 0 ? wholeBatches(law, options) : countBatches(law, options);
}

/** Fills laplacian, first and second with their means over the data, which are the same at every step: once is enough. */
export function wholeBatches(law: PairLaw, { constraints, random }: Omit<BatchOptions, "batchSize">): BatchSource {
  const { laplacian, first } = exactBatch(law);
  const constraintLaw = constraints === "one-sided" ? first : Float32Array.from(law.visits);
  const filled = new Set<InputArray>();
  return {
    fill(inputs) {
      if (filled.has(inputs.laplacian)) return;
      (inputs.laplacian as Float32Array).set(laplacian);
      for (const states of [inputs.first, inputs.second]) (states as Float32Array).set(constraintLaw);
      filled.add(inputs.laplacian);
    },
    state: () => random,
  };
}

/** Fills laplacian [n, n], first and second [n]; the one-sided constraint batch is the batch of pairs itself. */
export function countBatches(law: PairLaw, { batchSize, constraints, random }: BatchOptions): BatchSource {
  const sampler = new CountSampler(law, random);
  // The session's buffers take turns; each keeps the batch that knows what to clear in it. A batch of more pairs than the
  // Laplacian has entries clears them all, and takes more memory than it: there is one, and copying it costs less than drawing.
  const batches = new Map<InputArray, PairBatch>();
  const shared = batchSize > law.stateCount ** 2 ? new PairBatch(law.stateCount, batchSize) : undefined;
  const batchIn = ({ laplacian, first }: StepInputs): PairBatch => {
    let batch = batches.get(laplacian);
    if (!batch) {
      // Two independent batches, or the first elements of the pairs, which the batch of pairs writes itself.
      const memory = { laplacian: laplacian as Float32Array, first: constraints === "one-sided" ? (first as Float32Array) : undefined };
      batches.set(laplacian, (batch = new PairBatch(law.stateCount, batchSize, memory)));
    }
    return batch;
  };
  const drawPairs = (inputs: StepInputs) => {
    sampler.pairs(shared ?? batchIn(inputs));
    if (!shared) return;
    (inputs.laplacian as Float32Array).set(shared.laplacian);
    if (constraints === "one-sided") (inputs.first as Float32Array).set(shared.first);
  };
  return {
    fill(inputs) {
      drawPairs(inputs);
      if (constraints === "two-sided") sampler.states(batchSize, inputs.first as Float32Array, "visits");
      sampler.states(batchSize, inputs.second as Float32Array, constraints === "two-sided" ? "visits" : "first");
    },
    state: () => sampler.state(),
  };
}

/** Fills from, to and, for two-sided constraints, first and second with the states of single draws. */
export function rowBatches(rollouts: Rollouts, gamma: number, { batchSize, constraints, random }: BatchOptions): BatchSource {
  const sampler = new ReplaySampler(rollouts, gamma, new Random(random));
  const ignored = new Int32Array(batchSize);
  return {
    fill(inputs) {
      const { from, to, first, second } = inputs as Record<string, Int32Array>;
      sampler.pairs(from, to);
      if (constraints === "two-sided") {
        sampler.states(first);
        sampler.states(second);
      } else sampler.pairs(second, ignored);
    },
    state: () => sampler.state(),
  };
}
