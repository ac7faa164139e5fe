// What the figures are drawn from, as arrays: latents, reconstructions, cyclicity and the metric along the latents.
import type { NdArray } from "@cleanloop/artifacts";
import { ndarray } from "@cleanloop/artifacts";
import type { TrainingSession } from "@cleanloop/compute";
import type { SpriteSet } from "@cleanloop/data";
import { fillBatch, firstLastMse, FRAME_EDGE, FRAMES_PER_SEQUENCE, SEQUENCE_VALUES } from "@cleanloop/data";
import type { Metric } from "@cleanloop/geometry";
import { logDetMetric, metricEigenvalues } from "@cleanloop/geometry";
import type { RlvaeModel } from "@cleanloop/models";
import { rlvaeReconstruction } from "@cleanloop/models";
import type { Traces } from "./validation.ts";

export interface Analysis {
  /** Arrays by the name they have in the .npz file. */
  arrays: Record<string, NdArray>;
  /** Scalars for the tracker. */
  scalars: Record<string, number | string>;
  /** The first sequences and their reconstructions, [sequences, 8, 12288] in 0 to 1. */
  originals: Float32Array;
  reconstructions: Float32Array;
}

/**
 * A function that makes the analysis of a set from what its validation traced, and reconstructs the first `pictureCount`
 * sequences with the averaged parameters.
 */
export async function createAnalyser(session: TrainingSession, model: RlvaeModel, metric: Metric | undefined, set: SpriteSet, pictureCount: number) {
  const { frameSize, latentSize } = model.config;
  const kept = Math.min(pictureCount, set.count);
  const reconstruct = await session.compile(
    (params, inputs) => ({ frames: rlvaeReconstruction(params, { x: inputs.x, noise: inputs.noise }, model).reconstruction }),
    { x: { shape: [kept, FRAMES_PER_SEQUENCE, frameSize] }, noise: { shape: [kept, latentSize] } },
    { weights: "averaged" },
  );
  const originals = fillBatch(set, Int32Array.from({ length: kept }, (_, i) => i), new Float32Array(kept * SEQUENCE_VALUES));
  const originalGaps = firstLastMse(set);

  return async ({ means, latents, imageGaps }: Traces): Promise<Analysis> => {
    const { frames: reconstructions } = await reconstruct({ x: originals, noise: new Float32Array(kept * latentSize) });
    const latentGaps = firstLastLatentGaps(latents, latentSize);
    const field = metric ? metricAlong(metric, latents) : undefined;
    const picture = [kept, FRAMES_PER_SEQUENCE, 3, FRAME_EDGE, FRAME_EDGE];
    const perFrame = [set.count, FRAMES_PER_SEQUENCE];
    return {
      arrays: {
        latents: ndarray([...perFrame, latentSize], latents),
        posterior_means: ndarray([set.count, latentSize], means),
        original_cyclicity: ndarray([set.count], originalGaps),
        reconstruction_cyclicity: ndarray([set.count], imageGaps),
        latent_cyclicity: ndarray([set.count], latentGaps),
        originals: ndarray(picture, toBytes(originals)),
        reconstructions: ndarray(picture, toBytes(reconstructions)),
        ...(field && { log_det_metric: ndarray(perFrame, field.logDet), metric_condition: ndarray(perFrame, field.condition) }),
      },
      scalars: {
        "metrics/timesteps_with_data": FRAMES_PER_SEQUENCE,
        "metrics/total_timesteps": FRAMES_PER_SEQUENCE,
        "metrics/coverage_percentage": 100,
        "metrics/cyclicity_mse_mean": mean(originalGaps),
        "metrics/reconstruction_cyclicity_mean": mean(imageGaps),
        "metrics/latent_cyclicity_mean": mean(latentGaps),
        ...field?.scalars,
      },
      originals,
      reconstructions,
    };
  };
}

/** Mean squared difference between the first and the last latent, [N], of latents [N, 8, D]. */
function firstLastLatentGaps(latents: Float32Array, latentSize: number): Float64Array {
  const width = FRAMES_PER_SEQUENCE * latentSize;
  const last = width - latentSize;
  return Float64Array.from({ length: latents.length / width }, (_, row) => {
    const sequence = latents.subarray(row * width, (row + 1) * width);
    return sequence.subarray(0, latentSize).reduce((sum, value, i) => sum + (value - sequence[last + i]) ** 2, 0) / latentSize;
  });
}

/** The metric at every latent: log det G, condition number and eigenvalues of G; NaN where a flow left the finite numbers. */
function metricAlong(metric: Metric, latents: Float32Array) {
  const { dimension } = metric;
  const count = latents.length / dimension;
  const isFinite = Array.from({ length: count }, (_, row) => latents.subarray(row * dimension, (row + 1) * dimension).every(Number.isFinite));
  const reachable = latents.map((value, i) => (isFinite[Math.floor(i / dimension)] ? value : 0));
  const logDet = logDetMetric(metric, reachable).map((value, row) => (isFinite[row] ? value : Number.NaN));
  const eigenvalues = metricEigenvalues(metric, reachable).map((value, i) => (isFinite[Math.floor(i / dimension)] ? value : Number.NaN));
  const condition = logDet.map((_, row) => eigenvalues[(row + 1) * dimension - 1] / eigenvalues[row * dimension]);
  const meanLogDet = mean(logDet);
  return {
    logDet,
    condition,
    scalars: {
      "metric_detail/mean_log_det": meanLogDet,
      "metric_detail/std_log_det": Math.sqrt(mean(logDet.map((value) => (value - meanLogDet) ** 2))),
      "metric_detail/mean_condition_number": mean(condition),
      "metric_detail/max_condition_number": condition.reduce((most, value) => Math.max(most, value)),
      "metric_detail/mean_eigenvalue": mean(eigenvalues),
      "metric_detail/grid_points_computed": logDet.length,
      "metric_detail/grid_size": "validation latents",
      "metric_detail/temperature_used": metric.temperature,
    },
  };
}

function mean(values: Float32Array | Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Values in 0 to 1 as bytes k / 255. */
function toBytes(values: Float32Array): Uint8Array {
  const bytes = new Uint8ClampedArray(values.length); // rounds and clamps
  for (let i = 0; i < values.length; i++) bytes[i] = values[i] * 255;
  return new Uint8Array(bytes.buffer);
}
