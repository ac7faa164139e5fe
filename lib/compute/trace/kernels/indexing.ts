// Kernels addressed by integer tensors: gather, scatter, segment sums, one-hot rows, top-k, and number ranges.
import * as tf from "@tensorflow/tfjs-core";
import type { GraphBuilder } from "../builder.ts";
import { constant, type DType, int64s, sizeOf, uniform, type Value } from "../ir.ts";
import { binary, cast, compare, expand, gather, reduce, reshape, transpose, where } from "../ops.ts";
import type { KernelTable } from "./kernel.ts";
import { matMul } from "./linear-algebra.ts";

function integers(count: number): Value {
  return constant(
    Int32Array.from({ length: count }, (_, index) => index),
    [count],
    "int32",
  );
}

/** Rough nanoseconds per element: the runtime's sequential scatter, a comparison, a multiply-add. */
const cost = { scatter: 20, compare: 0.5, multiplyAdd: 0.02 };

/**
 * Sums rows of `updates` [rows,width] that share an id of `ids` [rows] into [segments,width].
 * Few segments: product with a one-hot matrix. Many: ScatterElements, since ScatterND races on repeated ids.
 */
function segmentSum(g: GraphBuilder, ids: Value, updates: Value, segments: number): Value {
  const [rows, width] = updates.shape;
  const productCost = segments * (cost.compare + cost.multiplyAdd * width);
  if (updates.dtype === "float32" && productCost < cost.scatter * width) {
    const isMember = compare(g, "Equal", reshape(g, integers(segments), [segments, 1]), reshape(g, ids, [1, rows]));
    return matMul(g, cast(g, isMember, "float32"), updates);
  }
  const zeros = uniform(0, [segments, width], updates.dtype);
  const indices = expand(g, reshape(g, cast(g, ids, "int64"), [rows, 1]), [rows, width]);
  const attributes = { axis: { int: 0 }, reduction: { text: "add" } };
  return g.emitOne("ScatterElements", [zeros, indices, updates], [segments, width], attributes);
}

/** Rows of x along `axis`; with batch dimensions every batch has indices of its own. */
function gatherBatched(g: GraphBuilder, x: Value, indices: Value, axis: number, batchDims: number): Value {
  if (batchDims === 0) return gather(g, x, indices, axis);
  const batch = sizeOf(x.shape.slice(0, batchDims));
  const length = x.shape[axis];
  const outer = sizeOf(x.shape.slice(batchDims, axis));
  const inner = sizeOf(x.shape.slice(axis + 1));
  const perBatch = sizeOf(indices.shape) / batch;
  const rows = reshape(g, transpose(g, reshape(g, x, [batch, outer, length, inner]), [0, 2, 1, 3]), [
    batch * length,
    outer * inner,
  ]);
  const starts = constant(
    Int32Array.from({ length: batch }, (_, index) => index * length),
    [batch, 1],
    "int32",
  );
  const flat = binary(g, "Add", reshape(g, indices, [batch, perBatch]), starts);
  const gathered = reshape(g, gather(g, rows, flat, 0), [batch, perBatch, outer, inner]);
  const shape = [...x.shape.slice(0, axis), ...indices.shape.slice(batchDims), ...x.shape.slice(axis + 1)];
  return reshape(g, transpose(g, gathered, [0, 2, 1, 3]), shape);
}

/** Index vectors [...,depth] over the leading axes of `shape` as flat row numbers [...]. */
function flatIndices(g: GraphBuilder, indices: Value, shape: readonly number[]): Value {
  const depth = indices.shape.at(-1) as number;
  const strides = Int32Array.from({ length: depth }, (_, axis) => sizeOf(shape.slice(axis + 1, depth)));
  const last = indices.shape.length - 1;
  return reduce(g, "ReduceSum", binary(g, "Mul", indices, constant(strides, [depth], "int32")), [last], false);
}

/** Overwrites the addressed slices of `target`; repeated indices are undefined, as in tfjs. */
function scatterUpdate(g: GraphBuilder, target: Value, indices: Value, updates: Value): Value {
  return g.emitOne("ScatterND", [target, cast(g, indices, "int64"), updates], target.shape);
}

export const indexingKernels: KernelTable = {
  GatherV2: (g, { x, indices }, { axis, batchDims }: tf.GatherV2Attrs) =>
    gatherBatched(g, x, indices, tf.util.parseAxisParam(axis, [...x.shape])[0], batchDims ?? 0),
  GatherNd: (g, { params, indices }) => {
    const depth = indices.shape.at(-1) as number;
    const shape = [...indices.shape.slice(0, -1), ...params.shape.slice(depth)];
    return g.emitOne("GatherND", [params, cast(g, indices, "int64")], shape);
  },
  ScatterNd: (g, { indices, updates }, { shape }: tf.ScatterNdAttrs) => {
    const depth = indices.shape.at(-1) as number;
    const width = sizeOf(shape.slice(depth));
    const ids = flatIndices(g, indices, shape);
    const rows = sizeOf(ids.shape);
    const summed = segmentSum(
      g,
      reshape(g, ids, [rows]),
      reshape(g, updates, [rows, width]),
      sizeOf(shape.slice(0, depth)),
    );
    return reshape(g, summed, shape);
  },
  TensorScatterUpdate: (g, { tensor, indices, updates }) => scatterUpdate(g, tensor, indices, updates),
  SparseToDense: (g, { sparseIndices, sparseValues, defaultValue }, { outputShape }: tf.SparseToDenseAttrs) => {
    const count = sparseIndices.shape[0] ?? 1;
    const indices = sparseIndices.shape.length < 2 ? reshape(g, sparseIndices, [count, 1]) : sparseIndices;
    return scatterUpdate(g, expand(g, defaultValue, outputShape), indices, expand(g, sparseValues, [count]));
  },
  UnsortedSegmentSum: (g, { x, segmentIds }, { numSegments }: tf.UnsortedSegmentSumAttrs) => {
    const rows = sizeOf(segmentIds.shape);
    const rest = x.shape.slice(segmentIds.shape.length);
    const summed = segmentSum(g, reshape(g, segmentIds, [rows]), reshape(g, x, [rows, sizeOf(rest)]), numSegments);
    return reshape(g, summed, [numSegments, ...rest]);
  },
  OneHot: (g, { indices }, { depth, onValue, offValue, dtype }: tf.OneHotAttrs) => {
    const type = (dtype ?? "int32") as DType;
    const hot = compare(g, "Equal", reshape(g, indices, [...indices.shape, 1]), integers(depth));
    return where(g, hot, uniform(onValue, [], type), uniform(offValue, [], type));
  },
  TopK: (g, { x }, { k, sorted }: tf.TopKAttrs) => {
    const shape = [...x.shape.slice(0, -1), k];
    const [values, positions] = g.emit({
      op: "TopK",
      inputs: [x, int64s([k])],
      outputs: [
        { shape, dtype: x.dtype },
        { shape, dtype: "int64" },
      ],
      attributes: { axis: { int: -1 }, sorted: { int: Number(sorted ?? true) } },
    });
    return [values, cast(g, positions, "int32")];
  },
  Diag: (g, { x }) => {
    const count = sizeOf(x.shape);
    const eye = compare(g, "Equal", reshape(g, integers(count), [count, 1]), integers(count));
    const matrix = where(g, eye, reshape(g, x, [count, 1]), uniform(0, [], x.dtype));
    return reshape(g, matrix, [...x.shape, ...x.shape]);
  },
  Range: (_, __, { start, stop, step, dtype }: tf.RangeAttrs) => {
    const count = Math.max(0, Math.ceil((stop - start) / step));
    const numbers = Array.from({ length: count }, (___, index) => start + index * step);
    return constant(dtype === "int32" ? Int32Array.from(numbers) : Float32Array.from(numbers), [count], dtype);
  },
  LinSpace: (_, __, { start, stop, num }: tf.LinSpaceAttrs) => {
    const spacing = num > 1 ? (stop - start) / (num - 1) : 0;
    return constant(
      Float32Array.from({ length: num }, (___, index) => start + index * spacing),
      [num],
      "float32",
    );
  },
};
