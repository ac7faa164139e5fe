// A whole forward and backward of the tiny model against float64 PyTorch in the original's layout
// (fixtures/tiny_rlvae.py): reversals before every block, weights multiplied by masks, inverses and factors of the
// metric by torch.linalg.

import { describe, expect, test } from "bun:test";
import * as tf from "@tensorflow/tfjs-core";
import {
  resolveObjective,
  rlvaeLoss,
  toStateDict,
  trainedParameterNames,
  type Divergence,
  type FlowDirection,
  type LoopMode,
  type MetricValues,
  type RlvaeModel,
} from "@cleanloop/models";
import { scalar, tinyConfig, toTensors, waveParameters } from "./eager.ts";
import golden from "./fixtures/tiny_rlvae.json";

const params = toTensors(waveParameters(tinyConfig, 0.3));
const inputs = { x: tf.tensor3d(golden.x, [3, 4, 12]), noise: tf.tensor2d(golden.noise, [3, 4]) };

describe.each(golden.results.map((result) => ({ ...result, name: title(result.case) })))("$name", (result) => {
  const model = modelOf(result.case);

  test("loss and terms", () => {
    const { loss, metrics } = rlvaeLoss(params, inputs, model);
    expectRelative(scalar(loss), result.loss);
    for (const [term, value] of Object.entries(result.terms)) {
      expectRelative(scalar(metrics[term as keyof typeof metrics]), value);
    }
  });

  test("gradient of every parameter, and no other parameter has one", () => {
    const names = trainedParameterNames(model.config, model.objective);
    const gradient = tf.grads((...tensors: tf.Tensor[]) => {
      return rlvaeLoss({ ...params, ...Object.fromEntries(names.map((name, i) => [name, tensors[i]])) }, inputs, model)
        .loss;
    })(names.map((name) => params[name]));
    const zeros = Object.entries(params).map(([name, { shape, size }]) => [
      name,
      { shape, data: new Float32Array(size) },
    ]);
    const own = gradient.map(({ shape }, i) => [names[i], { shape, data: gradient[i].dataSync() as Float32Array }]);
    const stateDict = toStateDict(tinyConfig, { ...Object.fromEntries(zeros), ...Object.fromEntries(own) });
    const expected: Record<string, number[] | undefined> = result.gradients;
    expect(Object.keys(expected).length).toBe(names.length);
    const largest = Math.max(...Object.values(expected).map((entry) => entry?.[0] ?? 0));
    for (const [name, { data }] of Object.entries(stateDict)) {
      const [norm, projection] = expected[name] ?? [0, 0];
      const tolerance = 2e-5 * norm + 1e-6 * largest;
      expect(Math.abs(Math.hypot(...data) - norm)).toBeLessThan(tolerance);
      const ownProjection = data.reduce((sum, value, i) => sum + value * Math.cos(1.3 * i + 0.2), 0);
      expect(Math.abs(ownProjection - projection)).toBeLessThan(tolerance);
    }
  });
});

type Case = (typeof golden.results)[number]["case"];

function title({ kl, metric, loop, direction }: Case): string {
  return `${kl} divergence, ${metric} metric, ${loop} loop, ${direction} flows`;
}

function modelOf(torchCase: Case): RlvaeModel {
  const kl = torchCase.kl as Divergence;
  const kind = torchCase.metric as MetricValues["kind"];
  return {
    config: { ...tinyConfig, flowDirection: torchCase.direction as FlowDirection },
    objective: resolveObjective("fixed", {
      posterior: kl === "gaussian" ? "gaussian" : "riemannian_metric",
      kl,
      klWeight: torchCase.kl_weight,
      flowWeight: torchCase.flow_weight,
      loopMode: torchCase.loop as LoopMode,
      cyclePenalty: torchCase.cycle_penalty,
      priorStd: torchCase.prior_std,
    }),
    metric: {
      kind,
      count: 3,
      dimension: 4,
      centroids: golden.metric.centroids,
      matrices: golden.metric[kind],
      temperature: golden.metric.temperature,
      lambda: golden.metric.lambda,
    },
  };
}

function expectRelative(actual: number, expected: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-5 * Math.max(Math.abs(expected), 0.1));
}
