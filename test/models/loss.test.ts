// What each term of the loss means in both loop modes, and gradients by finite differences.

import { describe, expect, test } from "bun:test";
import * as tf from "@tensorflow/tfjs-core";
import {
  decode,
  encode,
  initialParameters,
  ModelError,
  resolveObjective,
  rlvaeEvaluation,
  rlvaeLoss,
  rlvaeReconstruction,
  samplePosterior,
  vanillaLoss,
  type Objective,
  type RlvaeModel,
} from "@cleanloop/models";
import { normals, randomMetric, scalar, seededUniform, tinyConfig, toTensors } from "./eager.ts";

const params = toTensors(initialParameters(tinyConfig, seededUniform(3)));
const random = seededUniform(4);
const x = tf.tensor3d(
  Float32Array.from({ length: 5 * 48 }, () => random.uniform()),
  [5, 4, 12],
);
const inputs = { x, noise: normals(6, [5, 4]) };
const modelWith = (changes: Partial<Objective> = {}): RlvaeModel => ({
  config: tinyConfig,
  objective: resolveObjective("faithful", changes),
  metric: randomMetric("diagonal", 4, 6),
});

test("open loop: recon is the sum of squares over a sequence, and there is no penalty", () => {
  const { metrics } = rlvaeLoss(params, inputs, modelWith());
  const { reconstruction } = rlvaeReconstruction(params, inputs, modelWith());
  expect(scalar(metrics.recon)).toBeCloseTo(scalar(tf.sum(tf.square(tf.sub(reconstruction, x)))) / 5, 4);
  expect(scalar(metrics.cycle)).toBe(0);
  expect(scalar(metrics.latentCyclicity)).toBeGreaterThan(0);
});

test("closed loop: the last frame is decoded from z_0, frame 0 counts twice, the penalty is that of the raw last latent", () => {
  const model = modelWith({ loopMode: "closed" });
  const { metrics } = rlvaeLoss(params, inputs, model);
  const { latents } = rlvaeReconstruction(params, inputs, model);
  const frame = (t: number) => tf.reshape(tf.slice(x, [0, t, 0], [5, 1, 12]), [5, 12]);
  const latent = (t: number): tf.Tensor2D => tf.reshape(tf.slice(latents, [0, t, 0], [5, 1, 4]), [5, 4]);
  const error = (z: tf.Tensor2D, target: tf.Tensor) => scalar(tf.sum(tf.square(tf.sub(decode(params, z), target)))) / 5;
  const expected =
    2 * error(latent(0), frame(0)) +
    error(latent(1), frame(1)) +
    error(latent(2), frame(2)) +
    error(latent(0), frame(3));
  expect(scalar(metrics.recon)).toBeCloseTo(expected, 4);
  const penalty = scalar(tf.mean(tf.square(tf.sub(latent(3), latent(0)))));
  expect(penalty).toBeGreaterThan(1e-3);
  expect(scalar(metrics.cycle)).toBeCloseTo(penalty, 6);
});

test.each(["open", "closed"] as const)(
  "%s loop: the loss is the weighted sum of its terms, in training and evaluation",
  (loopMode) => {
    const model = modelWith({ loopMode, klWeight: 3, flowWeight: 0.7, cyclePenalty: 5 });
    const { loss, metrics } = rlvaeLoss(params, inputs, model);
    const evaluation = rlvaeEvaluation(params, inputs, model);
    for (const [total, { recon, kl, flow, cycle }] of [
      [loss, metrics],
      [evaluation.loss, evaluation],
    ] as const) {
      const sum = scalar(recon) + 3 * scalar(kl) + 0.7 * scalar(flow) + 5 * scalar(cycle);
      expect(scalar(total)).toBeCloseTo(sum, 4);
    }
  },
);

test("a flow weight of zero leaves the flow term out of the loss but not out of the report", () => {
  const { loss, metrics } = rlvaeLoss(params, inputs, modelWith({ flowWeight: 0, klWeight: 1 }));
  expect(scalar(loss)).toBeCloseTo(scalar(metrics.recon) + scalar(metrics.kl), 4);
  expect(Math.abs(scalar(metrics.flow))).toBeGreaterThan(1e-3);
});

test("evaluation of the closed loop decodes the latent that the flows reach", () => {
  const closed = rlvaeEvaluation(params, inputs, modelWith({ loopMode: "closed" }));
  const open = rlvaeEvaluation(params, inputs, modelWith());
  const { latents, reconstruction } = rlvaeReconstruction(params, inputs, modelWith());
  const ends = (sequences: tf.Tensor3D, size: number) => {
    const [first, last] = [0, 3].map((t) => tf.slice(sequences, [0, t, 0], [5, 1, size]));
    return scalar(tf.mean(tf.square(tf.sub(first, last))));
  };
  for (const evaluation of [open, closed]) {
    expect(scalar(evaluation.squaredError)).toBeCloseTo(scalar(tf.sum(tf.square(tf.sub(reconstruction, x)))) / 5, 4);
    expect(scalar(evaluation.imageCyclicity)).toBeCloseTo(ends(reconstruction, 12), 6);
    expect(scalar(evaluation.latentCyclicity)).toBeCloseTo(ends(latents, 4), 6);
  }
  const firstFrame = tf.slice(tf.square(tf.sub(reconstruction, x)), [0, 0, 0], [5, 1, 12]);
  expect(scalar(closed.recon) - scalar(open.recon)).toBeCloseTo(scalar(tf.sum(firstFrame)) / 5, 4);
  expect(scalar(closed.cycle)).toBeCloseTo(scalar(open.latentCyclicity), 6);
});

test("zero noise decodes the posterior mean", () => {
  const noise = tf.zeros([5, 4]);
  const { mean, latents } = rlvaeReconstruction(params, { x, noise }, modelWith());
  const first = tf.reshape(tf.slice(x, [0, 0, 0], [5, 1, 12]), [5, 12]) as tf.Tensor2D;
  expect([...mean.dataSync()]).toEqual([...encode(params, first).mean.dataSync()]);
  expect([...tf.slice(latents, [0, 0, 0], [5, 1, 4]).dataSync()]).toEqual([...mean.dataSync()]);
});

test("iaf is the Gaussian posterior, and only riemannian_metric needs a metric", () => {
  const gaussian = { config: tinyConfig, objective: resolveObjective("fixed", { posterior: "gaussian" }) };
  const iaf = { config: tinyConfig, objective: resolveObjective("fixed", { posterior: "iaf" }) };
  expect(scalar(rlvaeLoss(params, inputs, iaf).loss)).toBe(scalar(rlvaeLoss(params, inputs, gaussian).loss));
  const frames = tf.zeros([1, 12]) as tf.Tensor2D;
  const withoutMetric = () => samplePosterior(params, frames, normals(1, [1, 4]), resolveObjective("fixed"), undefined);
  expect(withoutMetric).toThrow(ModelError);
  expect(withoutMetric).toThrow("got no metric, wanted one for posterior riemannian_metric");
});

test("a parameter that is missing is named", () => {
  const { "flows.1.blocks.0.layers.2.bias": _, ...rest } = params;
  expect(() => rlvaeLoss(rest, inputs, modelWith())).toThrow("got no parameter flows.1.blocks.0.layers.2.bias");
});

describe("gradients along random directions are central differences", () => {
  test.each([
    ["faithful", "diagonal", modelWith()],
    ["closed", "diagonal", modelWith({ loopMode: "closed", cyclePenalty: 5 })],
    ["exact", "full", { ...modelWith({ kl: "exact" }), metric: randomMetric("full", 4, 6) }],
    ["gaussian_prior", "full", { ...modelWith({ kl: "gaussian_prior" }), metric: randomMetric("full", 4, 6) }],
  ] as const)("%s, %s metric", (_name, _kind, model) => {
    const names = Object.keys(params).filter(
      (name) => !name.startsWith("flows.3.") && !name.startsWith("encoder.logVar"),
    );
    checkGradient(names, (moved) => rlvaeLoss({ ...params, ...moved }, inputs, model).loss);
  });

  test("vanilla pre-training", () => {
    const names = Object.keys(params).filter((name) => !name.startsWith("flows."));
    const frames = { x: tf.reshape(x, [20, 12]), noise: normals(8, [20, 4]) };
    checkGradient(names, (moved) => vanillaLoss({ ...params, ...moved }, frames).loss);
  });
});

test("vanilla loss: squared error of the decoded sample plus the Gaussian divergence, per frame", () => {
  const frames: tf.Tensor2D = tf.reshape(x, [20, 12]);
  const noise = normals(8, [20, 4]);
  const { loss, metrics } = vanillaLoss(params, { x: frames, noise });
  const { mean, logVar } = encode(params, frames);
  const z = tf.add(mean, tf.mul(tf.sqrt(tf.exp(logVar)), noise)) as tf.Tensor2D;
  expect(scalar(metrics.recon)).toBeCloseTo(scalar(tf.sum(tf.square(tf.sub(decode(params, z), frames)))) / 20, 5);
  const m = Float32Array.from(mean.dataSync());
  const v = Float32Array.from(logVar.dataSync());
  const kl = m.reduce((sum, value, i) => sum + 0.5 * (Math.exp(v[i]) + value ** 2 - 1 - v[i]), 0) / 20;
  expect(scalar(metrics.kl)).toBeCloseTo(kl, 5);
  expect(scalar(loss)).toBeCloseTo(scalar(metrics.recon) + kl, 5);
});

function checkGradient(names: string[], loss: (moved: Record<string, tf.Tensor>) => tf.Scalar): void {
  const at = (tensors: tf.Tensor[]) => loss(Object.fromEntries(names.map((name, i) => [name, tensors[i]])));
  const point = names.map((name) => params[name]);
  const gradients = tf.grads((...tensors: tf.Tensor[]) => at(tensors))(point);
  // A ReLU that switches within the step spoils a direction, a wrong gradient all of them: the median decides.
  const errors = [20, 21, 22, 23, 24].map((seed) => {
    const directions = point.map((tensor, i) => {
      const free = tf.reshape(normals(seed * 100 + i, [tensor.size, 1]), tensor.shape);
      return tf.mul(free, tf.cast(tf.notEqual(tensor, 0), "float32")); // masked weights may not move
    });
    const analytic = gradients.reduce((sum, gradient, i) => sum + scalar(tf.sum(tf.mul(gradient, directions[i]))), 0);
    const step = 1e-3;
    const shifted = (sign: number) =>
      scalar(at(point.map((tensor, i) => tf.add(tensor, tf.mul(directions[i], sign * step)))));
    const numeric = (shifted(1) - shifted(-1)) / (2 * step);
    const scale = Math.sqrt(gradients.reduce((sum, gradient) => sum + scalar(tf.sum(tf.square(gradient))), 0));
    return Math.abs(numeric - analytic) / scale;
  });
  expect(errors.toSorted((a, b) => a - b)[2]).toBeLessThan(5e-3);
}
