// Parity cases of the kernels that only move elements.
import * as tf from "@tensorflow/tfjs-core";
import { booleans, type ParityCase, parityCase, scattered } from "./case.ts";

const matrix = { x: scattered([4, 6]) };
const pair = { x: scattered([2, 3]), y: scattered([2, 3], -1, 1) };

export const shapeCases: readonly ParityCase[] = [
  parityCase("reshape, expandDims, squeeze", 1, matrix, ({ x }) => [
    tf.reshape(x, [3, -1]),
    tf.expandDims(x, 1),
    tf.squeeze(tf.reshape(x, [1, 24, 1])),
  ]),
  parityCase("transpose", 1, { x: scattered([2, 3, 4]) }, ({ x }) => [tf.transpose(x), tf.transpose(x, [1, 0, 2])]),
  parityCase("broadcastTo", 1, { x: scattered([3, 1]) }, ({ x }) => tf.broadcastTo(x, [2, 3, 4])),
  parityCase("tile", 1, pair, ({ x }) => [tf.tile(x, [2, 3]), tf.tile(tf.reshape(x, [1, 6]), [4, 1])]),
  parityCase("slice", 1, matrix, ({ x }) => [tf.slice(x, [1, 2], [2, 3]), tf.slice(x, [2], [-1])]),
  parityCase("stridedSlice", 0, matrix, ({ x }) => [
    tf.stridedSlice(x, [0, 1], [4, 6], [2, 2]),
    tf.stridedSlice(x, [3, 5], [0, 0], [-1, -2]),
    tf.stridedSlice(x, [1, 0], [2, 6], [1, 1], 0, 0, 0, 0, 1),
  ]),
  parityCase("split", 1, matrix, ({ x }) => [...tf.split(x, 3, 1), ...tf.split(x, [1, 3], 0)]),
  parityCase("concat", 1, pair, ({ x, y }) => [tf.concat([x, y], 0), tf.concat([x, y, x], -1)]),
  parityCase("stack and unstack", 1, pair, ({ x, y }) => [
    tf.stack([x, y], 1),
    ...tf.unstack(tf.mul(x, y), 1),
    ...tf.unstack(tf.stack([x, y]), 0),
  ]),
  parityCase("pad", 1, pair, ({ x }) => [
    tf.pad(x, [
      [1, 2],
      [0, 3],
    ]),
    tf.pad(
      x,
      [
        [0, 0],
        [2, 0],
      ],
      1.5,
    ),
  ]),
  parityCase("mirrorPad", 1, { x: scattered([4, 5]) }, ({ x }) => [
    tf.mirrorPad(
      x,
      [
        [2, 1],
        [0, 3],
      ],
      "reflect",
    ),
    tf.mirrorPad(
      x,
      [
        [1, 2],
        [3, 0],
      ],
      "symmetric",
    ),
  ]),
  parityCase("reverse", 1, { x: scattered([2, 3, 4]) }, ({ x }) => [
    tf.reverse(x, 1),
    tf.reverse(x),
    tf.reverse(x, [0, -1]),
  ]),
  parityCase("truth values are moved too", 0, { b: booleans([1, 0, 0, 1, 1, 0], [2, 3]) }, ({ b }) => [
    tf.transpose(b),
    tf.tile(b, [2, 1]),
    tf.concat([b, b], 0),
    tf.slice(b, [0, 1], [2, 2]),
    tf.reverse(b, 1),
  ]),
];
