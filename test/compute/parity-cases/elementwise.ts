// Parity cases of the element-wise kernels.
import * as tf from "@tensorflow/tfjs-core";
import { booleans, integers, type ParityCase, parityCase, scattered } from "./case.ts";

type Unary = (x: tf.Tensor) => tf.Tensor;
const unary = (name: string, order: 0 | 1 | 2, run: Unary, low = -2, high = 2): ParityCase =>
  parityCase(name, order, { x: scattered([3, 5], low, high) }, ({ x }) => run(x));

type Binary = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;
const binary = (name: string, order: 0 | 1 | 2, run: Binary, low = -2, high = 2): ParityCase =>
  parityCase(name, order, { a: scattered([2, 3, 4], low, high), b: scattered([3, 1], low + 0.1, high) }, ({ a, b }) =>
    run(a, b),
  );

const nonFinite = { shape: [5], data: [1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -2] };

export const elementwiseCases: readonly ParityCase[] = [
  unary("abs", 2, tf.abs),
  unary("acos", 2, tf.acos, -0.8, 0.8),
  unary("acosh", 2, tf.acosh, 1.2, 3),
  unary("asin", 2, tf.asin, -0.8, 0.8),
  unary("asinh", 2, tf.asinh),
  unary("atan", 2, tf.atan),
  unary("atanh", 2, tf.atanh, -0.8, 0.8),
  unary("ceil", 1, tf.ceil),
  unary("cos", 2, tf.cos),
  unary("cosh", 2, tf.cosh),
  unary("elu", 2, tf.elu),
  unary("erf", 2, tf.erf),
  unary("exp", 2, tf.exp),
  unary("expm1 near zero", 2, tf.expm1, -1e-3, 1e-3),
  unary("expm1", 2, tf.expm1, -6, 6),
  unary("floor", 1, tf.floor),
  unary("log", 2, tf.log, 0.2, 3),
  unary("log1p near zero", 2, tf.log1p, -1e-3, 1e-3),
  unary("log1p", 2, tf.log1p, -0.8, 20),
  unary("logSigmoid", 2, tf.logSigmoid),
  unary("neg", 1, tf.neg),
  unary("reciprocal", 2, tf.reciprocal, 0.5, 2),
  unary("relu", 2, (x) => tf.mul(tf.relu(x), x)),
  unary("relu6", 2, (x) => tf.mul(tf.relu6(x), x), -3, 9),
  unary("leakyRelu", 2, (x) => tf.mul(tf.leakyRelu(x, 0.1), x)),
  unary("round, halves to even", 1, tf.round, -3, 3),
  unary("rsqrt", 2, tf.rsqrt, 0.3, 3),
  unary("selu", 2, tf.selu),
  unary("sigmoid", 2, tf.sigmoid),
  unary("sign", 1, tf.sign),
  unary("sin", 2, tf.sin),
  unary("sinh", 2, tf.sinh),
  unary("softplus", 2, tf.softplus),
  unary("sqrt", 2, tf.sqrt, 0.3, 3),
  unary("square", 2, tf.square),
  unary("step", 1, (x) => tf.step(x)),
  unary("step with a slope", 1, (x) => tf.step(x, 0.3)),
  unary("tan", 2, tf.tan, -1, 1),
  unary("tanh", 2, tf.tanh),
  unary("clipByValue", 2, (x) => tf.mul(tf.clipByValue(x, -0.7, 0.9), x)),
  unary("identity", 1, (x) => tf.clone(x)),
  unary("zerosLike and onesLike", 1, (x) => tf.add(tf.zerosLike(x), tf.mul(tf.onesLike(x), x))),
  unary("fill", 1, (x) => tf.mul(tf.fill([3, 5], 2.5), x)),
  parityCase("prelu", 2, { x: scattered([2, 3, 4]), alpha: scattered([4], 0.1, 0.4) }, ({ x, alpha }) =>
    tf.mul(tf.prelu(x, alpha), x),
  ),

  binary("add", 1, tf.add),
  binary("sub", 1, tf.sub),
  binary("mul", 2, tf.mul),
  binary("div", 2, tf.div, 0.5, 2),
  binary("divNoNan", 1, tf.divNoNan, 0.5, 2),
  binary("pow", 2, tf.pow, 0.4, 2),
  binary("maximum", 2, (a, b) => tf.mul(tf.maximum(a, b), a)),
  binary("minimum", 2, (a, b) => tf.mul(tf.minimum(a, b), a)),
  binary("squaredDifference", 2, tf.squaredDifference),
  binary("atan2", 2, tf.atan2),
  parityCase(
    "atan2 on the axes",
    0,
    { a: { shape: [4], data: [0, 1, 0, -1] }, b: { shape: [4], data: [0, 0, -1, 0] } },
    ({ a, b }) => tf.atan2(a, b),
  ),
  binary("mod", 1, tf.mod),
  binary("floorDiv", 0, tf.floorDiv),
  parityCase("addN", 1, { a: scattered([2, 3]), b: scattered([2, 3], -1, 1) }, ({ a, b }) => tf.addN([a, b, a])),
  parityCase(
    "arithmetic of integers",
    0,
    { a: integers([7, -7, 8, -8, 9]), b: integers([2, 2, -3, -3, 4]) },
    ({ a, b }) => [
      tf.add(a, b),
      tf.sub(a, b),
      tf.mul(a, b),
      tf.floorDiv(a, b),
      tf.mod(a, b),
      tf.maximum(a, b),
      tf.minimum(a, b),
      tf.abs(a),
    ],
  ),

  binary("comparisons", 0, (a, b) =>
    tf.stack([
      tf.equal(a, b),
      tf.notEqual(a, b),
      tf.greater(a, b),
      tf.greaterEqual(a, b),
      tf.less(a, b),
      tf.lessEqual(a, b),
    ]),
  ),
  parityCase(
    "comparisons of integers with equal pairs",
    0,
    { a: integers([1, 2, 3]), b: integers([1, 3, 2]) },
    ({ a, b }) => [
      tf.equal(a, b),
      tf.notEqual(a, b),
      tf.greater(a, b),
      tf.greaterEqual(a, b),
      tf.less(a, b),
      tf.lessEqual(a, b),
    ],
  ),
  parityCase("logic", 0, { a: booleans([0, 0, 1, 1]), b: booleans([0, 1, 0, 1]) }, ({ a, b }) => [
    tf.logicalAnd(a, b),
    tf.logicalOr(a, b),
    tf.logicalNot(a),
    tf.logicalXor(a, b),
    tf.equal(a, b),
    tf.greater(a, b),
  ]),
  parityCase("isNaN, isInf, isFinite", 0, { x: nonFinite }, ({ x }) => [tf.isNaN(x), tf.isInf(x), tf.isFinite(x)]),
  parityCase("where", 2, { a: scattered([3, 4]), b: scattered([3, 4], -1, 1) }, ({ a, b }) =>
    tf.where(tf.greater(a, b), tf.mul(a, b), tf.square(b)),
  ),
  parityCase(
    "where of truth values",
    0,
    { a: booleans([0, 1, 1]), b: booleans([1, 0, 1]), c: booleans([1, 1, 0]) },
    ({ a, b, c }) => tf.where(c, a, b),
  ),
  parityCase("cast", 0, { x: scattered([6], -3, 3), i: integers([0, 1, 2]), b: booleans([0, 1]) }, ({ x, i, b }) => [
    tf.cast(x, "int32"),
    tf.cast(x, "bool"),
    tf.cast(i, "float32"),
    tf.cast(i, "bool"),
    tf.cast(b, "float32"),
    tf.cast(b, "int32"),
  ]),
];
