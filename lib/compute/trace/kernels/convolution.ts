// Two-dimensional convolutions and their gradients, ordinary and depthwise.
//
// tfjs keeps images as [N,H,W,C] and filters as [h,w,in,out]; ONNX as [N,C,H,W] and [out,in,h,w].
import * as tf from "@tensorflow/tfjs-core";
import type { GraphBuilder } from "../builder.ts";
import { TraceError } from "../errors.ts";
import type { Value } from "../ir.ts";
import { binary, reshape, slice, transpose } from "../ops.ts";
import { activation } from "./elementwise.ts";
import type { KernelTable } from "./kernel.ts";
import { convolveBlocks, filterGradientBlocks, fitsSpaceToDepth, inputGradientBlocks } from "./space-to-depth.ts";

export type WindowInfo = tf.backend_util.Conv2DInfo;

interface ConvolutionAttrs {
  readonly strides: [number, number] | number;
  readonly pad: "valid" | "same" | number | tf.backend_util.ExplicitPadding;
  readonly dilations?: [number, number] | number;
  readonly dataFormat?: "NHWC" | "NCHW";
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
}

type Shape4D = [number, number, number, number];

function infoOf(
  inputShape: readonly number[],
  filterShape: readonly number[],
  attributes: ConvolutionAttrs,
  depthwise: boolean,
): WindowInfo {
  if (attributes.dataFormat === "NCHW") {
    throw new TraceError(
      "kernel-option",
      "trace: convolution with dataFormat 'NCHW'; tfjs models use 'NHWC', transpose the images",
    );
  }
  return tf.backend_util.computeConv2DInfo(
    inputShape as Shape4D,
    filterShape as Shape4D,
    attributes.strides,
    attributes.dilations ?? 1,
    attributes.pad,
    attributes.dimRoundingMode,
    depthwise,
  );
}

export const toChannelsFirst = (g: GraphBuilder, x: Value) => transpose(g, x, [0, 3, 1, 2]);
export const toChannelsLast = (g: GraphBuilder, x: Value) => transpose(g, x, [0, 2, 3, 1]);

/** Padding that makes ONNX visit exactly tfjs's windows: [top, left, bottom, right], none negative. */
export function windowPads(info: WindowInfo): [number, number, number, number] {
  const { top, left } = info.padInfo;
  const bottom = (info.outHeight - 1) * info.strideHeight + info.effectiveFilterHeight - info.inHeight - top;
  const right = (info.outWidth - 1) * info.strideWidth + info.effectiveFilterWidth - info.inWidth - left;
  return [top, left, Math.max(0, bottom), Math.max(0, right)];
}

export function windowAttributes(info: WindowInfo) {
  return {
    strides: { ints: [info.strideHeight, info.strideWidth] },
    dilations: { ints: [info.dilationHeight, info.dilationWidth] },
    kernel_shape: { ints: [info.filterHeight, info.filterWidth] },
    pads: { ints: windowPads(info) },
  };
}

/** Spreads dy [N,O,oh,ow] over the windows it came from, [N,channels,H,W]; filter [O,channels/groups,h,w]. */
export function spread(
  g: GraphBuilder,
  dy: Value,
  filter: Value,
  info: WindowInfo,
  channels: number,
  groups = 1,
): Value {
  const [top, left, bottom, right] = windowPads(info);
  const reach = (out: number, stride: number, window: number) => (out - 1) * stride + window;
  const rowsLeft =
    info.inHeight - (reach(info.outHeight, info.strideHeight, info.effectiveFilterHeight) - top - bottom);
  const columnsLeft = info.inWidth - (reach(info.outWidth, info.strideWidth, info.effectiveFilterWidth) - left - right);
  return g.emitOne("ConvTranspose", [dy, filter], [dy.shape[0], channels, info.inHeight, info.inWidth], {
    ...windowAttributes(info),
    output_padding: { ints: [rowsLeft, columnsLeft] },
    group: { int: groups },
  });
}

/** Sum over output positions of x under the window times dy: the filter gradient as a convolution of x with dy. */
function correlate(g: GraphBuilder, x: Value, dy: Value, info: WindowInfo, shape: Shape4D, groups = 1): Value {
  const [top, left, bottom, right] = windowPads(info);
  const extent = (size: number, out: number, stride: number, dilation: number) =>
    Math.floor((size - ((out - 1) * stride + 1)) / dilation) + 1;
  const height = extent(info.inHeight + top + bottom, info.outHeight, info.strideHeight, info.dilationHeight);
  const width = extent(info.inWidth + left + right, info.outWidth, info.strideWidth, info.dilationWidth);
  const full = g.emitOne("Conv", [x, dy], [shape[0], shape[1], height, width], {
    strides: { ints: [info.dilationHeight, info.dilationWidth] },
    dilations: { ints: [info.strideHeight, info.strideWidth] },
    kernel_shape: { ints: [info.outHeight, info.outWidth] },
    pads: { ints: [top, left, bottom, right] },
    group: { int: groups },
  });
  return slice(g, full, [0, 0, 0, 0], shape);
}

function conv2d(g: GraphBuilder, x: Value, filter: Value, attributes: ConvolutionAttrs): Value {
  const info = infoOf(x.shape, filter.shape, attributes, false);
  if (fitsSpaceToDepth(info)) return convolveBlocks(g, x, filter, info);
  const inputs = [toChannelsFirst(g, x), transpose(g, filter, [3, 2, 0, 1])];
  return toChannelsLast(
    g,
    g.emitOne(
      "Conv",
      inputs,
      [info.batchSize, info.outChannels, info.outHeight, info.outWidth],
      windowAttributes(info),
    ),
  );
}

function conv2dInputGradient(
  g: GraphBuilder,
  dy: Value,
  filter: Value,
  attributes: tf.Conv2DBackpropInputAttrs,
): Value {
  const info = infoOf(attributes.inputShape, filter.shape, attributes, false);
  if (fitsSpaceToDepth(info)) return inputGradientBlocks(g, dy, filter, info);
  return toChannelsLast(
    g,
    spread(g, toChannelsFirst(g, dy), transpose(g, filter, [3, 2, 0, 1]), info, info.inChannels),
  );
}

function conv2dFilterGradient(g: GraphBuilder, x: Value, dy: Value, attributes: tf.Conv2DBackpropFilterAttrs): Value {
  const info = infoOf(x.shape, attributes.filterShape, attributes, false);
  if (fitsSpaceToDepth(info)) return filterGradientBlocks(g, x, dy, info);
  const shape: Shape4D = [info.inChannels, info.outChannels, info.filterHeight, info.filterWidth];
  const gradient = correlate(g, transpose(g, x, [3, 0, 1, 2]), transpose(g, dy, [3, 0, 1, 2]), info, shape);
  return transpose(g, gradient, [2, 3, 0, 1]);
}

/** Depthwise filter [h,w,in,multiplier] as ONNX group filters [in * multiplier,1,h,w]. */
function groupFilters(g: GraphBuilder, filter: Value, info: WindowInfo): Value {
  return reshape(g, transpose(g, filter, [2, 3, 0, 1]), [info.outChannels, 1, info.filterHeight, info.filterWidth]);
}

function depthwise(g: GraphBuilder, x: Value, filter: Value, attributes: ConvolutionAttrs): Value {
  const info = infoOf(x.shape, filter.shape, attributes, true);
  const shape = [info.batchSize, info.outChannels, info.outHeight, info.outWidth];
  const options = { ...windowAttributes(info), group: { int: info.inChannels } };
  return toChannelsLast(g, g.emitOne("Conv", [toChannelsFirst(g, x), groupFilters(g, filter, info)], shape, options));
}

function depthwiseInputGradient(
  g: GraphBuilder,
  dy: Value,
  filter: Value,
  attributes: tf.DepthwiseConv2dNativeBackpropInputAttrs,
): Value {
  const info = infoOf(attributes.inputShape, filter.shape, attributes, true);
  return toChannelsLast(
    g,
    spread(g, toChannelsFirst(g, dy), groupFilters(g, filter, info), info, info.inChannels, info.inChannels),
  );
}

function depthwiseFilterGradient(
  g: GraphBuilder,
  x: Value,
  dy: Value,
  attributes: tf.DepthwiseConv2dNativeBackpropFilterAttrs,
): Value {
  const info = infoOf(x.shape, attributes.filterShape, attributes, true);
  const images = reshape(g, transpose(g, x, [3, 0, 1, 2]), [
    1,
    info.inChannels * info.batchSize,
    info.inHeight,
    info.inWidth,
  ]);
  const shape: Shape4D = [1, info.outChannels, info.filterHeight, info.filterWidth];
  const gradient = correlate(g, images, transpose(g, dy, [3, 0, 1, 2]), info, shape, info.inChannels);
  const multiplier = info.outChannels / info.inChannels;
  return transpose(
    g,
    reshape(g, gradient, [info.inChannels, multiplier, info.filterHeight, info.filterWidth]),
    [2, 3, 0, 1],
  );
}

type FusedAttrs = Pick<tf.FusedConv2DAttrs, "activation" | "leakyreluAlpha">;

function finish(
  g: GraphBuilder,
  y: Value,
  { bias, preluActivationWeights }: Record<string, Value>,
  attributes: FusedAttrs,
): Value {
  const shifted = bias ? binary(g, "Add", y, bias) : y;
  return activation(g, shifted, attributes.activation, attributes.leakyreluAlpha, preluActivationWeights);
}

export const convolutionKernels: KernelTable = {
  Conv2D: (g, { x, filter }, attributes: tf.Conv2DAttrs) => conv2d(g, x, filter, attributes),
  Conv2DBackpropInput: (g, { dy, filter }, attributes: tf.Conv2DBackpropInputAttrs) =>
    conv2dInputGradient(g, dy, filter, attributes),
  Conv2DBackpropFilter: (g, { x, dy }, attributes: tf.Conv2DBackpropFilterAttrs) =>
    conv2dFilterGradient(g, x, dy, attributes),
  FusedConv2D: (g, inputs, attributes: tf.FusedConv2DAttrs) =>
    finish(g, conv2d(g, inputs.x, inputs.filter, attributes), inputs, attributes),
  DepthwiseConv2dNative: (g, { x, filter }, attributes: tf.DepthwiseConv2dNativeAttrs) =>
    depthwise(g, x, filter, attributes),
  DepthwiseConv2dNativeBackpropInput: (g, { dy, filter }, attributes: tf.DepthwiseConv2dNativeBackpropInputAttrs) =>
    depthwiseInputGradient(g, dy, filter, attributes),
  DepthwiseConv2dNativeBackpropFilter: (g, { x, dy }, attributes: tf.DepthwiseConv2dNativeBackpropFilterAttrs) =>
    depthwiseFilterGradient(g, x, dy, attributes),
  FusedDepthwiseConv2D: (g, inputs, attributes: tf.FusedDepthwiseConv2DAttrs) =>
    finish(g, depthwise(g, inputs.x, inputs.filter, attributes), inputs, attributes),
};
