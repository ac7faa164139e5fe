// Parity cases of the kernels that take integer tensors as addresses.
import * as tf from "@tensorflow/tfjs-core";
import { integers, type ParityCase, parityCase, scattered } from "./case.ts";

const table = { x: scattered([6, 4]) };
const ids = integers([4, 1, 1, 0, 5]);

export const indexingCases: readonly ParityCase[] = [
  parityCase("gather rows, with repeats", 2, { ...table, ids }, ({ x, ids: i }) =>
    tf.square(tf.gather(x, i as tf.Tensor1D)),
  ),
  parityCase("gather columns", 1, { ...table, ids: integers([3, 0, 3]) }, ({ x, ids: i }) =>
    tf.gather(x, i as tf.Tensor1D, 1),
  ),
  parityCase("gather with a matrix of ids", 0, { ...table, ids: integers([0, 5, 2, 2], [2, 2]) }, ({ x, ids: i }) =>
    tf.gather(x, i as tf.Tensor2D),
  ),
  parityCase(
    "gather with batch dimensions",
    0,
    { x: scattered([2, 3, 4]), ids: integers([0, 2, 1, 1], [2, 2]) },
    ({ x, ids: i }) => [tf.gather(x, i as tf.Tensor2D, 1, 1), tf.gather(x, i as tf.Tensor2D, 2, 1)],
  ),
  parityCase("gatherND", 0, { ...table, ids: integers([0, 1, 5, 3], [2, 2]) }, ({ x, ids: i }) => [
    tf.gatherND(x, i),
    tf.gatherND(x, tf.slice(i, [0, 0], [2, 1])),
  ]),
  parityCase(
    "scatterND, repeated addresses add up",
    0,
    { updates: scattered([3]), ids: integers([1, 2, 1], [3, 1]) },
    ({ updates, ids: i }) => tf.scatterND(i as tf.Tensor2D, updates, [5]),
  ),
  parityCase(
    "scatterND of slices",
    0,
    { updates: scattered([2, 3]), ids: integers([0, 1, 1, 0], [2, 2]) },
    ({ updates, ids: i }) => tf.scatterND(i as tf.Tensor2D, updates, [2, 2, 3]),
  ),
  parityCase(
    "tensorScatterUpdate",
    0,
    { ...table, updates: scattered([2, 4], 3, 4), ids: integers([1, 4], [2, 1]) },
    ({ x, updates, ids: i }) => tf.tensorScatterUpdate(x, i as tf.Tensor2D, updates),
  ),
  parityCase(
    "sparseToDense",
    0,
    { values: scattered([2]), ids: integers([0, 1, 2, 3], [2, 2]) },
    ({ values, ids: i }) => [
      tf.sparseToDense(i, values, [3, 4], 0.5),
      tf.sparseToDense(tf.tensor1d([1, 3], "int32"), values, [5], 0),
    ],
  ),
  parityCase(
    "unsortedSegmentSum, few segments",
    1,
    { x: scattered([5, 3]), ids: integers([0, 2, 0, 1, 2]) },
    ({ x, ids: i }) => tf.unsortedSegmentSum(x, i as tf.Tensor1D, 4),
  ),
  parityCase(
    "unsortedSegmentSum, many segments",
    1,
    { x: scattered([5, 1]), ids: integers([0, 70, 0, 1, 70]) },
    ({ x, ids: i }) => tf.unsortedSegmentSum(x, i as tf.Tensor1D, 90),
  ),
  parityCase("oneHot, addresses outside included", 0, { ids: integers([0, 3, -1, 7, 2]) }, ({ ids: i }) => [
    tf.oneHot(i, 4),
    tf.oneHot(i, 4, 2, -1),
  ]),
  parityCase("topk", 0, { x: scattered([3, 6]) }, ({ x }) => Object.values(tf.topk(x, 3))),
  parityCase("diag", 0, { x: scattered([4]) }, ({ x }) => tf.diag(x)),
  parityCase("range and linspace", 1, { x: scattered([5]) }, ({ x }) => [
    tf.mul(x, tf.range(0, 10, 2)),
    tf.mul(x, tf.range(3, -2, -1)),
    tf.mul(x, tf.linspace(-1, 1, 5)),
    tf.mul(x, tf.cast(tf.range(0, 5, 1, "int32"), "float32")),
  ]),
  parityCase("lower triangle", 2, { x: scattered([4, 4]) }, ({ x }) => tf.square(tf.linalg.bandPart(x, -1, 0))),
];
