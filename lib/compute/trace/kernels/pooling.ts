// Pooling over image windows, its gradients, and resizing.
import * as tf from "@tensorflow/tfjs-core";
import type { GraphBuilder } from "../builder.ts";
import { constant, sizeOf, uniform, type Value } from "../ir.ts";
import { reshape, transpose } from "../ops.ts";
import { spread, toChannelsFirst, toChannelsLast, windowAttributes, type WindowInfo } from "./convolution.ts";
import type { KernelTable } from "./kernel.ts";
import { matMul } from "./linear-algebra.ts";

type Shape4D = [number, number, number, number];

function infoOf(x: Value, attributes: tf.MaxPoolAttrs): WindowInfo {
  const { filterSize, strides, pad, dimRoundingMode } = attributes;
  return tf.backend_util.computePool2DInfo(x.shape as Shape4D, filterSize, strides, 1, pad, dimRoundingMode);
}

const pooledShape = (info: WindowInfo) => [info.batchSize, info.outChannels, info.outHeight, info.outWidth];

/** Average over the elements of a window that lie inside the image. */
function averagePool(g: GraphBuilder, x: Value, attributes: tf.AvgPoolAttrs): Value {
  const info = infoOf(x, attributes);
  const { dilations: _, ...window } = windowAttributes(info);
  return toChannelsLast(
    g,
    g.emitOne("AveragePool", [toChannelsFirst(g, x)], pooledShape(info), { ...window, count_include_pad: { int: 0 } }),
  );
}

/** tfjs's kernel divides by the full window size also at the border; `gradients` corrects for that. */
function averagePoolGradient(g: GraphBuilder, dy: Value, input: Value, attributes: tf.AvgPoolGradAttrs): Value {
  const info = infoOf(input, attributes);
  const planes = info.batchSize * info.inChannels;
  const area = info.filterHeight * info.filterWidth;
  const flat = reshape(g, toChannelsFirst(g, dy), [planes, 1, info.outHeight, info.outWidth]);
  const mean = uniform(1 / area, [1, 1, info.filterHeight, info.filterWidth]);
  const image = reshape(g, spread(g, flat, mean, info, 1), [
    info.batchSize,
    info.inChannels,
    info.inHeight,
    info.inWidth,
  ]);
  return toChannelsLast(g, image);
}

function maxPool(g: GraphBuilder, x: Value, attributes: tf.MaxPoolAttrs): Value {
  const info = infoOf(x, attributes);
  return toChannelsLast(g, g.emitOne("MaxPool", [toChannelsFirst(g, x)], pooledShape(info), windowAttributes(info)));
}

/** Adds dy at the position of each window's first maximum, as MaxPool's second output reports it. */
function maxPoolGradient(g: GraphBuilder, dy: Value, input: Value, attributes: tf.MaxPoolGradAttrs): Value {
  const info = infoOf(input, attributes);
  const image = toChannelsFirst(g, input);
  const shape = pooledShape(info);
  const [, positions] = g.emit({
    op: "MaxPool",
    inputs: [image],
    outputs: [
      { shape, dtype: "float32" },
      { shape, dtype: "int64" },
    ],
    attributes: windowAttributes(info),
  });
  const size = sizeOf(image.shape);
  const count = sizeOf(shape);
  const inputs = [uniform(0, [size]), reshape(g, positions, [count]), reshape(g, toChannelsFirst(g, dy), [count])];
  const flat = g.emitOne("ScatterElements", inputs, [size], { axis: { int: 0 }, reduction: { text: "add" } });
  return toChannelsLast(g, reshape(g, flat, image.shape));
}

type ResizeAttrs = tf.ResizeBilinearAttrs;

/** Interpolation along one axis as a matrix [to,from], with tfjs's rules for corners and pixel centres. */
function interpolation(
  from: number,
  to: number,
  { alignCorners, halfPixelCenters }: ResizeAttrs,
  nearest: boolean,
): Value {
  const ratio = alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;
  const matrix = new Float32Array(to * from);
  for (let row = 0; row < to; row++) {
    if (nearest) {
      const position = ratio * (halfPixelCenters ? row + 0.5 : row);
      const source = Math.min(from - 1, alignCorners ? Math.round(position) : Math.floor(position));
      matrix[row * from + source] = 1;
      continue;
    }
    const position = halfPixelCenters ? ratio * (row + 0.5) - 0.5 : ratio * row;
    const low = Math.max(0, Math.floor(position));
    const high = Math.min(from - 1, Math.ceil(position));
    matrix[row * from + low] += 1 - (position - low);
    matrix[row * from + high] += position - low;
  }
  return constant(matrix, [to, from], "float32");
}

/** Applies the interpolation of images [N,H,W,C] to `size`, or its transpose for the gradient. */
function resize(
  g: GraphBuilder,
  x: Value,
  from: readonly number[],
  size: readonly number[],
  attributes: ResizeAttrs,
  nearest: boolean,
  adjoint = false,
): Value {
  const vertical = interpolation(from[0], size[0], attributes, nearest);
  const horizontal = interpolation(from[1], size[1], attributes, nearest);
  const planes = transpose(g, x, [0, 3, 1, 2]);
  const rows = matMul(g, adjoint ? transpose(g, vertical, [1, 0]) : vertical, planes);
  return transpose(g, matMul(g, rows, horizontal, false, !adjoint), [0, 2, 3, 1]);
}

const imageSize = (images: Value) => images.shape.slice(1, 3);

export const poolingKernels: KernelTable = {
  AvgPool: (g, { x }, attributes: tf.AvgPoolAttrs) => averagePool(g, x, attributes),
  AvgPoolGrad: (g, { dy, input }, attributes: tf.AvgPoolGradAttrs) => averagePoolGradient(g, dy, input, attributes),
  MaxPool: (g, { x }, attributes: tf.MaxPoolAttrs) => maxPool(g, x, attributes),
  MaxPoolGrad: (g, { dy, input }, attributes: tf.MaxPoolGradAttrs) => maxPoolGradient(g, dy, input, attributes),
  ResizeBilinear: (g, { images }, attributes: tf.ResizeBilinearAttrs) =>
    resize(g, images, imageSize(images), attributes.size, attributes, false),
  ResizeNearestNeighbor: (g, { images }, attributes: tf.ResizeNearestNeighborAttrs) =>
    resize(g, images, imageSize(images), attributes.size, attributes, true),
  ResizeBilinearGrad: (g, { images, dy }, attributes: tf.ResizeBilinearGradAttrs) =>
    resize(g, dy, imageSize(images), imageSize(dy), attributes, false, true),
  ResizeNearestNeighborGrad: (g, { images, dy }, attributes: tf.ResizeNearestNeighborGradAttrs) =>
    resize(g, dy, imageSize(images), imageSize(dy), attributes, true, true),
};
