// Matrix products: plain, batched, transposed, fused with bias and activation, and Einstein sums.
import type * as tf from "@tensorflow/tfjs-core";
import type { GraphBuilder } from "../builder.ts";
import { broadcastShapes, sizeOf, type Value } from "../ir.ts";
import { binary, reshape } from "../ops.ts";
import { activation } from "./elementwise.ts";
import type { KernelTable } from "./kernel.ts";

/** a [m,k] times b [k,n], either given transposed. */
function multiply2d(g: GraphBuilder, a: Value, b: Value, transposeA: boolean, transposeB: boolean): Value {
  const shape = [a.shape[transposeA ? 1 : 0], b.shape[transposeB ? 0 : 1]];
  if (!transposeA && !transposeB) return g.emitOne("MatMul", [a, b], shape);
  return g.emitOne("Gemm", [a, b], shape, {
    ...(transposeA ? { transA: { int: 1 } } : {}),
    ...(transposeB ? { transB: { int: 1 } } : {}),
  });
}

/** Matrix product over the last two axes; the leading ones broadcast. One shared matrix b makes it a single product. */
export function matMul(g: GraphBuilder, a: Value, b: Value, transposeA = false, transposeB = false): Value {
  const [m, n] = [a.shape.at(transposeA ? -1 : -2) as number, b.shape.at(transposeB ? -2 : -1) as number];
  const [batchA, batchB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const batch = broadcastShapes(batchA, batchB);
  if (!batch) throw new Error(`matMul: batch shapes [${batchA}] and [${batchB}] do not broadcast`);
  const shape = [...batch, m, n];

  if (sizeOf(batchB) === 1 && (!transposeA || sizeOf(batchA) === 1)) {
    const rows = transposeA ? a.shape.slice(-2) : [sizeOf(batchA) * m, a.shape.at(-1) as number];
    return reshape(
      g,
      multiply2d(g, reshape(g, a, rows), reshape(g, b, b.shape.slice(-2)), transposeA, transposeB),
      shape,
    );
  }
  if (!transposeA && !transposeB) return g.emitOne("MatMul", [a, b], shape);
  const flags = { transA: { int: Number(transposeA) }, transB: { int: Number(transposeB) } };
  return g.emitOne("FusedMatMul", [a, b], shape, flags, "float32", "com.microsoft");
}

/** Output shape of an Einstein sum such as "bij,bjk->bik" (no ellipsis; tfjs has none either). */
function einsumShape(equation: string, operands: readonly Value[]): number[] {
  const [inputs, output] = equation.split("->");
  const sizes = new Map<string, number>();
  for (const [position, labels] of inputs.split(",").entries()) {
    [...labels].forEach((label, axis) => sizes.set(label, operands[position].shape[axis]));
  }
  return [...output].map((label) => sizes.get(label) as number);
}

export const linearAlgebraKernels: KernelTable = {
  BatchMatMul: (g, { a, b }, { transposeA, transposeB }: tf.BatchMatMulAttrs) =>
    matMul(g, a, b, transposeA, transposeB),
  _FusedMatMul: (g, { a, b, bias, preluActivationWeights }, attributes: tf._FusedMatMulAttrs) => {
    const product = matMul(g, a, b, attributes.transposeA, attributes.transposeB);
    const shifted = bias ? binary(g, "Add", product, bias) : product;
    return activation(g, shifted, attributes.activation, attributes.leakyreluAlpha, preluActivationWeights);
  },
  Einsum: (g, inputs, { equation }: tf.EinsumAttrs) => {
    const operands = Object.values(inputs);
    const compact = equation.replaceAll(" ", "");
    return g.emitOne("Einsum", operands, einsumShape(compact, operands), { equation: { text: compact } });
  },
};
