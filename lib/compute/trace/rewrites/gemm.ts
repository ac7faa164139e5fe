// Rules that gather work into one product or convolution: bias, accumulation, transposition, scale.
import type { Rule } from "../builder.ts";
import { type Attribute, broadcastShapes, type Node, sameShape, sizeOf, type Value } from "../ir.ts";
import { reshape } from "../ops.ts";
import { producedBy } from "./match.ts";

/** The two-dimensional product behind a value, as long as nothing else reads it and no term was added to it yet. */
function bareProduct(value: Value, isOnlyUse: boolean): Node | undefined {
  const node = producedBy(value, "MatMul", "Gemm");
  const plain =
    node &&
    node.inputs.length === 2 &&
    value.shape.length === 2 &&
    node.inputs.every((input) => input.shape.length === 2);
  return plain && isOnlyUse ? node : undefined;
}

/** a b + c -> Gemm(a, b, c): the runtime adds the bias, or another gradient, while it multiplies. */
export const fuseBias: Rule = ({ op, inputs, outputs: [output] }, g) => {
  if (op !== "Add" || output.dtype !== "float32" || output.shape.length !== 2) return undefined;
  for (const [product, term] of [inputs, inputs.toReversed()]) {
    const node = bareProduct(product, g.useCount(product) === 1);
    if (!node || !sameShape(product.shape, output.shape)) continue;
    const shape = broadcastShapes(term.shape, output.shape);
    if (!shape || !sameShape(shape, output.shape) || (term.uniform !== undefined && sizeOf(term.shape) > 1)) continue;
    return [g.emitOne("Gemm", [...node.inputs, term], output.shape, node.attributes)];
  }
  return undefined;
};

/** conv(x, w) + b, one number per channel -> Conv(x, w, b). */
export const fuseConvolutionBias: Rule = ({ op, inputs, outputs: [output] }, g) => {
  if (op !== "Add") return undefined;
  for (const [product, term] of [inputs, inputs.toReversed()]) {
    const node = producedBy(product, "Conv", "ConvTranspose");
    const channels = product.shape[1];
    const perChannel = sizeOf(term.shape) === channels && sameShape(term.shape.slice(-3), [channels, 1, 1]);
    if (!node || node.inputs.length !== 2 || g.useCount(product) !== 1 || !perChannel) continue;
    return [g.emitOne(node.op, [...node.inputs, reshape(g, term, [channels])], output.shape, node.attributes)];
  }
  return undefined;
};

/** Gemm(transpose(a), b) -> Gemm with transA, and alike for b: the runtime reads the operand in the other order. */
export const absorbTranspose: Rule = ({ op, inputs, outputs: [output], attributes = {} }, g) => {
  if ((op !== "Gemm" && op !== "MatMul") || output.shape.length !== 2) return undefined;
  const flags = ["transA", "transB"] as const;
  const changed: Record<string, Attribute> = {};
  const sources = inputs.map((input, position) => {
    const node = position < 2 && input.shape.length === 2 ? producedBy(input, "Transpose") : undefined;
    if (!node) return input;
    const flag = attributes[flags[position]];
    changed[flags[position]] = { int: flag && "int" in flag && flag.int === 1 ? 0 : 1 };
    return node.inputs[0];
  });
  if (Object.keys(changed).length === 0) return undefined;
  return [g.emitOne("Gemm", sources, output.shape, { ...attributes, ...changed })];
};

/** c * (a b) -> Gemm with alpha: the factor costs nothing there. */
export const absorbScale: Rule = ({ op, inputs, outputs: [output] }, g) => {
  if (op !== "Mul" && op !== "Div" && op !== "Neg") return undefined;
  const [a, b] = inputs;
  const [product, factor] =
    op === "Neg"
      ? [a, -1]
      : b.uniform !== undefined
        ? [a, op === "Mul" ? b.uniform : 1 / b.uniform]
        : op === "Mul"
          ? [b, a.uniform]
          : [];
  if (product === undefined || factor === undefined || !sameShape(product.shape, output.shape)) return undefined;
  const node = bareProduct(product, g.useCount(product) === 1);
  if (!node || output.dtype !== "float32") return undefined;
  const { alpha } = node.attributes;
  const previous = alpha && "float" in alpha ? alpha.float : 1;
  return [
    g.emitOne("Gemm", node.inputs, output.shape, {
      ...node.attributes,
      alpha: { float: Math.fround(previous * factor) },
    }),
  ];
};
