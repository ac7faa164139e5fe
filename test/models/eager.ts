// What the tests of this package share: tfjs on its cpu backend, the tiny configuration, deterministic parameters.

import type { HostTensor } from "@cleanloop/compute";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import {
  fromStateDict,
  originalName,
  parameterShapes,
  rlvaeConfig,
  type MetricValues,
  type RlvaeConfig,
  type UniformSource,
} from "@cleanloop/models";

await tf.setBackend("cpu");

/** Few enough numbers to differentiate one by one. */
export const tinyConfig = rlvaeConfig({
  frameCount: 4,
  frameSize: 12,
  hiddenSize: 6,
  latentSize: 4,
  flowCount: 4,
  flowHiddenSize: 8,
});

/** Values amplitude · sin(0.7 k + 0.3), k counting through the original's parameters in its layout and order. */
export function waveParameters(config: RlvaeConfig, amplitude: number, prefix = ""): Record<string, HostTensor> {
  let k = 0;
  const stateDict: Record<string, HostTensor> = {};
  for (const [name, shape] of Object.entries(parameterShapes(config))) {
    if (!name.startsWith(prefix)) continue;
    const data = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => {
      return amplitude * Math.sin(0.7 * k++ + 0.3);
    });
    stateDict[originalName(name)] = { shape, data };
  }
  return fromStateDict(config, stateDict);
}

export function toTensors(parameters: Readonly<Record<string, HostTensor>>): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape])]),
  );
}

/** The value of a one-element tensor. */
export function scalar(tensor: tf.Tensor): number {
  return tensor.dataSync()[0];
}

/** mulberry32: enough for test data. */
export function seededUniform(seed: number): UniformSource {
  let state = seed >>> 0;
  return {
    uniform() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}

/** Standard normal draws by Box-Muller, as a tensor. */
export function normals(seed: number, shape: [number, number]): tf.Tensor2D {
  const random = seededUniform(seed);
  const values = Float32Array.from({ length: shape[0] * shape[1] }, () => {
    return Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
  });
  return tf.tensor2d(values, shape);
}

/** K = 3, D = 2 with full matrices: the metric that the published parity values belong to. */
export const exampleMetric: MetricValues = {
  kind: "full",
  count: 3,
  dimension: 2,
  centroids: [0, 0, 1, 0.5, -0.5, 1],
  matrices: [1, 0.2, 0.2, 0.5, 0.8, -0.1, -0.1, 1.2, 0.6, 0, 0, 0.9],
  temperature: 0.8,
  lambda: 0.01,
};

/** A random metric with overlapping kernels; full matrices are A Aᵀ / D + 0.2 I. */
export function randomMetric(kind: MetricValues["kind"], dimension: number, count: number, seed = 1): MetricValues {
  const random = seededUniform(seed);
  const symmetric = () => 2 * random.uniform() - 1;
  const centroids = Array.from({ length: count * dimension }, symmetric);
  const matrices = Array.from({ length: count }, () => {
    if (kind === "diagonal") return Array.from({ length: dimension }, () => 0.2 + random.uniform());
    const root = Array.from({ length: dimension * dimension }, symmetric);
    return root.map((_, i) => {
      const [row, column] = [Math.floor(i / dimension), i % dimension];
      let sum = row === column ? 0.2 : 0;
      for (let p = 0; p < dimension; p++) sum += (root[row * dimension + p] * root[column * dimension + p]) / dimension;
      return sum;
    });
  });
  return { kind, count, dimension, centroids, matrices: matrices.flat(), temperature: 1.5, lambda: 0.01 };
}
