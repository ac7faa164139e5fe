// Small questions that several rules ask about operators and values.
import type { Emission } from "../builder.ts";
import type { Node, Value } from "../ir.ts";

/** Operators that broadcast all their inputs against each other, element by element. */
const broadcasting = new Set(
  "Add Sub Mul Div Pow Max Min Mod Where And Or Greater GreaterOrEqual Less LessOrEqual Equal".split(" "),
);

/** Operators with one input that map every element by itself. */
const pointwise = new Set(
  (
    "Abs Acos Acosh Asin Asinh Atan Atanh Cast Ceil Cos Cosh Elu Erf Exp Floor LeakyRelu Log Neg " +
    "Not Reciprocal Relu Round Selu Sigmoid Sign Sin Sinh Softplus Sqrt Tan Tanh"
  ).split(" "),
);

export function isBroadcasting(emission: Emission): boolean {
  return broadcasting.has(emission.op);
}

export function isPointwise(emission: Emission): boolean {
  return pointwise.has(emission.op);
}

/** The node that computes `value`, when its operator is one of `ops`. */
export function producedBy(value: Value | undefined, ...ops: string[]): Node | undefined {
  const node = value?.producer;
  return node && ops.includes(node.op) ? node : undefined;
}
