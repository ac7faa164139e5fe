// Names, counts and initial values of the parameters, the original's state dict, and masks that survive an optimizer.

import { describe, expect, test } from "bun:test";
import * as tf from "@tensorflow/tfjs-core";
import {
  checkParameters,
  DEFAULT_CONFIG,
  fromStateDict,
  initialParameters,
  madeMasks,
  ModelError,
  originalName,
  parameterCount,
  parameterShapes,
  resolveObjective,
  rlvaeConfig,
  toStateDict,
  trainedParameterNames,
  vanillaParameterNames,
} from "@cleanloop/models";
import { maskedLinear } from "../../lib/models/linear.ts";
import { normals, seededUniform, tinyConfig, waveParameters } from "./eager.ts";

describe("counts of the original", () => {
  const countOf = (prefix: string) => {
    const shapes = Object.entries(parameterShapes(DEFAULT_CONFIG)).filter(([name]) => name.startsWith(prefix));
    return shapes.reduce((sum, [, shape]) => sum + shape.reduce((product, size) => product * size, 1), 0);
  };

  test("trainable, by part", () => {
    expect(parameterCount(DEFAULT_CONFIG)).toBe(14_927_392);
    expect(countOf("encoder.")).toBe(6_308_384);
    expect(countOf("decoder.")).toBe(6_312_448);
    expect(countOf("flows.0.blocks.0.")).toBe(144_160);
    expect(countOf("flows.0.")).toBe(288_320);
    expect(countOf("flows.")).toBe(2_306_560);
  });

  test("17,221,152 with the masks", () => {
    const maskSize = madeMasks(16, 256, "natural").reduce((sum, mask) => sum + mask.length, 0);
    expect(parameterCount(DEFAULT_CONFIG) + 16 * maskSize).toBe(17_221_152);
  });
});

describe("initial parameters", () => {
  const config = rlvaeConfig({ frameSize: 100, hiddenSize: 64, flowHiddenSize: 32 });
  const parameters = initialParameters(config, seededUniform(1));

  test("fill ±1/√fan_in uniformly", () => {
    for (const [name, shape] of Object.entries(parameterShapes(config))) {
      const { data } = parameters[name];
      const fanIn = parameterShapes(config)[name.replace(".bias", ".weight")][1];
      const bound = 1 / Math.sqrt(fanIn);
      expect(data.every((value) => Math.abs(value) <= bound)).toBe(true);
      if (name === "encoder.hidden.weight") {
        const variance = data.reduce((sum, value) => sum + value ** 2, 0) / data.length;
        expect(variance / (bound ** 2 / 3)).toBeCloseTo(1, 1);
      }
      expect(shape.reduce((product, size) => product * size, 1)).toBe(data.length);
    }
    expect(() => checkParameters(config, parameters)).not.toThrow();
  });

  test("are zero exactly where a mask is", () => {
    for (const [block, order] of [
      [0, "natural"],
      [1, "reversed"],
    ] as const) {
      madeMasks(16, 32, order).forEach((mask, layer) => {
        const { data } = parameters[`flows.2.blocks.${block}.layers.${layer}.weight`];
        expect(Array.from(data, (value) => Number(value !== 0))).toEqual([...mask]);
      });
    }
  });

  test("repeat with their seed", () => {
    expect(initialParameters(config, seededUniform(1))).toEqual(parameters);
    expect(initialParameters(config, seededUniform(2))["decoder.hidden.bias"]).not.toEqual(
      parameters["decoder.hidden.bias"],
    );
  });
});

test("what an objective trains: not the last flow, and the log-variance head only for a Gaussian posterior", () => {
  const all = Object.keys(parameterShapes(DEFAULT_CONFIG));
  const untrained = (posterior: "riemannian_metric" | "gaussian") => {
    const trained = new Set(trainedParameterNames(DEFAULT_CONFIG, resolveObjective("fixed", { posterior })));
    return all.filter((name) => !trained.has(name));
  };
  const lastFlow = all.filter((name) => name.startsWith("flows.7."));
  expect(lastFlow.length).toBe(16);
  expect(untrained("gaussian")).toEqual(lastFlow);
  expect(untrained("riemannian_metric")).toEqual(["encoder.logVar.weight", "encoder.logVar.bias", ...lastFlow]);
  expect(vanillaParameterNames(DEFAULT_CONFIG).length).toBe(10);
});

describe("the original's state dict", () => {
  const parameters = waveParameters(tinyConfig, 0.5);
  const stateDict = toStateDict(tinyConfig, parameters);

  test("names and shapes of encoder and decoder", () => {
    const full = Object.fromEntries(
      Object.entries(parameterShapes(DEFAULT_CONFIG)).map(([name, shape]) => [originalName(name), shape]),
    );
    expect(full).toMatchObject({
      "encoder.layers.0.0.weight": [512, 12288],
      "encoder.layers.0.0.bias": [512],
      "encoder.embedding.weight": [16, 512],
      "encoder.embedding.bias": [16],
      "encoder.log_var.weight": [16, 512],
      "encoder.log_var.bias": [16],
      "decoder.layers.0.0.weight": [512, 16],
      "decoder.layers.0.0.bias": [512],
      "decoder.layers.1.0.weight": [12288, 512],
      "decoder.layers.1.0.bias": [12288],
      "flows.7.net.1.context_input_layer.weight": [256, 16],
      "flows.7.net.1.net.4.weight": [32, 256],
    });
    expect(() => originalName("encoder.unknown.weight")).toThrow(ModelError);
  });

  test("there and back loses nothing", () => {
    expect(fromStateDict(tinyConfig, stateDict)).toEqual(parameters);
    expect(toStateDict(tinyConfig, fromStateDict(tinyConfig, stateDict))).toEqual(stateDict);
  });

  test("masks and other entries are passed over, absent parts left out, wrong shapes refused", () => {
    const encoderOnly = Object.entries(stateDict).filter(([name]) => name.startsWith("encoder."));
    const withMask = {
      ...Object.fromEntries(encoderOnly),
      "flows.0.net.0.net.0.mask": { shape: [8, 8], data: new Float32Array(64) },
    };
    expect(Object.keys(fromStateDict(tinyConfig, withMask)).every((name) => name.startsWith("encoder."))).toBe(true);
    expect(Object.keys(fromStateDict(tinyConfig, withMask)).length).toBe(6);
    const wrong = { "encoder.embedding.weight": { shape: [6, 4], data: new Float32Array(24) } };
    expect(() => fromStateDict(tinyConfig, wrong)).toThrow(
      "got encoder.embedding.weight with shape [6, 4], wanted [4, 6]",
    );
  });

  test("a checkpoint of another configuration is refused by name", () => {
    expect(() => checkParameters(DEFAULT_CONFIG, parameters)).toThrow("got encoder.hidden.weight with shape [6, 12]");
    const { "decoder.output.bias": _, ...rest } = parameters;
    expect(() => checkParameters(tinyConfig, rest)).toThrow("got no decoder.output.bias, wanted it with shape [12]");
  });
});

test("masked layers train as if the weight were multiplied by the mask, and masked entries stay exactly zero", () => {
  const [mask] = madeMasks(4, 8, "natural");
  const maskTensor = tf.tensor2d(mask, [8, 4]);
  const x = normals(1, [5, 4]);
  const target = normals(2, [5, 8]);
  const bias: tf.Tensor1D = tf.reshape(normals(3, [1, 8]), [8]);
  const start = normals(4, [8, 4]).dataSync();
  const squaredError = (y: tf.Tensor): tf.Scalar => tf.mean(tf.square(tf.sub(y, target)));
  const ours = adam(
    start.map((value, i) => value * mask[i]),
    (weight) => {
      return squaredError(maskedLinear({ "l.weight": weight, "l.bias": bias }, "l", x, maskTensor));
    },
  );
  const multiplied = adam(start, (weight) => squaredError(tf.add(tf.matMul(x, tf.mul(weight, maskTensor), false, true), bias)));
  ours.forEach((value, i) => {
    if (mask[i] === 0) expect(value === 0).toBe(true);
    else expect(value).toBeCloseTo(multiplied[i], 5);
    expect(Math.abs(value - start[i]) > 1e-3 || mask[i] === 0).toBe(true);
  });
});

test("a masked layer also passes the gradient on to its input", () => {
  const maskTensor = tf.tensor2d(madeMasks(4, 8, "natural")[0], [8, 4]);
  const weight = tf.mul(normals(4, [8, 4]), maskTensor);
  const layer = { "l.weight": weight, "l.bias": tf.zeros([8]) };
  const weights = normals(5, [3, 8]);
  const gradient = tf.grad((x) => tf.sum(tf.mul(maskedLinear(layer, "l", x as tf.Tensor2D, maskTensor), weights)));
  const expected = tf.matMul(weights, weight).dataSync();
  gradient(normals(6, [3, 4]))
    .dataSync()
    .forEach((value, i) => expect(value).toBeCloseTo(expected[i], 5));
});

test("objectives: presets, changes, and parts that exclude each other", () => {
  expect(resolveObjective("fixed")).toMatchObject({
    kl: "exact",
    klWeight: 1,
    flowWeight: 0,
    metricScaling: "posterior",
  });
  const faithful = resolveObjective("faithful", { klWeight: undefined, flowWeight: 0.5 });
  expect(faithful).toMatchObject({
    kl: "legacy",
    klWeight: 8,
    flowWeight: 0.5,
    metricScaling: "trace",
    metricTemperature: 3,
  });
  expect(resolveObjective("faithful", { posterior: "iaf" })).toMatchObject({ kl: "gaussian", klWeight: 1 });
  expect(() => resolveObjective("fixed", { posterior: "gaussian", kl: "exact" })).toThrow("wanted kl gaussian");
  expect(() => resolveObjective("fixed", { kl: "gaussian" })).toThrow("wanted kl legacy, exact or gaussian_prior");
  expect(() => resolveObjective("fixed", { flowWeight: NaN })).toThrow("got flowWeight NaN");
  expect(() => resolveObjective("fixed", { priorStd: 0 })).toThrow("got priorStd 0");
});

test("configurations that cannot work are refused by the name of the size", () => {
  expect(() => rlvaeConfig({ latentSize: 1 })).toThrow("got latentSize 1, wanted a whole number of at least 2");
  expect(() => rlvaeConfig({ flowCount: 6 })).toThrow("got 6 flows for 8 frames, wanted at least 7");
  expect(() => rlvaeConfig({ hiddenSize: 0.5 })).toThrow("got hiddenSize 0.5");
  expect(() => rlvaeConfig({ logScaleLimit: 0 })).toThrow("got logScaleLimit 0");
});

/** Ten steps of Adam with L2 weight decay as PyTorch defines them, lr 0.01. */
function adam(start: ArrayLike<number>, loss: (weight: tf.Tensor2D) => tf.Scalar): Float32Array {
  const weight = Float32Array.from(start);
  const first = new Float32Array(weight.length);
  const second = new Float32Array(weight.length);
  const gradientAt = tf.grad((w) => loss(w as tf.Tensor2D));
  for (let step = 1; step <= 10; step++) {
    const gradient = gradientAt(tf.tensor2d(weight, [8, 4])).dataSync();
    for (let i = 0; i < weight.length; i++) {
      const g = gradient[i] + 1e-5 * weight[i];
      first[i] = 0.9 * first[i] + 0.1 * g;
      second[i] = 0.999 * second[i] + 0.001 * g * g;
      weight[i] -= (0.01 * (first[i] / (1 - 0.9 ** step))) / (Math.sqrt(second[i] / (1 - 0.999 ** step)) + 1e-8);
    }
  }
  return weight;
}
