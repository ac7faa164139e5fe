// Validation on held-out identities: every sequence once, from the posterior mean and from a sample with fixed noise.
import type { Evaluator, TrainingSession } from "@cleanloop/compute";
import type { SpriteSet } from "@cleanloop/data";
import { fillBatch, FRAMES_PER_SEQUENCE, SEQUENCE_VALUES } from "@cleanloop/data";
import type { EvaluationTerm, RlvaeModel } from "@cleanloop/models";
import { rlvaeEvaluation } from "@cleanloop/models";
import { validationNoise } from "./seeds.ts";

export type Terms = Record<EvaluationTerm, number>;

export interface Validation {
  /** z0 is the posterior mean. */
  mean: Terms;
  /** z0 is drawn; the noise is the same at every epoch. */
  sampled: Terms;
}

const BATCH_SIZE = 25;

/**
 * A function that evaluates the live parameters on the whole set and returns means over its sequences. The sequences that do
 * not fill a batch have an evaluator of their own size, so that none is left out and none counts twice.
 */
export async function createValidator(
  session: TrainingSession,
  model: RlvaeModel,
  set: SpriteSet,
  seed: number,
): Promise<() => Promise<Validation>> {
  const { frameSize, latentSize } = model.config;
  const compile = (size: number) =>
    session.compile((params, inputs) => rlvaeEvaluation(params, { x: inputs.x, noise: inputs.noise }, model), {
      x: { shape: [size, FRAMES_PER_SEQUENCE, frameSize] },
      noise: { shape: [size, latentSize] },
    });
  const remainder = set.count % BATCH_SIZE;
  const evaluators = new Map<number, Evaluator>();
  if (set.count >= BATCH_SIZE) evaluators.set(BATCH_SIZE, await compile(BATCH_SIZE));
  if (remainder > 0) evaluators.set(remainder, await compile(remainder));
  const noise = validationNoise(seed, set.count, latentSize);

  return async () => {
    const totals = { mean: {}, sampled: {} } as Validation;
    for (let start = 0; start < set.count; start += BATCH_SIZE) {
      const size = Math.min(BATCH_SIZE, set.count - start);
      const evaluate = evaluators.get(size) as Evaluator;
      const rows = Int32Array.from({ length: size }, (_, i) => start + i);
      const x = fillBatch(set, rows, new Float32Array(size * SEQUENCE_VALUES));
      const drawn = noise.slice(start * latentSize, (start + size) * latentSize);
      addWeighted(totals.mean, await evaluate({ x, noise: new Float32Array(drawn.length) }), size / set.count);
      addWeighted(totals.sampled, await evaluate({ x, noise: drawn }), size / set.count);
    }
    return totals;
  };
}

function addWeighted(totals: Partial<Terms>, terms: Record<string, Float32Array>, weight: number): void {
  for (const [name, [value]] of Object.entries(terms)) {
    const term = name as EvaluationTerm;
    totals[term] = (totals[term] ?? 0) + weight * value;
  }
}
