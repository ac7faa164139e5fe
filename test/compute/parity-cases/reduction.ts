// Parity cases of reductions, scans, softmax and normalisation.
import * as tf from "@tensorflow/tfjs-core";
import { booleans, integers, type ParityCase, parityCase, scattered } from "./case.ts";

const block = { x: scattered([2, 3, 4]) };
const positive = { x: scattered([2, 3, 4], 0.5, 1.5) };

export const reductionCases: readonly ParityCase[] = [
  parityCase("sum of everything", 1, block, ({ x }) => tf.sum(x)),
  parityCase("sum over axes", 1, block, ({ x }) => [tf.sum(x, 1), tf.sum(x, [0, -1], true)]),
  parityCase("sum of squares", 2, block, ({ x }) => tf.sum(tf.square(x), [0, 2])),
  parityCase(
    "sum of integers and of truth values",
    0,
    { i: integers([1, 2, 3]), b: booleans([1, 0, 1]) },
    ({ i, b }) => [tf.sum(i), tf.sum(b)],
  ),
  parityCase("mean", 2, block, ({ x }) => tf.square(tf.mean(x, [1, 2]))),
  parityCase("mean of integers", 0, { i: integers([1, 2, 4]) }, ({ i }) => tf.mean(i)),
  parityCase("max and min", 2, block, ({ x }) => [tf.square(tf.max(x, 1)), tf.square(tf.min(x, [0, 2]))]),
  parityCase("prod", 1, positive, ({ x }) => [tf.prod(x, 1), tf.prod(x)]),
  parityCase("all and any", 0, { b: booleans([1, 0, 1, 1, 0, 0], [3, 2]) }, ({ b }) => [
    tf.all(b, 1),
    tf.any(b, 1),
    tf.all(b),
    tf.any(b),
  ]),
  parityCase("argMax and argMin", 0, block, ({ x }) => [tf.argMax(x, 1), tf.argMin(x, -1)]),
  parityCase("argMax takes the first of equals", 0, { x: { shape: [4], data: [1, 3, 3, 2] } }, ({ x }) => tf.argMax(x)),
  parityCase("cumsum", 1, block, ({ x }) => [
    tf.cumsum(x, 1),
    tf.cumsum(x, 2, true),
    tf.cumsum(x, 0, false, true),
    tf.cumsum(x, 1, true, true),
  ]),
  parityCase("cumprod", 0, positive, ({ x }) => [
    tf.cumprod(x, 1),
    tf.cumprod(x, 2, true),
    tf.cumprod(x, 2, false, true),
    tf.cumprod(x, 1, true, true),
  ]),
  parityCase("softmax", 2, block, ({ x }) => tf.softmax(x)),
  parityCase("logSoftmax", 2, block, ({ x }) => tf.logSoftmax(x)),
  parityCase("logSumExp", 2, block, ({ x }) => tf.logSumExp(x, 1)),
  parityCase("softmax cross entropy", 2, { x: scattered([3, 4]), p: scattered([3, 4], 0.1, 0.9) }, ({ x, p }) =>
    tf.losses.softmaxCrossEntropy(p, x),
  ),
  parityCase("moments", 2, block, ({ x }) => Object.values(tf.moments(x, [0, 1]))),
  parityCase("euclidean norm", 2, block, ({ x }) => tf.norm(x, 2, 1)),
  parityCase(
    "layer normalisation",
    2,
    { x: scattered([4, 6]), gain: scattered([6], 0.5, 1.5), shift: scattered([6]) },
    ({ x, gain, shift }) => {
      const { mean, variance } = tf.moments(x, -1, true);
      return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5))), gain), shift);
    },
  ),
  parityCase(
    "batch normalisation",
    1,
    {
      x: scattered([2, 3, 3, 4]),
      mean: scattered([4]),
      variance: scattered([4], 0.5, 2),
      offset: scattered([4], -1, 1),
      scale: scattered([4], 0.5, 1.5),
    },
    ({ x, mean, variance, offset, scale }) =>
      tf.batchNorm(
        x as tf.Tensor4D,
        mean as tf.Tensor1D,
        variance as tf.Tensor1D,
        offset as tf.Tensor1D,
        scale as tf.Tensor1D,
        1e-3,
      ),
  ),
];
