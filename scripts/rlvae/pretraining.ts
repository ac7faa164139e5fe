// Pre-training: a plain VAE on single frames, then the Riemannian metric from its posteriors.
import { formatDuration, Progress } from "@cleanloop/cli";
import type { Device, Engine, TrainingSession } from "@cleanloop/compute";
import { createTrainingSession } from "@cleanloop/compute";
import type { SpriteSet } from "@cleanloop/data";
import { fillFrames, FRAMES_PER_SEQUENCE, Random } from "@cleanloop/data";
import { buildMetric } from "@cleanloop/geometry";
import type { RlvaeConfig } from "@cleanloop/models";
import { decode, encode, encodeMean, initialParameters, rlvaeConfig, vanillaLoss, vanillaParameterNames } from "@cleanloop/models";
import * as tf from "@tensorflow/tfjs-core";
import type { MetricScaling, Pretrained } from "./pretrained_bundle.ts";
import { parameterStream } from "./seeds.ts";

const BATCH_SIZE = 64;
const FIRST_LEARNING_RATE = 1e-3;
const LAST_LEARNING_RATE = 1e-4;
const CENTROID_COUNT = 50;
/** A sequence has six distinct poses; more centroids than four per sequence would put several on one. */
const MAX_CENTROIDS_PER_SEQUENCE = 4;
const REPORT_INTERVAL_STEPS = 500;
/** Frames per call of the evaluators. */
const EVALUATION_BATCH = 100;

export interface PretrainOptions {
  pretrain_steps: number;
  seed: number;
  engine: Engine;
  device: Device;
  threads: number;
}

export interface FrameSets {
  train: SpriteSet;
  validation: SpriteSet;
  /** Identity of the data. */
  fingerprint: string;
}

/** Trains the plain VAE (batch 64, Adam, rate 1e-3 to 1e-4 by a cosine) and builds the metric in both scalings. */
export async function pretrain(sprites: FrameSets, options: PretrainOptions, signal: AbortSignal): Promise<Pretrained> {
  // ---- set-up
  const startMs = performance.now();
  const { train, validation } = sprites;
  const { pretrain_steps: totalSteps, seed } = options;
  const config = rlvaeConfig();
  const initial = initialParameters(config, parameterStream(seed));
  const session = await createTrainingSession({
    loss: (params, inputs) => vanillaLoss(params, { x: inputs.x, noise: inputs.noise }),
    params: Object.fromEntries(vanillaParameterNames(config).map((name) => [name, initial[name]])),
    inputs: { x: { shape: [BATCH_SIZE, config.frameSize] }, noise: { shape: [BATCH_SIZE, config.latentSize] } },
    engine: options.engine, device: options.device, threads: options.threads,
  });
  const random = new Random(seed).fork("pretraining");
  const frameCount = train.count * FRAMES_PER_SEQUENCE;
  const stage = () => {
    fillFrames(train, Int32Array.from({ length: BATCH_SIZE }, () => random.int(frameCount)), session.inputs.x as Float32Array);
    random.normals(session.inputs.noise as Float32Array);
  };

  // ---- loop
  const progress = new Progress({ label: "pre-train", totalSteps });
  const losses: { step: number; recon: number; kl: number }[] = [];
  let sums = { recon: 0, kl: 0, steps: 0 };
  try {
    stage();
    for (let step = 0; step < totalSteps; step++) {
      signal.throwIfAborted();
      const cosine = (1 + Math.cos((Math.PI * step) / totalSteps)) / 2;
      const running = session.step({ learningRate: LAST_LEARNING_RATE + (FIRST_LEARNING_RATE - LAST_LEARNING_RATE) * cosine });
      stage();
      const { metrics } = await running;
      sums = { recon: sums.recon + metrics.recon, kl: sums.kl + metrics.kl, steps: sums.steps + 1 };
      progress.update(step + 1, { recon: metrics.recon, kl: metrics.kl });
      if (sums.steps < REPORT_INTERVAL_STEPS && step + 1 < totalSteps) continue;
      losses.push({ step: step + 1, recon: sums.recon / sums.steps, kl: sums.kl / sums.steps });
      sums = { recon: 0, kl: 0, steps: 0 };
    }
    progress.stop();

    // ---- posteriors, metric, close
    const { means, variances } = await posteriors(session, train, config);
    const heldOut = await meanReconstruction(session, validation, config);
    const build = (scaling: MetricScaling) =>
      buildMetric(means, variances, {
        dimension: config.latentSize,
        k: Math.min(CENTROID_COUNT, MAX_CENTROIDS_PER_SEQUENCE * train.count),
        random: new Random(seed).fork("medoids"),
        scaling,
      });
    const metrics = { posterior: build("posterior"), trace: build("trace") };
    const durationMs = Math.round(performance.now() - startMs);
    const last = losses[losses.length - 1];
    process.stderr.write(
      `pre-training: ${totalSteps} steps in ${formatDuration(durationMs)}, frame reconstruction ${last.recon.toFixed(2)}, held out from the mean ${heldOut.toFixed(2)}\n`,
    );
    const parameters = Object.fromEntries(
      Object.entries(session.exportState().params).map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]),
    );
    const report = {
      data: sprites.fingerprint, steps: totalSteps, seed, threads: options.threads, batchSize: BATCH_SIZE, durationMs, losses,
      heldOutFrameReconstruction: heldOut, temperature: metrics.posterior.temperature,
      metrics: { posterior: { ...metrics.posterior.info }, trace: { ...metrics.trace.info } },
    };
    return { parameters, metrics, report: JSON.parse(JSON.stringify(report)) };
  } finally {
    progress.stop();
    await session.close();
  }
}

/** Calls `use` with consecutive blocks of frame numbers, all of one length: the last block repeats the last frame. */
async function forFrameBlocks(set: SpriteSet, use: (frames: Int32Array, used: number) => Promise<void>): Promise<number> {
  const count = set.count * FRAMES_PER_SEQUENCE;
  for (let start = 0; start < count; start += EVALUATION_BATCH) {
    const frames = Int32Array.from({ length: EVALUATION_BATCH }, (_, i) => Math.min(start + i, count - 1));
    await use(frames, Math.min(EVALUATION_BATCH, count - start));
  }
  return count;
}

/** Posterior means and variances of all frames, [N, D] each. */
async function posteriors(session: TrainingSession, set: SpriteSet, { frameSize, latentSize }: RlvaeConfig) {
  const evaluate = await session.compile((params, { x }) => {
    const { mean, logVar } = encode(params, x as tf.Tensor2D);
    return { mean, variance: tf.exp(logVar) };
  }, { x: { shape: [EVALUATION_BATCH, frameSize] } });
  const x = new Float32Array(EVALUATION_BATCH * frameSize);
  const means = new Float32Array(set.count * FRAMES_PER_SEQUENCE * latentSize);
  const variances = new Float32Array(means.length);
  await forFrameBlocks(set, async (frames, used) => {
    const { mean, variance } = await evaluate({ x: fillFrames(set, frames, x) });
    means.set(mean.subarray(0, used * latentSize), frames[0] * latentSize);
    variances.set(variance.subarray(0, used * latentSize), frames[0] * latentSize);
  });
  return { means, variances };
}

/** Mean over all frames of the summed squared error of the reconstruction from the posterior mean. */
async function meanReconstruction(session: TrainingSession, set: SpriteSet, { frameSize }: RlvaeConfig): Promise<number> {
  const evaluate = await session.compile((params, { x }) => {
    const frames = x as tf.Tensor2D;
    return { error: tf.sum(tf.squaredDifference(decode(params, encodeMean(params, frames)), frames), 1) };
  }, { x: { shape: [EVALUATION_BATCH, frameSize] } });
  const x = new Float32Array(EVALUATION_BATCH * frameSize);
  let total = 0;
  const count = await forFrameBlocks(set, async (frames, used) => {
    const { error } = await evaluate({ x: fillFrames(set, frames, x) });
    for (const value of error.subarray(0, used)) total += value;
  });
  return total / count;
}
