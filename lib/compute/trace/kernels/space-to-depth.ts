// Convolutions whose kernel is a multiple of the stride, as matrix products over contiguous blocks.
//
// With kernel = r * stride, the image is cut into stride x stride blocks (space to depth). Every output position then sees
// r x r whole blocks, so the columns of the product are plain slices: nothing is gathered element by element, and forward
// pass and filter gradient share them.
import type * as tf from "@tensorflow/tfjs-core";
import type { GraphBuilder } from "../builder.ts";
import type { Value } from "../ir.ts";
import { binary, concat, pad, reshape, slice, transpose } from "../ops.ts";
import { matMul } from "./linear-algebra.ts";

type ConvInfo = tf.backend_util.Conv2DInfo;

/** More block positions than this make the columns so large that the runtime's own convolution wins. */
const maximumPositions = 9;
/** Up to this many channels the columns are joined into one product; wider ones are multiplied separately and summed. */
const joinedChannels = 8;

interface Geometry {
  readonly stride: number;
  /** Blocks under the kernel along each axis. */
  readonly blockRows: number;
  readonly blockColumns: number;
  /** Size of the padded image in blocks. */
  readonly height: number;
  readonly width: number;
  /** Elements of a block: stride * stride * channels. */
  readonly depth: number;
}

function geometryOf(info: ConvInfo): Geometry {
  const stride = info.strideHeight;
  const blockRows = info.filterHeight / stride;
  const blockColumns = info.filterWidth / stride;
  return {
    stride,
    blockRows,
    blockColumns,
    height: info.outHeight - 1 + blockRows,
    width: info.outWidth - 1 + blockColumns,
    depth: stride * stride * info.inChannels,
  };
}

/** Whether this form applies: equal strides that divide the kernel, no dilation, a padded image that covers the input. */
export function fitsSpaceToDepth(info: ConvInfo): boolean {
  if (info.strideHeight !== info.strideWidth || info.dilationHeight !== 1 || info.dilationWidth !== 1) return false;
  const { stride, blockRows, blockColumns, height, width } = geometryOf(info);
  if (!Number.isInteger(blockRows) || !Number.isInteger(blockColumns)) return false;
  const covers =
    height * stride >= info.inHeight + info.padInfo.top && width * stride >= info.inWidth + info.padInfo.left;
  return covers && blockRows * blockColumns <= maximumPositions;
}

/** The padded image as blocks: [N, height, width, depth]. */
function toBlocks(g: GraphBuilder, x: Value, info: ConvInfo): Value {
  const { stride, height, width, depth } = geometryOf(info);
  const { top, left } = info.padInfo;
  const bottom = height * stride - info.inHeight - top;
  const right = width * stride - info.inWidth - left;
  const padded = pad(g, x, [0, top, left, 0], [0, bottom, right, 0]);
  const split = reshape(g, padded, [info.batchSize, height, stride, width, stride, info.inChannels]);
  return reshape(g, transpose(g, split, [0, 1, 3, 2, 4, 5]), [info.batchSize, height, width, depth]);
}

function fromBlocks(g: GraphBuilder, blocks: Value, info: ConvInfo): Value {
  const { stride, height, width } = geometryOf(info);
  const split = reshape(g, blocks, [info.batchSize, height, width, stride, stride, info.inChannels]);
  const shape = [info.batchSize, height * stride, width * stride, info.inChannels];
  const image = reshape(g, transpose(g, split, [0, 1, 3, 2, 4, 5]), shape);
  return slice(
    g,
    image,
    [0, info.padInfo.top, info.padInfo.left, 0],
    [info.batchSize, info.inHeight, info.inWidth, info.inChannels],
  );
}

/** Block offsets under the kernel, row by row. */
function positions({ blockRows, blockColumns }: Geometry): [row: number, column: number][] {
  return Array.from({ length: blockRows * blockColumns }, (_, index) => [
    Math.floor(index / blockColumns),
    index % blockColumns,
  ]);
}

/** For each position under the kernel, the blocks that all outputs see there: [N * outHeight * outWidth, depth]. */
function columns(g: GraphBuilder, x: Value, info: ConvInfo): Value[] {
  const geometry = geometryOf(info);
  const blocks = toBlocks(g, x, info);
  const size = [info.batchSize, info.outHeight, info.outWidth, geometry.depth];
  return positions(geometry).map(([row, column]) =>
    reshape(g, slice(g, blocks, [0, row, column, 0], size), [outputRows(info), geometry.depth]),
  );
}

/** Filter [height, width, in, out] with its rows in the order of the columns: [positions * depth, out]. */
function filterRows(g: GraphBuilder, filter: Value, info: ConvInfo): Value {
  const { stride, blockRows, blockColumns, depth } = geometryOf(info);
  const split = reshape(g, filter, [blockRows, stride, blockColumns, stride, info.inChannels, info.outChannels]);
  return reshape(g, transpose(g, split, [0, 2, 1, 3, 4, 5]), [blockRows * blockColumns * depth, info.outChannels]);
}

function filterPart(g: GraphBuilder, rows: Value, position: number, info: ConvInfo): Value {
  const { depth } = geometryOf(info);
  return slice(g, rows, [position * depth, 0], [depth, info.outChannels]);
}

const outputRows = (info: ConvInfo) => info.batchSize * info.outHeight * info.outWidth;

/** x [N,H,W,in] convolved with filter [h,w,in,out]. */
export function convolveBlocks(g: GraphBuilder, x: Value, filter: Value, info: ConvInfo): Value {
  const parts = columns(g, x, info);
  const rows = filterRows(g, filter, info);
  const product =
    info.inChannels <= joinedChannels
      ? matMul(g, concat(g, parts, 1), rows)
      : parts
          .map((part, position) => matMul(g, part, filterPart(g, rows, position, info)))
          .reduce((sum, term) => binary(g, "Add", term, sum));
  return reshape(g, product, [info.batchSize, info.outHeight, info.outWidth, info.outChannels]);
}

/** Gradient of the convolution with respect to its filter. */
export function filterGradientBlocks(g: GraphBuilder, x: Value, dy: Value, info: ConvInfo): Value {
  const { stride, blockRows, blockColumns } = geometryOf(info);
  const parts = columns(g, x, info);
  const rows = reshape(g, dy, [outputRows(info), info.outChannels]);
  const gradient =
    info.inChannels <= joinedChannels
      ? matMul(g, concat(g, parts, 1), rows, true, false)
      : concat(
          g,
          parts.map((part) => matMul(g, part, rows, true, false)),
          0,
        );
  const split = reshape(g, gradient, [blockRows, blockColumns, stride, stride, info.inChannels, info.outChannels]);
  return reshape(g, transpose(g, split, [0, 2, 1, 3, 4, 5]), info.filterShape);
}

/** Gradient of the convolution with respect to its input. */
export function inputGradientBlocks(g: GraphBuilder, dy: Value, filter: Value, info: ConvInfo): Value {
  const geometry = geometryOf(info);
  const rows = reshape(g, dy, [outputRows(info), info.outChannels]);
  const filters = filterRows(g, filter, info);
  const terms = positions(geometry).map(([row, column], position) => {
    const product = matMul(g, rows, filterPart(g, filters, position, info), false, true);
    const blocks = reshape(g, product, [info.batchSize, info.outHeight, info.outWidth, geometry.depth]);
    const after = [0, geometry.blockRows - 1 - row, geometry.blockColumns - 1 - column, 0];
    return pad(g, blocks, [0, row, column, 0], after);
  });
  return fromBlocks(
    g,
    terms.reduce((sum, term) => binary(g, "Add", sum, term)),
    info,
  );
}
