// Validation on held-out identities: every sequence once, from the posterior mean and from a sample with fixed noise.
import type { Evaluator, TrainingSession } from "@cleanloop/compute";
import type { SpriteSet } from "@cleanloop/data";
import { fillBatch, FRAMES_PER_SEQUENCE, SEQUENCE_VALUES } from "@cleanloop/data";
import type { EvaluationTerm, RlvaeModel } from "@cleanloop/models";
import { rlvaeEvaluation, rlvaeReconstruction } from "@cleanloop/models";
import * as tf from "@tensorflow/tfjs-core";
import { validationNoise } from "./seeds.ts";

export type Terms = Record<EvaluationTerm, number>;

/** Per sequence, decoded from the posterior mean with nothing overwritten. */
export interface Traces {
  /** [N, D]. */
  means: Float32Array;
  /** [N, 8, D]. */
  latents: Float32Array;
  /** [N]: mean squared difference between the first and the last decoded frame. */
  imageGaps: Float32Array;
}

export interface Validation {
  /** z0 is the posterior mean. */
  mean: Terms;
  /** z0 is drawn; the noise is the same at every epoch. */
  sampled: Terms;
  traces: Traces;
}

/** Divides 600 and 800, so that the usual sets need one evaluator; small, because its buffers count to the peak memory. */
const BATCH_SIZE = 10;

/**
 * A function that evaluates the averaged parameters on the whole set and returns means over its sequences. The sequences that do
 * not fill a batch have an evaluator of their own size, so that none is left out and none counts twice.
 */
export async function createValidator(
  session: TrainingSession,
  model: RlvaeModel,
  set: SpriteSet,
  seed: number,
): Promise<() => Promise<Validation>> {
  const { latentSize } = model.config;
  const remainder = set.count % BATCH_SIZE;
  const evaluators = new Map<number, Evaluator>();
  if (set.count >= BATCH_SIZE) evaluators.set(BATCH_SIZE, await compileEvaluator(session, model, BATCH_SIZE));
  if (remainder > 0) evaluators.set(remainder, await compileEvaluator(session, model, remainder));
  const noise = validationNoise(seed, set.count, latentSize);
  const batch = new Float32Array(Math.min(BATCH_SIZE, set.count) * SEQUENCE_VALUES);

  return async () => {
    const traces: Traces = {
      means: new Float32Array(set.count * latentSize),
      latents: new Float32Array(set.count * FRAMES_PER_SEQUENCE * latentSize),
      imageGaps: new Float32Array(set.count),
    };
    const totals = { mean: {} as Terms, sampled: {} as Terms };
    for (let start = 0; start < set.count; start += BATCH_SIZE) {
      const size = Math.min(BATCH_SIZE, set.count - start);
      const evaluate = evaluators.get(size) as Evaluator;
      const rows = Int32Array.from({ length: size }, (_, i) => start + i);
      const x = fillBatch(set, rows, batch.subarray(0, size * SEQUENCE_VALUES));
      const { means, latents, imageGaps, ...terms } = await evaluate({ x, noise: new Float32Array(size * latentSize) });
      traces.means.set(means, start * latentSize);
      traces.latents.set(latents, start * FRAMES_PER_SEQUENCE * latentSize);
      traces.imageGaps.set(imageGaps, start);
      addWeighted(totals.mean, terms, size / set.count);
      const drawn = noise.subarray(start * latentSize, (start + size) * latentSize);
      const { means: _means, latents: _latents, imageGaps: _gaps, ...sampled } = await evaluate({ x, noise: drawn });
      addWeighted(totals.sampled, sampled, size / set.count);
    }
    return { ...totals, traces };
  };
}

function compileEvaluator(session: TrainingSession, model: RlvaeModel, size: number): Promise<Evaluator> {
  const { frameSize, latentSize } = model.config;
  return session.compile(
    (params, inputs) => {
      const given = { x: inputs.x, noise: inputs.noise };
      const { mean, latents, reconstruction } = rlvaeReconstruction(params, given, model);
      return { ...rlvaeEvaluation(params, given, model), means: mean, latents, imageGaps: imageGaps(reconstruction) };
    },
    { x: { shape: [size, FRAMES_PER_SEQUENCE, frameSize] }, noise: { shape: [size, latentSize] } },
    { weights: "averaged" },
  );
}

/** Mean squared difference between the first and the last frame, [n], of frames [n, 8, values]. */
function imageGaps(frames: tf.Tensor3D): tf.Tensor {
  const [count, , values] = frames.shape;
  const frame = (index: number) => tf.slice(frames, [0, index, 0], [count, 1, values]);
  return tf.reshape(tf.mean(tf.squaredDifference(frame(0), frame(FRAMES_PER_SEQUENCE - 1)), 2), [count]);
}

function addWeighted(totals: Partial<Terms>, terms: Record<string, Float32Array>, weight: number): void {
  for (const [name, [value]] of Object.entries(terms)) {
    const term = name as EvaluationTerm;
    totals[term] = (totals[term] ?? 0) + weight * value;
  }
}
