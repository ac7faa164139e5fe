// Rules of arithmetic: constants are folded, neutral operands vanish, scalar factors merge.
import type { Emission, Rule } from "../builder.ts";
import { broadcastShapes, sameShape, sizeOf, uniform, type Value } from "../ir.ts";
import { binary, expand, unary, withScalar } from "../ops.ts";
import { isBroadcasting, producedBy } from "./match.ts";

/** add(expand(x), y) -> add(x, y): broadcasting operators need no materialised operands, uniforms only one number. */
export const dropExpansions: Rule = (emission, g) => {
  if (!isBroadcasting(emission)) return undefined;
  const [output] = emission.outputs;
  const inputs = [...emission.inputs];
  for (const [position, input] of inputs.entries()) {
    const source =
      input.uniform !== undefined ? uniform(input.uniform, [], input.dtype) : producedBy(input, "Expand")?.inputs[0];
    if (!source || sameShape(source.shape, input.shape)) continue;
    const shapes = inputs.map((other, index) => (index === position ? source.shape : other.shape));
    const shape = broadcastShapes(...shapes);
    if (shape && sameShape(shape, output.shape)) inputs[position] = source;
  }
  if (inputs.every((input, position) => input === emission.inputs[position])) return undefined;
  return g.emit({ ...emission, inputs });
};

const floatArithmetic: Record<string, (a: number, b: number) => number> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Max: (a, b) => Math.max(a, b),
  Min: (a, b) => Math.min(a, b),
  Greater: (a, b) => Number(a > b),
  GreaterOrEqual: (a, b) => Number(a >= b),
  Less: (a, b) => Number(a < b),
  LessOrEqual: (a, b) => Number(a <= b),
  Equal: (a, b) => Number(a === b),
};

const floatFunction: Record<string, (x: number) => number> = {
  Neg: (x) => -x,
  Sqrt: Math.sqrt,
  Reciprocal: (x) => 1 / x,
  Abs: Math.abs,
  Exp: Math.exp,
  Log: Math.log,
};

/** Operators whose inputs are all uniform give a uniform, in float32 arithmetic. */
export const foldUniforms: Rule = ({ op, inputs, outputs: [output] }) => {
  const [a, b] = inputs.map((input) => input.uniform);
  if (a === undefined) return undefined;
  const float = inputs[0].dtype === "float32";
  const result = (value: number) => [
    uniform(output.dtype === "float32" ? Math.fround(value) : value, output.shape, output.dtype),
  ];
  if (float && b !== undefined && op in floatArithmetic) return result(floatArithmetic[op](a, b));
  if (float && op in floatFunction) return result(floatFunction[op](a));
  if (op === "Cast" && (float ? output.dtype === "bool" : output.dtype !== "int64"))
    return result(output.dtype === "bool" ? Number(a !== 0) : a);
  if (op === "ReduceSum" && float) return result(a * (sizeOf(inputs[0].shape) / sizeOf(output.shape)));
  if ((op === "ReduceMean" && float) || op === "ReduceMax" || op === "ReduceMin") return result(a);
  return ["Identity", "Expand", "Reshape", "Transpose", "Slice"].includes(op) ? result(a) : undefined;
};

/**
 * x + 0, x - 0, x * 1, x / 1 -> x; 0 - x, x * -1 -> -x; -(-x) -> x; a + (-b) -> a - b; and x * 0 -> 0: the zeros come from
 * gradients that vanish identically, and taking them for zero also where x is not finite lets whole branches disappear.
 */
export const foldIdentities: Rule = ({ op, inputs: [a, b], outputs: [output] }, g) => {
  if (output.dtype !== "float32") return undefined;
  const whole = (value: Value) => [expand(g, value, output.shape)];
  if (op === "Neg") {
    const negated = producedBy(a, "Neg");
    return negated && [negated.inputs[0]];
  }
  if (op === "Add") {
    if (a.uniform === 0) return whole(b);
    if (b.uniform === 0) return whole(a);
    const [negatedA, negatedB] = [producedBy(a, "Neg"), producedBy(b, "Neg")];
    if (negatedB) return [binary(g, "Sub", a, negatedB.inputs[0])];
    if (negatedA) return [binary(g, "Sub", b, negatedA.inputs[0])];
  }
  if (op === "Sub") {
    if (b.uniform === 0) return whole(a);
    if (a.uniform === 0) return [unary(g, "Neg", expand(g, b, output.shape))];
    const negated = producedBy(b, "Neg");
    if (negated) return [binary(g, "Add", a, negated.inputs[0])];
  }
  if (op === "Mul") {
    if (a.uniform === 0 || b.uniform === 0) return [uniform(0, output.shape)];
    if (a.uniform === 1) return whole(b);
    if (b.uniform === 1) return whole(a);
    if (a.uniform === -1) return [unary(g, "Neg", expand(g, b, output.shape))];
    if (b.uniform === -1) return [unary(g, "Neg", expand(g, a, output.shape))];
  }
  if (op === "Div") {
    if (b.uniform === 1) return whole(a);
    if (a.uniform === 0) return [uniform(0, output.shape)];
  }
  return undefined;
};

/** The parts of a uniform are uniform. */
export const splitUniform: Rule = ({ op, inputs: [x], outputs }) =>
  op === "Split" && x.uniform !== undefined
    ? outputs.map(({ shape, dtype }) => uniform(x.uniform as number, shape, dtype))
    : undefined;

/** A matrix product with a matrix of zeros is zero. */
export const foldZeroProducts: Rule = ({ op, inputs, outputs: [output] }) => {
  const product = op === "MatMul" || op === "FusedMatMul" || (op === "Gemm" && inputs.length === 2);
  return product && inputs.some((input) => input.uniform === 0) ? [uniform(0, output.shape)] : undefined;
};

/** c1 * (c2 * x) -> (c1 c2) * x, division by a constant included: one pass over x instead of two. */
export const mergeScales: Rule = (emission, g) => {
  const outer = scaleOf(emission);
  const inner = outer && outer.tensor.producer && scaleOf(outer.tensor.producer);
  if (!inner) return undefined;
  return [withScalar(g, "Mul", inner.tensor, Math.fround(outer.factor * inner.factor))];
};

/** Reads x * c, c * x, x / c and -x as a tensor of full shape times a number. */
function scaleOf({ op, inputs: [a, b], outputs: [output] }: Emission): { tensor: Value; factor: number } | undefined {
  if (output.dtype !== "float32") return undefined;
  const full = (value: Value) => sameShape(value.shape, output.shape);
  if (op === "Neg") return { tensor: a, factor: -1 };
  if (op === "Mul" && b.uniform !== undefined && full(a)) return { tensor: a, factor: b.uniform };
  if (op === "Mul" && a.uniform !== undefined && full(b)) return { tensor: b, factor: a.uniform };
  if (op === "Div" && b.uniform !== undefined && full(a)) return { tensor: a, factor: 1 / b.uniform };
  return undefined;
}

/** where(true, a, b) -> a and where(c, a, a) -> a. */
export const foldChoices: Rule = ({ op, inputs: [condition, a, b], outputs: [output] }, g) => {
  if (op !== "Where") return undefined;
  const chosen = condition.uniform !== undefined ? (condition.uniform ? a : b) : sameValue(a, b) ? a : undefined;
  return chosen && [expand(g, chosen, output.shape)];
};

function sameValue(a: Value, b: Value): boolean {
  return a === b || (a.uniform !== undefined && Object.is(a.uniform, b.uniform) && sameShape(a.shape, b.shape));
}
