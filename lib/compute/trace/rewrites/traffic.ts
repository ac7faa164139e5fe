// Rules that spare memory traffic around large matrix products.
import type { Attribute } from "../ir.ts";
import { int64sOf, sameShape, sizeOf, uniform } from "../ir.ts";
import type { Rule } from "../builder.ts";
import { reshape } from "../ops.ts";
import { producedBy } from "./match.ts";

/** Whether an attribute such as transA is set. */
const isSet = (attribute: Attribute | undefined): boolean =>
  attribute !== undefined && "int" in attribute && attribute.int === 1;

/**
 * Gemm(c * x, w) -> c * Gemm(x, w) as its alpha, ReduceSum(c * x) -> c * ReduceSum(x), and (c * x) * y -> c * (x * y) on the
 * way there: a factor on a large gradient would be a pass over it. When all readers take it over, the multiplication is dead.
 */
export const deferScale: Rule = ({ op, inputs, outputs: [output], attributes = {} }, g) => {
  if (output.dtype !== "float32") return undefined;
  const scaled = (position: number) => {
    const node = producedBy(inputs[position], "Mul");
    if (!node) return undefined;
    const [a, b] = node.inputs;
    const [tensor, factor] = b.uniform !== undefined ? [a, b.uniform] : [b, a.uniform];
    return factor !== undefined && sameShape(tensor.shape, inputs[position].shape) ? { tensor, factor } : undefined;
  };
  if (op === "Mul" && inputs.every(({ uniform }) => uniform === undefined)) {
    const position = [0, 1].find((at) => g.useCount(inputs[at]) === 1 && scaled(at));
    if (position === undefined) return undefined;
    const { tensor, factor } = scaled(position)!;
    const product = g.emitOne("Mul", inputs.with(position, tensor), output.shape);
    return [g.emitOne("Mul", [product, { shape: [], dtype: "float32", uniform: factor }], output.shape)];
  }
  if (op === "ReduceSum") {
    const source = scaled(0);
    if (!source) return undefined;
    const sum = g.emitOne("ReduceSum", [source.tensor, ...inputs.slice(1)], output.shape, attributes);
    return [g.emitOne("Mul", [sum, { shape: [], dtype: "float32", uniform: source.factor }], output.shape)];
  }
  if (op !== "Gemm" && !(op === "MatMul" && inputs.every(({ shape }) => shape.length === 2))) return undefined;
  for (const position of [0, 1]) {
    const source = scaled(position);
    if (!source) continue;
    const operands = inputs.with(position, source.tensor);
    const { alpha } = attributes;
    const before = alpha && "float" in alpha ? alpha.float : 1;
    return [
      g.emitOne("Gemm", operands, output.shape, {
        ...attributes,
        alpha: { float: Math.fround(before * source.factor) },
      }),
    ];
  }
  return undefined;
};

/** Elements from which on a matrix falls out of the second-level cache between its uses (2 MiB of float32). */
const LARGE_ELEMENTS = 1 << 19;
/** How many times larger than both small matrices together the large one must be for two transpositions to pay. */
const LARGE_RATIO = 6;

/**
 * x wᵀ (+ bias) -> (w xᵀ (+ biasᵀ))ᵀ when w is much larger than x and the result. The runtime repacks the second operand of
 * a product at every call, and with few rows in x that costs more than the arithmetic; the first operand is read as it is.
 * Applied once at the end, because other rules would fold the transpositions back.
 */
export const largeOperandFirst: Rule = ({ op, inputs, outputs: [output], attributes = {} }, g) => {
  if (op !== "Gemm" || isSet(attributes.transA) || !isSet(attributes.transB)) return undefined;
  const [x, w, bias] = inputs;
  const [rows, inner] = x.shape;
  const [columns] = w.shape;
  if (columns * inner < LARGE_ELEMENTS || columns * inner < LARGE_RATIO * rows * (columns + inner)) return undefined;
  if (bias && bias.uniform === undefined && sizeOf(bias.shape) !== columns) return undefined; // differs from row to row
  const flip = { perm: { ints: [1, 0] } };
  const xt = g.emitOne("Transpose", [x], [inner, rows], flip);
  const { transB: _, ...others } = attributes;
  const column = bias && (bias.uniform !== undefined ? bias : reshape(g, bias, [columns, 1]));
  const product = g.emitOne("Gemm", column ? [w, xt, column] : [w, xt], [columns, rows], others);
  return [g.emitOne("Transpose", [product], output.shape, flip)];
};

/**
 * Sum over the rows of a matrix -> a row of ones times the matrix. The runtime's product reads every row once, several
 * columns at a time; its reduction over the first axis takes ten times as long for matrices that fit the cache.
 */
export const sumRowsByProduct: Rule = ({ op, inputs: [x, axes], outputs: [output] }, g) => {
  if (op !== "ReduceSum" || output.dtype !== "float32" || x.shape.length !== 2) return undefined;
  const reduced = int64sOf(axes);
  if (reduced?.length !== 1 || reduced[0] !== 0) return undefined;
  const [rows, columns] = x.shape;
  if (rows < 2 || columns < 2) return undefined;
  return [reshape(g, g.emitOne("MatMul", [uniform(1, [1, rows]), x], [1, columns]), output.shape)];
};
