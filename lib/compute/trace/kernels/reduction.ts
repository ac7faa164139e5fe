// Kernels that reduce or accumulate along axes, softmax and the normalisations included.
import * as tf from "@tensorflow/tfjs-core";
import type { GraphBuilder } from "../builder.ts";
import { int64s, uniform, type Value } from "../ir.ts";
import { binary, cast, concat, expand, reduce, slice, unary, withScalar } from "../ops.ts";
import type { Kernel, KernelTable } from "./kernel.ts";

interface ReductionAttrs {
  readonly axis?: number | number[];
  /** The Max kernel alone calls its axes so. */
  readonly reductionIndices?: number | number[];
  readonly keepDims?: boolean;
}

function axesOf(x: Value, { axis, reductionIndices }: ReductionAttrs): number[] {
  const axes = axis ?? reductionIndices;
  return tf.util.parseAxisParam(axes ?? x.shape.map((_, index) => index), [...x.shape]);
}

const reduction =
  (op: string): Kernel<ReductionAttrs> =>
  (g, { x }, attributes) =>
    reduce(g, op, x.dtype === "bool" ? cast(g, x, "int32") : x, axesOf(x, attributes), attributes.keepDims ?? false);

/** All and Any: the extreme of the truth values. */
const truth =
  (op: "ReduceMin" | "ReduceMax"): Kernel<ReductionAttrs> =>
  (g, { x }, attributes) =>
    cast(g, reduce(g, op, cast(g, x, "int32"), axesOf(x, attributes), attributes.keepDims ?? false), "bool");

/** Index of the first extreme element along one axis, int32. */
const argument =
  (op: "ArgMax" | "ArgMin"): Kernel<tf.ArgMaxAttrs> =>
  (g, { x }, { axis }) => {
    const [along] = tf.util.parseAxisParam(axis, [...x.shape]);
    const shape = x.shape.filter((_, index) => index !== along);
    const attributes = { axis: { int: along }, keepdims: { int: 0 } };
    return cast(g, g.emitOne(op, [x], shape, attributes, "int64"), "int32");
  };

/** Products of all elements up to each one: a scan that doubles its reach, since ONNX has no operator for it. */
function cumulativeProduct(g: GraphBuilder, x: Value, axis: number, exclusive: boolean, reversed: boolean): Value {
  const length = x.shape[axis];
  const shifted = (value: Value, by: number): Value => {
    const reach = Math.min(by, length);
    const kept = x.shape.map((size, index) => (index === axis ? size - reach : size));
    const ones = uniform(
      1,
      x.shape.map((size, index) => (index === axis ? reach : size)),
      x.dtype,
    );
    const begin = x.shape.map((_, index) => (index === axis && reversed ? reach : 0));
    const part = slice(g, value, begin, kept);
    return concat(g, reversed ? [part, ones] : [ones, part], axis);
  };
  let product = exclusive ? shifted(x, 1) : x;
  for (let reach = 1; reach < length; reach *= 2) product = binary(g, "Mul", product, shifted(product, reach));
  return product;
}

export const reductionKernels: KernelTable = {
  Sum: reduction("ReduceSum"),
  Max: reduction("ReduceMax"),
  Min: reduction("ReduceMin"),
  Prod: reduction("ReduceProd"),
  Mean: (g, { x }, attributes: ReductionAttrs) =>
    reduce(g, "ReduceMean", cast(g, x, "float32"), axesOf(x, attributes), attributes.keepDims ?? false),
  All: truth("ReduceMin"),
  Any: truth("ReduceMax"),
  ArgMax: argument("ArgMax"),
  ArgMin: argument("ArgMin"),
  Cumsum: (g, { x }, { axis, exclusive, reverse }: tf.CumsumAttrs) =>
    g.emitOne("CumSum", [x, int64s([axis])], x.shape, {
      exclusive: { int: Number(exclusive) },
      reverse: { int: Number(reverse) },
    }),
  Cumprod: (g, { x }, { axis, exclusive, reverse }: tf.CumprodAttrs) => {
    const [along] = tf.util.parseAxisParam(axis, [...x.shape]);
    return cumulativeProduct(g, x, along, exclusive, reverse);
  },
  Softmax: (g, { logits }, { dim }: tf.SoftmaxAttrs) => unary(g, "Softmax", logits, { axis: { int: dim } }),
  FusedBatchNorm: (g, { x, scale, offset, mean, variance }, { varianceEpsilon }: tf.FusedBatchNormAttrs) => {
    const deviation = unary(g, "Sqrt", withScalar(g, "Add", variance, varianceEpsilon ?? 0.001));
    const factor = scale ? binary(g, "Div", scale, deviation) : unary(g, "Reciprocal", deviation);
    const normalised = binary(g, "Mul", binary(g, "Sub", x, mean), factor);
    return expand(g, offset ? binary(g, "Add", normalised, offset) : normalised, x.shape);
  },
};
