// Constructors for ONNX operators with shape inference; each drops the case in which it would do nothing.
import type { GraphBuilder } from "./builder.ts";
import { broadcastShapes, type DType, int64s, sameShape, sizeOf, uniform, type Value } from "./ir.ts";

const typeCode: Record<DType, number> = { float32: 1, int32: 6, int64: 7, bool: 9 };

/** An operator that maps every element by itself: the shape stays. */
export function unary(g: GraphBuilder, op: string, x: Value, attributes = {}, dtype: DType = x.dtype): Value {
  return g.emitOne(op, [x], x.shape, attributes, dtype);
}

/** A broadcasting operator of two operands of one type. */
export function binary(g: GraphBuilder, op: string, a: Value, b: Value, dtype: DType = a.dtype): Value {
  return g.emitOne(op, [a, b], broadcasted(op, a, b), {}, dtype);
}

/** Arithmetic with a number, in the tensor's own type. */
export function withScalar(g: GraphBuilder, op: string, x: Value, scalar: number, dtype: DType = x.dtype): Value {
  return binary(g, op, x, uniform(scalar, [], x.dtype), dtype);
}

export function compare(
  g: GraphBuilder,
  op: "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" | "Equal",
  a: Value,
  b: Value,
): Value {
  const ordered = op !== "Equal" && a.dtype === "bool";
  return binary(g, op, ordered ? cast(g, a, "int32") : a, ordered ? cast(g, b, "int32") : b, "bool");
}

/** Element-wise choice; `condition` is bool. The runtime selects no bools, so those travel as int32. */
export function where(g: GraphBuilder, condition: Value, a: Value, b: Value): Value {
  if (a.dtype === "bool") return cast(g, where(g, condition, cast(g, a, "int32"), cast(g, b, "int32")), "bool");
  return g.emitOne("Where", [cast(g, condition, "bool"), a, b], broadcasted("Where", condition, a, b), {}, a.dtype);
}

export function cast(g: GraphBuilder, x: Value, dtype: DType): Value {
  return x.dtype === dtype ? x : unary(g, "Cast", x, { to: { int: typeCode[dtype] } }, dtype);
}

export function reshape(g: GraphBuilder, x: Value, shape: readonly number[]): Value {
  if (sameShape(x.shape, shape)) return x;
  if (x.uniform !== undefined) return uniform(x.uniform, shape, x.dtype);
  if (x.constant) return { shape: [...shape], dtype: x.dtype, constant: x.constant };
  return g.emitOne("Reshape", [x, int64s(shape)], shape);
}

export function expand(g: GraphBuilder, x: Value, shape: readonly number[]): Value {
  if (sameShape(x.shape, shape)) return x;
  if (x.uniform !== undefined) return uniform(x.uniform, shape, x.dtype);
  return g.emitOne("Expand", [x, int64s(shape)], shape);
}

export function transpose(g: GraphBuilder, x: Value, permutation: readonly number[]): Value {
  if (permutation.every((from, to) => from === to)) return x;
  const shape = permutation.map((axis) => x.shape[axis]);
  if (x.uniform !== undefined) return uniform(x.uniform, shape, x.dtype);
  return g.emitOne("Transpose", [x], shape, { perm: { ints: permutation } });
}

/** ReduceSum, ReduceMax and the like over `axes` (non-negative). No axes: the tensor itself. */
export function reduce(g: GraphBuilder, op: string, x: Value, axes: readonly number[], keepDims: boolean): Value {
  if (axes.length === 0) return x;
  const shape = keepDims
    ? x.shape.map((dimension, axis) => (axes.includes(axis) ? 1 : dimension))
    : x.shape.filter((_, axis) => !axes.includes(axis));
  return g.emitOne(op, [x, int64s(axes)], shape, { keepdims: { int: keepDims ? 1 : 0 } });
}

/** The part of x from `begin`, `size` elements per axis, every `steps`-th. */
export function slice(
  g: GraphBuilder,
  x: Value,
  begin: readonly number[],
  size: readonly number[],
  steps?: readonly number[],
): Value {
  const axes = begin.map((_, axis) => axis).filter((axis) => begin[axis] !== 0 || size[axis] !== x.shape[axis]);
  if (axes.length === 0) return x;
  if (x.uniform !== undefined) return uniform(x.uniform, size, x.dtype);
  const step = (axis: number) => steps?.[axis] ?? 1;
  const ends = axes.map((axis) => begin[axis] + (size[axis] - 1) * step(axis) + 1);
  const inputs = [x, int64s(axes.map((axis) => begin[axis])), int64s(ends), int64s(axes)];
  if (axes.some((axis) => step(axis) !== 1)) inputs.push(int64s(axes.map(step)));
  return g.emitOne("Slice", inputs, size);
}

/** Reverses the order along `axes`. */
export function reverse(g: GraphBuilder, x: Value, axes: readonly number[]): Value {
  if (axes.length === 0) return x;
  const everything = -(2 ** 31);
  const inputs = [
    x,
    int64s(axes.map(() => -1)),
    int64s(axes.map(() => everything)),
    int64s(axes),
    int64s(axes.map(() => -1)),
  ];
  return g.emitOne("Slice", inputs, x.shape);
}

export function concat(g: GraphBuilder, parts: readonly Value[], axis: number): Value {
  const filled = parts.filter((part) => sizeOf(part.shape) > 0);
  if (filled.length === 0) return parts[0];
  if (filled.length === 1) return filled[0];
  const shape = [...filled[0].shape];
  shape[axis] = filled.reduce((total, part) => total + part.shape[axis], 0);
  return g.emitOne("Concat", filled, shape, { axis: { int: axis } });
}

/** Surrounds x with `value`: `before[axis]` and `after[axis]` elements, none negative. */
export function pad(g: GraphBuilder, x: Value, before: readonly number[], after: readonly number[], value = 0): Value {
  if ([...before, ...after].every((count) => count === 0)) return x;
  const shape = x.shape.map((dimension, axis) => dimension + before[axis] + after[axis]);
  return g.emitOne("Pad", [x, int64s([...before, ...after]), uniform(value, [], x.dtype)], shape);
}

/** Rows of x along `axis` chosen by an integer tensor. */
export function gather(g: GraphBuilder, x: Value, indices: Value, axis: number): Value {
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  return g.emitOne("Gather", [x, indices], shape, { axis: { int: axis } });
}

function broadcasted(op: string, ...operands: Value[]): number[] {
  const shape = broadcastShapes(...operands.map((operand) => operand.shape));
  if (!shape)
    throw new Error(`${op}: shapes ${operands.map((operand) => `[${operand.shape}]`).join(" and ")} do not broadcast`);
  return shape;
}
