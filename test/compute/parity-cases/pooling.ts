// Parity cases of pooling and resizing.
import * as tf from "@tensorflow/tfjs-core";
import { type ParityCase, parityCase, scattered } from "./case.ts";

type Image = tf.Tensor4D;
const image = { x: scattered([2, 7, 6, 3]) };
/** One image: tfjs's nearest-neighbour gradient finds its way in a batch by the strides of the wrong tensor. */
const square = { x: scattered([1, 4, 4, 3]) };

export const poolingCases: readonly ParityCase[] = [
  parityCase("maxPool 2x2 stride 2", 1, image, ({ x }) => tf.maxPool(x as Image, 2, 2, "valid")),
  parityCase("maxPool 3x3 stride 2 same, overlapping", 1, image, ({ x }) => tf.maxPool(x as Image, 3, 2, "same")),
  parityCase("maxPool 3x3 stride 2 padded by 1", 1, image, ({ x }) => tf.maxPool(x as Image, 3, 2, 1)),
  parityCase("avgPool 2x2 stride 2", 2, image, ({ x }) => tf.square(tf.avgPool(x as Image, 2, 2, "valid"))),
  parityCase("avgPool 3x3 stride 2 same, overlapping", 2, image, ({ x }) =>
    tf.square(tf.avgPool(x as Image, 3, 2, "same")),
  ),
  parityCase("avgPool 3x3 stride 1 padded by 1", 1, image, ({ x }) => tf.avgPool(x as Image, 3, 1, 1)),
  ...[false, true].flatMap((alignCorners) => [
    parityCase(`resizeBilinear up, alignCorners ${alignCorners}`, 1, square, ({ x }) =>
      tf.image.resizeBilinear(x as Image, [7, 7], alignCorners),
    ),
    parityCase(`resizeBilinear down, alignCorners ${alignCorners}`, 1, square, ({ x }) =>
      tf.image.resizeBilinear(x as Image, [3, 3], alignCorners),
    ),
    parityCase(`resizeNearestNeighbor up, alignCorners ${alignCorners}`, 1, square, ({ x }) =>
      tf.image.resizeNearestNeighbor(x as Image, [8, 8], alignCorners),
    ),
    parityCase(`resizeNearestNeighbor down, alignCorners ${alignCorners}`, 1, square, ({ x }) =>
      tf.image.resizeNearestNeighbor(x as Image, [2, 2], alignCorners),
    ),
  ]),
  parityCase("resize with half-pixel centres", 0, image, ({ x }) => [
    tf.image.resizeBilinear(x as Image, [9, 5], false, true),
    tf.image.resizeNearestNeighbor(x as Image, [3, 11], false, true),
  ]),
];
