// Element-wise kernels: arithmetic, comparisons, logic, activations, casts and selection.
import * as tf from "@tensorflow/tfjs-core";
import type { GraphBuilder } from "../builder.ts";
import { broadcastShapes, type DType, uniform, type Value } from "../ir.ts";
import { binary, cast, compare, unary, where, withScalar } from "../ops.ts";
import type { Kernel, KernelTable } from "./kernel.ts";

const sameName =
  (op: string): Kernel<never> =>
  (g, { x }) =>
    unary(g, op, x);
const arithmetic =
  (op: string): Kernel<never> =>
  (g, { a, b }) =>
    binary(g, op, a, b);
const comparison =
  (op: Parameters<typeof compare>[1]): Kernel<never> =>
  (g, { a, b }) =>
    compare(g, op, a, b);

/** `x > 0 ? 1 : alpha` as float32. */
function step(g: GraphBuilder, x: Value, alpha: number): Value {
  const positive = withScalar(g, "Greater", x, 0, "bool");
  return alpha === 0 ? cast(g, positive, "float32") : where(g, positive, uniform(1), uniform(alpha));
}

/** log(1 + x), accurate near zero through 2 atanh(x / (2 + x)). */
function log1p(g: GraphBuilder, x: Value): Value {
  const ratio = binary(g, "Div", x, withScalar(g, "Add", x, 2));
  const nearZero = withScalar(g, "Mul", unary(g, "Atanh", ratio), 2);
  const elsewhere = unary(g, "Log", withScalar(g, "Add", x, 1));
  return where(g, withScalar(g, "Less", unary(g, "Abs", x), 0.5, "bool"), nearZero, elsewhere);
}

/** exp(x) - 1, accurate near zero through tanh(x / 2) (exp(x) + 1). */
function expm1(g: GraphBuilder, x: Value): Value {
  const sum = withScalar(g, "Add", unary(g, "Exp", x), 1);
  return binary(g, "Mul", unary(g, "Tanh", withScalar(g, "Mul", x, 0.5)), sum);
}

/** The remainder with the sign of the divisor, as tfjs defines it. */
function floorMod(g: GraphBuilder, a: Value, b: Value): Value {
  if (a.dtype !== "float32") return binary(g, "Mod", a, b);
  const shape = broadcastShapes(a.shape, b.shape) ?? a.shape;
  const remainder = g.emitOne("Mod", [a, b], shape, { fmod: { int: 1 } });
  const signsDiffer = withScalar(g, "Less", binary(g, "Mul", remainder, b), 0, "bool");
  return where(g, signsDiffer, binary(g, "Add", remainder, b), remainder);
}

/** The largest whole number not above a / b, int32 as in tfjs; integers are divided without rounding through float32. */
function floorDiv(g: GraphBuilder, a: Value, b: Value): Value {
  if (a.dtype === "float32") return cast(g, unary(g, "Floor", binary(g, "Div", a, b)), "int32");
  return binary(g, "Div", binary(g, "Sub", a, floorMod(g, a, b)), b);
}

/** The angle of the point (b, a) in (-pi, pi]. */
function atan2(g: GraphBuilder, a: Value, b: Value): Value {
  const angle = unary(g, "Atan", binary(g, "Div", a, b));
  const halfTurn = where(g, withScalar(g, "Less", a, 0, "bool"), uniform(-Math.PI), uniform(Math.PI));
  const turned = where(g, withScalar(g, "Less", b, 0, "bool"), binary(g, "Add", angle, halfTurn), angle);
  const atOrigin = binary(g, "And", withScalar(g, "Equal", a, 0, "bool"), withScalar(g, "Equal", b, 0, "bool"));
  return where(g, atOrigin, uniform(0), turned);
}

/** The ONNX counterpart of a tfjs dtype; complex64 and string never reach a kernel. */
export function castTo(g: GraphBuilder, x: Value, dtype: tf.DataType): Value {
  return cast(g, x, dtype as DType);
}

/** The activation of a fused tfjs kernel. */
export function activation(g: GraphBuilder, x: Value, kind: string | undefined, alpha = 0.2, slope?: Value): Value {
  switch (kind) {
    case undefined:
    case "linear":
      return x;
    case "relu":
      return unary(g, "Relu", x);
    case "relu6":
      return g.emitOne("Clip", [x, uniform(0), uniform(6)], x.shape);
    case "sigmoid":
      return unary(g, "Sigmoid", x);
    case "elu":
      return unary(g, "Elu", x);
    case "leakyrelu":
      return unary(g, "LeakyRelu", x, { alpha: { float: alpha } });
    case "prelu":
      return binary(g, "PRelu", x, slope ?? uniform(0));
    default:
      throw new Error(`fused activation '${kind}' is not known; apply it as an operation of its own`);
  }
}

export const elementwiseKernels: KernelTable = {
  Abs: sameName("Abs"),
  Acos: sameName("Acos"),
  Acosh: sameName("Acosh"),
  Asin: sameName("Asin"),
  Asinh: sameName("Asinh"),
  Atan: sameName("Atan"),
  Atanh: sameName("Atanh"),
  Ceil: sameName("Ceil"),
  Cos: sameName("Cos"),
  Cosh: sameName("Cosh"),
  Elu: sameName("Elu"),
  Erf: sameName("Erf"),
  Exp: sameName("Exp"),
  Floor: sameName("Floor"),
  Log: sameName("Log"),
  Neg: sameName("Neg"),
  Reciprocal: sameName("Reciprocal"),
  Relu: sameName("Relu"),
  Round: sameName("Round"),
  Sigmoid: sameName("Sigmoid"),
  Sign: sameName("Sign"),
  Sin: sameName("Sin"),
  Sinh: sameName("Sinh"),
  Softplus: sameName("Softplus"),
  Sqrt: sameName("Sqrt"),
  Tan: sameName("Tan"),
  Tanh: sameName("Tanh"),
  Rsqrt: (g, { x }) => unary(g, "Reciprocal", unary(g, "Sqrt", x)),
  Square: (g, { x }) => binary(g, "Mul", x, x),
  Log1p: (g, { x }) => log1p(g, x),
  Expm1: (g, { x }) => expm1(g, x),
  Selu: sameName("Selu"),
  Relu6: (g, { x }) => g.emitOne("Clip", [x, uniform(0, [], x.dtype), uniform(6, [], x.dtype)], x.shape),
  LeakyRelu: (g, { x }, { alpha }: tf.LeakyReluAttrs) => unary(g, "LeakyRelu", x, { alpha: { float: alpha } }),
  Prelu: (g, { x, alpha }) => binary(g, "PRelu", x, alpha),
  EluGrad: (g, { dy, y }) => {
    const slope = where(g, withScalar(g, "GreaterOrEqual", y, 0, "bool"), uniform(1), withScalar(g, "Add", y, 1));
    return binary(g, "Mul", dy, slope);
  },
  Step: (g, { x }, { alpha }: tf.StepAttrs) => step(g, x, alpha ?? 0),
  ClipByValue: (g, { x }, { clipValueMin, clipValueMax }: tf.ClipByValueAttrs) =>
    g.emitOne("Clip", [x, uniform(clipValueMin, [], x.dtype), uniform(clipValueMax, [], x.dtype)], x.shape),

  Add: arithmetic("Add"),
  Sub: arithmetic("Sub"),
  Multiply: arithmetic("Mul"),
  RealDiv: arithmetic("Div"),
  Maximum: arithmetic("Max"),
  Minimum: arithmetic("Min"),
  Pow: arithmetic("Pow"),
  FloorDiv: (g, { a, b }) => floorDiv(g, a, b),
  Mod: (g, { a, b }) => floorMod(g, a, b),
  Atan2: (g, { a, b }) => atan2(g, a, b),
  SquaredDifference: (g, { a, b }) => {
    const difference = binary(g, "Sub", a, b);
    return binary(g, "Mul", difference, difference);
  },
  AddN: (g, inputs) => Object.values(inputs).reduce((sum, term) => binary(g, "Add", sum, term)),

  Equal: comparison("Equal"),
  Greater: comparison("Greater"),
  GreaterEqual: comparison("GreaterOrEqual"),
  Less: comparison("Less"),
  LessEqual: comparison("LessOrEqual"),
  NotEqual: (g, { a, b }) => unary(g, "Not", compare(g, "Equal", a, b)),
  LogicalAnd: (g, { a, b }) => binary(g, "And", a, b),
  LogicalOr: (g, { a, b }) => binary(g, "Or", a, b),
  LogicalNot: (g, { x }) => unary(g, "Not", x),
  IsNan: (g, { x }) => unary(g, "IsNaN", x, {}, "bool"),
  IsInf: (g, { x }) => unary(g, "IsInf", x, {}, "bool"),
  IsFinite: (g, { x }) =>
    unary(g, "Not", binary(g, "Or", unary(g, "IsNaN", x, {}, "bool"), unary(g, "IsInf", x, {}, "bool"))),

  Cast: (g, { x }, { dtype }: tf.CastAttrs) => castTo(g, x, dtype),
  Identity: (_, { x }) => x,
  ZerosLike: (_, { x }) => uniform(0, x.shape, x.dtype),
  OnesLike: (_, { x }) => uniform(1, x.shape, x.dtype),
  Fill: (_, __, { shape, value, dtype }: tf.FillAttrs) => uniform(Number(value), shape, (dtype ?? "float32") as DType),
  Select: (g, { condition, t, e }) => where(g, condition, t, e),
};
