// Kernels that move elements without computing: reshaping, slicing, joining, padding, repeating.
import * as tf from "@tensorflow/tfjs-core";
import type { GraphBuilder } from "../builder.ts";
import { constant, int64s, sizeOf, type Value } from "../ir.ts";
import { concat, expand, gather, pad, reshape, reverse, slice, transpose } from "../ops.ts";
import type { KernelTable } from "./kernel.ts";

const axisOf = (axis: number, rank: number) => (axis < 0 ? axis + rank : axis);

function withInsertedAxis(g: GraphBuilder, x: Value, axis: number): Value {
  const shape = [...x.shape];
  shape.splice(axisOf(axis, x.shape.length + 1), 0, 1);
  return reshape(g, x, shape);
}

/** Consecutive parts of x along `axis`, of the given lengths. */
function split(g: GraphBuilder, x: Value, lengths: readonly number[], axis: number): Value[] {
  if (lengths.length === 1) return [x];
  const outputs = lengths.map((length) => ({
    shape: x.shape.map((size, i) => (i === axis ? length : size)),
    dtype: x.dtype,
  }));
  return g.emit({ op: "Split", inputs: [x, int64s(lengths)], outputs, attributes: { axis: { int: axis } } });
}

/** Source positions along one axis of a mirrored padding: "symmetric" repeats the edge, "reflect" does not. */
function mirrored(length: number, before: number, after: number, mode: "reflect" | "symmetric"): Int32Array {
  const edge = mode === "symmetric" ? 1 : 0;
  return Int32Array.from({ length: before + length + after }, (_, to) => {
    const from = to - before;
    if (from < 0) return -from - edge;
    return from < length ? from : 2 * (length - 1) - from + edge;
  });
}

export const shapeKernels: KernelTable = {
  Reshape: (g, { x }, { shape }: tf.ReshapeAttrs) =>
    reshape(g, x, tf.util.inferFromImplicitShape(shape, sizeOf(x.shape))),
  ExpandDims: (g, { input }, { dim }: tf.ExpandDimsAttrs) => withInsertedAxis(g, input, dim),
  Transpose: (g, { x }, { perm }: tf.TransposeAttrs) => transpose(g, x, perm),
  Tile: (g, { x }, { reps }: tf.TileAttrs) => {
    const shape = x.shape.map((size, axis) => size * reps[axis]);
    if (x.shape.every((size, axis) => size === 1 || reps[axis] === 1)) return expand(g, x, shape);
    return g.emitOne("Tile", [x, int64s(reps)], shape);
  },
  Slice: (g, { x }, attributes: tf.SliceAttrs) => {
    const [begin, size] = tf.slice_util.parseSliceParams(
      { shape: x.shape } as tf.Tensor,
      attributes.begin,
      attributes.size,
    );
    return slice(g, x, begin, size);
  },
  StridedSlice: (g, { x }, a: tf.StridedSliceAttrs) => {
    const info = tf.slice_util.sliceInfo(
      [...x.shape],
      a.begin,
      a.end,
      a.strides,
      a.beginMask,
      a.endMask,
      a.ellipsisMask,
      a.newAxisMask,
      a.shrinkAxisMask,
    );
    const flipped = info.strides.flatMap((stride, axis) => (stride < 0 ? [axis] : []));
    const start = info.begin.map((from, axis) => (info.strides[axis] < 0 ? x.shape[axis] - 1 - from : from));
    const size = info.begin.map((from, axis) => Math.max(0, Math.ceil((info.end[axis] - from) / info.strides[axis])));
    const sliced = slice(g, reverse(g, x, flipped), start, size, info.strides.map(Math.abs));
    return reshape(g, sliced, info.finalShape);
  },
  SplitV: (g, { x }, { numOrSizeSplits, axis }: tf.SplitVAttrs) => {
    const along = axisOf(axis, x.shape.length);
    return split(
      g,
      x,
      tf.backend_util.prepareSplitSize({ shape: x.shape } as tf.Tensor, numOrSizeSplits, along),
      along,
    );
  },
  Concat: (g, inputs, { axis }: tf.ConcatAttrs) => {
    const parts = Object.values(inputs);
    return concat(g, parts, axisOf(axis, parts[0].shape.length));
  },
  Pack: (g, inputs, { axis }: tf.PackAttrs) => {
    const parts = Object.values(inputs);
    return concat(
      g,
      parts.map((part) => withInsertedAxis(g, part, axis)),
      axisOf(axis, parts[0].shape.length + 1),
    );
  },
  Unpack: (g, { value }, { axis }: tf.UnpackAttrs) => {
    const along = axisOf(axis, value.shape.length);
    const shape = value.shape.filter((_, index) => index !== along);
    const ones = Array.from({ length: value.shape[along] }, () => 1);
    return split(g, value, ones, along).map((part) => reshape(g, part, shape));
  },
  PadV2: (g, { x }, { paddings, constantValue }: tf.PadV2Attrs) =>
    pad(
      g,
      x,
      paddings.map(([before]) => before),
      paddings.map(([, after]) => after),
      constantValue,
    ),
  MirrorPad: (g, { x }, { paddings, mode }: tf.MirrorPadAttrs) =>
    paddings.reduce((padded, [before, after], axis) => {
      if (before === 0 && after === 0) return padded;
      const positions = mirrored(x.shape[axis], before, after, mode);
      return gather(g, padded, constant(positions, [positions.length], "int32"), axis);
    }, x),
  Reverse: (g, { x }, { dims }: tf.ReverseAttrs) => reverse(g, x, tf.util.parseAxisParam(dims, [...x.shape])),
};
