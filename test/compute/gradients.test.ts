// Corrected gradients: first and second derivatives against finite differences, for every kernel that was wrong upstream.
import { beforeAll, describe, expect, test } from "bun:test";
import * as tf from "@tensorflow/tfjs-core";
import { openEngine } from "../../lib/compute/engines/index.ts";
import { outputSavingKernels } from "../../lib/compute/gradients/index.ts";
import { scattered } from "./parity-cases/case.ts";

beforeAll(async () => {
  await openEngine("tfjs", "cpu");
});

type ScalarFunction = (x: tf.Tensor) => tf.Scalar;

/** Weights that tell the output elements apart, so that no error cancels in the sum. */
const weighted = (y: tf.Tensor): tf.Scalar => {
  const weights = tf.tensor(scattered([y.size], 0.5, 1.5).data as number[], y.shape);
  return tf.sum(tf.mul(y, weights));
};

/**
 * Largest error of the gradient of `f` at `x` against central differences, relative to the largest gradient. The steps are
 * powers of two, so x ± h is exact in float32; Richardson's extrapolation of two steps removes the error of order h².
 */
function gradientError(f: ScalarFunction, x: tf.Tensor, step: number): number {
  return tf.tidy(() => {
    const gradient = tf
      .grad(f as (x: tf.Tensor) => tf.Tensor)(x)
      .dataSync();
    const start = x.dataSync();
    const at = (index: number, offset: number) => {
      const moved = Float64Array.from(start);
      moved[index] += offset;
      return f(tf.tensor(Float32Array.from(moved), x.shape)).dataSync()[0];
    };
    const difference = (index: number, h: number) => (at(index, h) - at(index, -h)) / (2 * h);
    const numeric = Array.from(start, (_, index) => (4 * difference(index, step / 2) - difference(index, step)) / 3);
    const scale = Math.max(...numeric.map(Math.abs));
    return Math.max(...numeric.map((value, index) => Math.abs(value - gradient[index]))) / scale;
  });
}

/** The gradient of a weighted sum of gradients: its own gradient is the second derivative. */
const nested =
  (f: (x: tf.Tensor) => tf.Tensor): ScalarFunction =>
  (x) =>
    weighted(tf.grad((t: tf.Tensor) => weighted(f(t)))(x));

const step = 2 ** -4;
const tolerance = 2e-3;

/** Functions that go through each output-saving kernel and are smooth where they are tested. */
const outputSaving: Record<string, [(x: tf.Tensor) => tf.Tensor, low: number, high: number]> = {
  Elu: [(x) => tf.elu(x), -1.5, -0.2],
  Exp: [(x) => tf.exp(x), -1, 1],
  Max: [(x) => tf.square(tf.max(x, 1)), -1, 1],
  Min: [(x) => tf.square(tf.min(x, 1)), -1, 1],
  Pow: [(x) => tf.pow(x, x), 0.6, 1.6],
  Sigmoid: [(x) => tf.sigmoid(x), -2, 2],
  Softmax: [(x) => tf.softmax(x), -1, 1],
  Tanh: [(x) => tf.tanh(x), -1, 1],
};

/** Kernels whose backward kernel tfjs cannot differentiate (and says so), or that no operation calls. */
const notTwice: Record<string, string> = {
  LRN: "LRNGrad has no gradient",
  LogSoftmax: "tf.logSoftmax is a customGrad, tested below",
  MaxPool: "MaxPoolGrad has no gradient",
  MaxPool3D: "MaxPool3DGrad has no gradient",
};

describe("kernels whose gradient saves outputs", () => {
  test("the list is that of tfjs", () => {
    const saving = Object.entries(tf)
      .filter(([name, value]) => name === value && tf.getGradient(name)?.outputsToSave?.some(Boolean))
      .map(([name]) => name);
    expect(saving.sort()).toEqual(Object.keys(outputSavingKernels).sort());
    expect([...Object.keys(outputSaving), ...Object.keys(notTwice)].sort()).toEqual(saving.sort());
  });

  test.each(Object.entries(outputSaving))("%s: first and second derivative", (_, [f, low, high]) => {
    const x = tf.tensor([...scattered([3, 4], low, high).data], [3, 4]);
    expect(gradientError((t) => weighted(f(t)), x, step)).toBeLessThan(tolerance);
    expect(gradientError(nested(f), x, step)).toBeLessThan(tolerance);
  });

  test("differentiating max pooling twice is refused, not wrong", () => {
    const x = tf.tensor4d([...scattered([1, 4, 4, 1]).data], [1, 4, 4, 1]);
    const f = (t: tf.Tensor) => tf.square(tf.maxPool(t as tf.Tensor4D, 2, 2, "valid"));
    expect(() => tf.grad(nested(f))(x)).toThrow("MaxPoolGrad");
  });
});

describe("closed forms", () => {
  const second = (f: (x: tf.Tensor) => tf.Tensor) => (at: number) => tf.grad(tf.grad(f))(tf.scalar(at)).dataSync()[0];

  test("tanh, written with exponentials: -2 tanh (1 - tanh²)", () => {
    const at = 0.3;
    const t = Math.tanh(at);
    const composed = second((x) => tf.div(tf.sub(tf.exp(tf.mul(x, 2)), 1), tf.add(tf.exp(tf.mul(x, 2)), 1)));
    expect(composed(at)).toBeCloseTo(-2 * t * (1 - t * t), 5);
    expect(second(tf.tanh)(at)).toBeCloseTo(-2 * t * (1 - t * t), 5);
  });

  test("third derivative of exp", () => {
    expect(
      tf
        .grad(tf.grad(tf.grad(tf.exp)))(tf.scalar(0.5))
        .dataSync()[0],
    ).toBeCloseTo(Math.exp(0.5), 4);
  });

  test("mixed derivative of a power: d²(a^b)/da db = a^(b-1) (1 + b ln a)", () => {
    const derivative = tf.grad((b: tf.Tensor) => tf.grad((a: tf.Tensor) => tf.pow(a, b))(tf.scalar(1.7)));
    expect(derivative(tf.scalar(2.3)).dataSync()[0]).toBeCloseTo(1.7 ** 1.3 * (1 + 2.3 * Math.log(1.7)), 4);
  });

  test("pullback metric of a decoder: the gradient of |J v|² by differences", () => {
    const weights = tf.tensor2d([...scattered([4, 5], -1, 1).data], [4, 5]);
    const decode = (z: tf.Tensor) => tf.sigmoid(tf.matMul(tf.tanh(tf.matMul(z, weights)), tf.transpose(weights)));
    const energy: ScalarFunction = (z) => tf.sum(tf.square(tf.grad((t: tf.Tensor) => weighted(decode(t)))(z)));
    expect(gradientError(energy, tf.tensor2d([...scattered([2, 4], -1, 1).data], [2, 4]), step)).toBeLessThan(
      tolerance,
    );
  });
});

describe("tf.customGrad differentiated twice", () => {
  const smooth: [string, (x: tf.Tensor) => tf.Tensor][] = [
    ["logSoftmax, which saves its output", (x) => tf.logSoftmax(x)],
    [
      "softmax cross entropy, which saves an intermediate",
      (x) => tf.losses.softmaxCrossEntropy(tf.fill([3, 4], 0.25), tf.mul(x, x)),
    ],
    ["logSigmoid, which saves nothing", (x) => tf.logSigmoid(x)],
    ["fused matMul, which saves its output", (x) => tf.tanh(tf.fused.matMul({ a: x, b: tf.transpose(x) }))],
  ];
  test.each(smooth)("%s", (_, f) => {
    const x = tf.tensor2d([...scattered([3, 4], -1, 1).data], [3, 4]);
    expect(gradientError((t) => weighted(f(t)), x, step)).toBeLessThan(tolerance);
    expect(gradientError(nested(f), x, step)).toBeLessThan(tolerance);
  });

  test("a gradient that is not the derivative is still the one used", () => {
    const clipped = tf.customGrad((...args) => ({
      value: tf.clone(args[0] as tf.Tensor),
      gradFunc: (dy: tf.Tensor) => tf.mul(dy, 5),
    }));
    expect(
      tf
        .grad((x: tf.Tensor) => clipped(x))(tf.scalar(2))
        .dataSync()[0],
    ).toBe(5);
  });
});

describe("gradients that tfjs lacks or gets wrong", () => {
  const image = () => tf.tensor4d([...scattered([1, 5, 4, 2]).data], [1, 5, 4, 2]);
  const cases: [string, (x: tf.Tensor) => tf.Tensor, () => tf.Tensor][] = [
    ["average pooling at the border", (x) => tf.avgPool(x as tf.Tensor4D, 3, 2, "same"), image],
    [
      "reflected padding",
      (x) =>
        tf.mirrorPad(
          x,
          [
            [0, 0],
            [2, 1],
            [1, 2],
            [0, 0],
          ],
          "reflect",
        ),
      image,
    ],
    [
      "symmetric padding",
      (x) =>
        tf.mirrorPad(
          x,
          [
            [0, 0],
            [2, 1],
            [1, 2],
            [0, 0],
          ],
          "symmetric",
        ),
      image,
    ],
    ["cumulative sum along an inner axis", (x) => tf.cumsum(x, 1), image],
    [
      "cumulative sum of a square tensor",
      (x) => tf.cumsum(x, 0, true),
      () => tf.tensor2d([...scattered([3, 3]).data], [3, 3]),
    ],
    ["unstack into one", (x) => tf.unstack(tf.reshape(x, [1, 40]))[0], image],
    ["split into one", (x) => tf.split(x, 1, 1)[0], image],
    ["product over everything", (x) => tf.prod(x), () => tf.tensor2d([...scattered([2, 3], 0.5, 1.5).data], [2, 3])],
    [
      "broadcast maximum",
      (x) => tf.maximum(tf.zeros([2, 3, 4]), x),
      () => tf.tensor2d([...scattered([3, 1]).data], [3, 1]),
    ],
    [
      "broadcast squared difference",
      (x) => tf.squaredDifference(tf.ones([2, 3, 4]), x),
      () => tf.tensor2d([...scattered([3, 1]).data], [3, 1]),
    ],
    [
      "batch times one matrix",
      (x) => tf.matMul(tf.ones([2, 3, 4]), x),
      () => tf.tensor2d([...scattered([4, 2]).data], [4, 2]),
    ],
    ["einsum", (x) => tf.einsum("ij,kj->ik", x, tf.square(x)), () => tf.tensor2d([...scattered([3, 4]).data], [3, 4])],
    [
      "einsum that sums an axis away",
      (x) => tf.einsum("ij->j", tf.square(x)),
      () => tf.tensor2d([...scattered([3, 4]).data], [3, 4]),
    ],
    ["max pooling, overlapping", (x) => tf.maxPool(x as tf.Tensor4D, 3, 1, "same"), image],
  ];
  test.each(cases)("%s", (_, f, input) => {
    expect(gradientError((x) => weighted(f(x)), input(), 2 ** -6)).toBeLessThan(tolerance);
  });

  test("a comparison inside a differentiated expression counts as constant", () => {
    const f = (x: tf.Tensor) =>
      tf.sum(tf.where(tf.logicalAnd(tf.greater(x, 0), tf.less(x, tf.square(x))), tf.square(x), tf.mul(x, 3)));
    expect([
      ...tf
        .grad(f)(tf.tensor1d([-1, 0.5, 2]))
        .dataSync(),
    ]).toEqual([3, 3, 4]);
    expect([
      ...tf
        .grad((x) => tf.sum(tf.grad(f)(x)))(tf.tensor1d([-1, 0.5, 2]))
        .dataSync(),
    ]).toEqual([0, 0, 2]);
  });

  test("second derivative with respect to a convolution's filter", () => {
    const x = image();
    const filter = tf.tensor4d([...scattered([2, 2, 2, 3], -1, 1).data], [2, 2, 2, 3]);
    const f = (w: tf.Tensor) => tf.tanh(tf.conv2d(x, w as tf.Tensor4D, 2, "same"));
    expect(gradientError(nested(f), filter, step)).toBeLessThan(tolerance);
  });
});

test("first derivatives keep tfjs's values to the bit", () => {
  const x = tf.tensor1d([-2, -0.5, 0.1, 3]);
  const y = tf.tanh(x).dataSync();
  expect([...tf.grad(tf.tanh)(x).dataSync()]).toEqual(
    [...y].map((value) => Math.fround(1 - Math.fround(value * value))),
  );
});
