// Rules that let transpositions sink below arithmetic, so that those around neighbouring convolutions meet and cancel.
import type { GraphBuilder, Rule } from "../builder.ts";
import { int64s, int64sOf, type Node, sameShape, sizeOf, type Value } from "../ir.ts";
import { reshape, transpose } from "../ops.ts";
import { isBroadcasting, isPointwise, producedBy } from "./match.ts";

export function permutationOf({ attributes }: Pick<Node, "attributes">): readonly number[] {
  const { perm } = attributes;
  return perm && "ints" in perm ? perm.ints : [];
}

/**
 * f(transpose(x), bias) -> transpose(f(x, bias)) when every operand allows it: transposed alike, a single number, or a
 * vector along the last axis, which moves to the axis that was last.
 */
export const sinkTranspose: Rule = (emission, g) => {
  if (!isPointwise(emission) && !isBroadcasting(emission)) return undefined;
  const [output] = emission.outputs;
  const node = emission.inputs
    .map((input) => producedBy(input, "Transpose"))
    .find((n) => n && sameShape(n.outputs[0].shape, output.shape));
  if (!node) return undefined;
  const permutation = permutationOf(node);
  const inputs: Value[] = [];
  for (const input of emission.inputs) {
    const moved = beforeTranspose(g, input, permutation);
    if (!moved) return undefined;
    inputs.push(moved);
  }
  const [result] = g.emit({ ...emission, inputs, outputs: [{ shape: node.inputs[0].shape, dtype: output.dtype }] });
  return [transpose(g, result, permutation)];
};

function beforeTranspose(g: GraphBuilder, input: Value, permutation: readonly number[]): Value | undefined {
  if (sizeOf(input.shape) === 1) return reshape(g, input, []);
  const node = producedBy(input, "Transpose");
  if (node && sameShape(permutationOf(node), permutation)) return node.inputs[0];
  const length = input.shape.at(-1);
  if (length !== sizeOf(input.shape)) return undefined;
  const axis = permutation[permutation.length - 1];
  return reshape(g, input, [length, ...permutation.slice(axis + 1).map(() => 1)]);
}

/** reduce(transpose(x), axes) -> reduce(x, the axes they were), when the remaining axes keep their order. */
export const reduceWithoutTranspose: Rule = (emission, g) => {
  const node = emission.op.startsWith("Reduce") ? producedBy(emission.inputs[0], "Transpose") : undefined;
  const axes = int64sOf(emission.inputs[1]);
  if (!node || !axes || emission.outputs[0].shape.length !== node.outputs[0].shape.length - axes.length)
    return undefined;
  const permutation = permutationOf(node);
  const kept = permutation.filter((_, axis) => !axes.includes(axis));
  if (kept.some((axis, index) => index > 0 && axis < kept[index - 1])) return undefined;
  const reduced = axes.map((axis) => permutation[axis]).toSorted((a, b) => a - b);
  return g.emit({ ...emission, inputs: [node.inputs[0], int64s(reduced)] });
};
