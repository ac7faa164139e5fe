// What the figures are drawn from, as arrays: latents, reconstructions, cyclicity and the metric along the latents.
import type { NdArray } from "@cleanloop/artifacts";
import { ndarray } from "@cleanloop/artifacts";
import type { Evaluator, TrainingSession } from "@cleanloop/compute";
import type { SpriteSet } from "@cleanloop/data";
import { fillBatch, firstLastMse, FRAME_EDGE, FRAME_VALUES, FRAMES_PER_SEQUENCE, SEQUENCE_VALUES } from "@cleanloop/data";
import type { Metric } from "@cleanloop/geometry";
import { logDetMetric, metricEigenvalues } from "@cleanloop/geometry";
import type { RlvaeModel } from "@cleanloop/models";
import { rlvaeReconstruction } from "@cleanloop/models";

export interface Analysis {
  /** Arrays by the name they have in the .npz file. */
  arrays: Record<string, NdArray>;
  /** Scalars for the tracker. */
  scalars: Record<string, number | string>;
  /** The first sequences and their reconstructions, [sequences, 8, 12288] in 0 to 1. */
  originals: Float32Array;
  reconstructions: Float32Array;
}

const BATCH_SIZE = 25;

/**
 * A function that analyses the live parameters on a set, decoding from the posterior mean with nothing overwritten.
 * `pictureCount` sequences keep their pictures; numbers are about all of them.
 */
export async function createAnalyser(session: TrainingSession, model: RlvaeModel, metric: Metric | undefined, set: SpriteSet, pictureCount: number) {
  const { frameSize, latentSize } = model.config;
  const size = Math.min(BATCH_SIZE, set.count);
  const evaluate = await session.compile((params, inputs) => rlvaeReconstruction(params, { x: inputs.x, noise: inputs.noise }, model), {
    x: { shape: [size, FRAMES_PER_SEQUENCE, frameSize] },
    noise: { shape: [size, latentSize] },
  });
  const original = firstLastMse(set);
  const kept = Math.min(pictureCount, set.count);
  return async (): Promise<Analysis> => {
    const latents = new Float32Array(set.count * FRAMES_PER_SEQUENCE * latentSize);
    const means = new Float32Array(set.count * latentSize);
    const reconstructed = new Float64Array(set.count);
    const pictures = new Float32Array(kept * SEQUENCE_VALUES);
    for (let start = 0; start < set.count; start += size) {
      const rows = Int32Array.from({ length: size }, (_, i) => Math.min(start + i, set.count - 1));
      const used = Math.min(size, set.count - start);
      const out = await reconstruct(evaluate, set, rows, latentSize);
      latents.set(out.latents.subarray(0, used * FRAMES_PER_SEQUENCE * latentSize), start * FRAMES_PER_SEQUENCE * latentSize);
      means.set(out.mean.subarray(0, used * latentSize), start * latentSize);
      for (let row = 0; row < used; row++) reconstructed[start + row] = firstLastGap(out.reconstruction, row, FRAME_VALUES);
      const pictured = Math.min(used, kept - start);
      if (pictured > 0) pictures.set(out.reconstruction.subarray(0, pictured * SEQUENCE_VALUES), start * SEQUENCE_VALUES);
    }
    const latent = Float64Array.from({ length: set.count }, (_, row) => firstLastGap(latents, row, latentSize));
    const originals = fillBatch(set, Int32Array.from({ length: kept }, (_, i) => i), new Float32Array(kept * SEQUENCE_VALUES));
    const field = metric ? metricAlong(metric, latents) : undefined;
    const picture = [kept, FRAMES_PER_SEQUENCE, 3, FRAME_EDGE, FRAME_EDGE];
    const perFrame = [set.count, FRAMES_PER_SEQUENCE];
    return {
      arrays: {
        latents: ndarray([...perFrame, latentSize], latents),
        posterior_means: ndarray([set.count, latentSize], means),
        original_cyclicity: ndarray([set.count], original),
        reconstruction_cyclicity: ndarray([set.count], reconstructed),
        latent_cyclicity: ndarray([set.count], latent),
        originals: ndarray(picture, toBytes(originals)),
        reconstructions: ndarray(picture, toBytes(pictures)),
        ...(field && { log_det_metric: ndarray(perFrame, field.logDet), metric_condition: ndarray(perFrame, field.condition) }),
      },
      scalars: {
        "metrics/timesteps_with_data": FRAMES_PER_SEQUENCE,
        "metrics/total_timesteps": FRAMES_PER_SEQUENCE,
        "metrics/coverage_percentage": 100,
        "metrics/cyclicity_mse_mean": mean(original),
        "metrics/reconstruction_cyclicity_mean": mean(reconstructed),
        "metrics/latent_cyclicity_mean": mean(latent),
        ...field?.scalars,
      },
      originals,
      reconstructions: pictures,
    };
  };
}

async function reconstruct(evaluate: Evaluator, set: SpriteSet, rows: Int32Array, latentSize: number) {
  const x = fillBatch(set, rows, new Float32Array(rows.length * SEQUENCE_VALUES));
  const { latents, mean: means, reconstruction } = await evaluate({ x, noise: new Float32Array(rows.length * latentSize) });
  return { latents, mean: means, reconstruction };
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

/** Mean squared difference between the first and the last frame of row `row`, for frames of `width` values. */
function firstLastGap(values: Float32Array, row: number, width: number): number {
  const first = row * FRAMES_PER_SEQUENCE * width;
  const last = first + (FRAMES_PER_SEQUENCE - 1) * width;
  let sum = 0;
  for (let i = 0; i < width; i++) sum += (values[first + i] - values[last + i]) ** 2;
  return sum / width;
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Values in 0 to 1 as bytes k / 255. */
function toBytes(values: Float32Array): Uint8Array {
  return Uint8Array.from(values, (value) => Math.round(Math.min(1, Math.max(0, value)) * 255));
}
