// Parity cases of matrix products.
import * as tf from "@tensorflow/tfjs-core";
import { type ParityCase, parityCase, scattered } from "./case.ts";

const product = (name: string, a: number[], b: number[], transposeA = false, transposeB = false): ParityCase =>
  parityCase(name, 2, { a: scattered(a), b: scattered(b, -1, 1) }, (x) => tf.matMul(x.a, x.b, transposeA, transposeB));

export const linearAlgebraCases: readonly ParityCase[] = [
  product("matMul", [3, 4], [4, 5]),
  product("matMul, first transposed", [4, 3], [4, 5], true),
  product("matMul, second transposed", [3, 4], [5, 4], false, true),
  product("matMul, both transposed", [4, 3], [5, 4], true, true),
  product("batched matMul", [2, 3, 4], [2, 4, 5]),
  product("batched matMul, first transposed", [2, 4, 3], [2, 4, 5], true),
  product("batched matMul, second transposed", [2, 3, 4], [2, 5, 4], false, true),
  product("batch times one matrix", [2, 3, 4], [4, 5]),
  product("one matrix times batch", [3, 4], [2, 4, 5]),
  product("batch of one", [1, 3, 4], [1, 4, 5]),
  parityCase(
    "dense layer",
    2,
    { x: scattered([3, 4]), w: scattered([4, 5], -1, 1), b: scattered([5]) },
    ({ x, w, b }) => tf.tanh(tf.add(tf.matMul(x, w), b)),
  ),
  parityCase(
    "dense layer on sequences",
    1,
    { x: scattered([2, 3, 4]), w: scattered([4, 5], -1, 1), b: scattered([5]) },
    ({ x, w, b }) => tf.relu(tf.add(tf.matMul(x, w), b)),
  ),
  ...(["linear", "relu", "relu6", "sigmoid", "elu", "leakyrelu"] as const).map((activation) =>
    parityCase(
      `fused matMul with ${activation}`,
      1,
      { a: scattered([3, 4]), b: scattered([4, 5], -1, 1), bias: scattered([5]) },
      ({ a, b, bias }) => tf.fused.matMul({ a, b, bias, activation, leakyreluAlpha: 0.3 }),
    ),
  ),
  ...(["relu", "relu6", "sigmoid", "elu", "leakyrelu"] as const).map((activation) =>
    parityCase(
      `fused matMul with ${activation}, values in one kernel`,
      0,
      { a: scattered([3, 4]), b: scattered([4, 5], -1, 1) },
      ({ a, b }) => tf.fused.matMul({ a, b, activation, leakyreluAlpha: 0.3 }),
    ),
  ),
  parityCase(
    "fused matMul with prelu",
    0,
    { a: scattered([3, 4]), b: scattered([4, 5], -1, 1), slope: scattered([5], 0.1, 0.4) },
    ({ a, b, slope }) => tf.fused.matMul({ a, b, activation: "prelu", preluActivationWeights: slope }),
  ),
  parityCase("dot and outer product", 1, { a: scattered([4]), b: scattered([4], -1, 1) }, ({ a, b }) => [
    tf.dot(a, b),
    tf.outerProduct(a as tf.Tensor1D, b as tf.Tensor1D),
  ]),
  parityCase("einsum of matrices", 2, { a: scattered([3, 4]), b: scattered([4, 5], -1, 1) }, ({ a, b }) =>
    tf.einsum("ij,jk->ik", a, b),
  ),
  parityCase(
    "batched einsum, transposed result",
    1,
    { a: scattered([2, 3, 4]), b: scattered([2, 4, 5], -1, 1) },
    ({ a, b }) => tf.einsum("bij,bjk->bki", a, b),
  ),
  parityCase("einsum of one operand", 1, { a: scattered([3, 4]) }, ({ a }) => tf.einsum("ij->i", a)),
];
