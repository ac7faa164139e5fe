// Rules about operators that only move elements: chains of them collapse, and they sink below arithmetic.
import type { GraphBuilder, Rule } from "../builder.ts";
import { int64sOf, sameShape, sizeOf, type Value } from "../ir.ts";
import { cast, expand, reshape, slice, transpose } from "../ops.ts";
import { isBroadcasting, isPointwise, producedBy } from "./match.ts";
import { permutationOf } from "./transpose.ts";

/** reshape(reshape(x)), transpose(transpose(x)), expand(expand(x)) -> one; one that changes nothing -> x. */
export const composeLayout: Rule = ({ op, inputs: [x], outputs: [output], attributes }, g) => {
  if (op === "Identity" || (op === "Reshape" && sameShape(x.shape, output.shape))) return [x];
  const previous = x?.producer;
  if (op === "Reshape") {
    if (x.uniform !== undefined || x.constant || previous?.op === "Reshape") {
      return [reshape(g, previous ? previous.inputs[0] : x, output.shape)];
    }
    if (previous?.op === "Transpose" && movesOnlyUnitAxes(previous.inputs[0].shape, permutationOf(previous))) {
      return [reshape(g, previous.inputs[0], output.shape)];
    }
  }
  if (op === "Expand" && previous?.op === "Expand") return [expand(g, previous.inputs[0], output.shape)];
  if (op === "Transpose") {
    const permutation = permutationOf({ attributes: attributes ?? {} });
    if (previous?.op === "Transpose") {
      const first = permutationOf(previous);
      return [
        transpose(
          g,
          previous.inputs[0],
          permutation.map((axis) => first[axis]),
        ),
      ];
    }
    if (movesOnlyUnitAxes(x.shape, permutation)) return [reshape(g, x, output.shape)];
  }
  if (op === "Cast") {
    if (x.dtype === output.dtype) return [x];
    const boolean = previous?.op === "Cast" && previous.inputs[0].dtype === "bool" ? previous.inputs[0] : undefined;
    if (boolean) return [cast(g, boolean, output.dtype)];
  }
  return undefined;
};

/** Whether the axes longer than one keep their order, so that the elements stay where they are. */
function movesOnlyUnitAxes(shape: readonly number[], permutation: readonly number[]): boolean {
  const long = permutation.filter((axis) => shape[axis] !== 1);
  return long.every((axis, index) => index === 0 || axis > long[index - 1]);
}

/**
 * f(reshape(x), bias) -> reshape(f(x, bias)) when all operands allow it, so that a product and the bias, the activation and
 * the factor behind it meet. Other operands may be single numbers, vectors along an unchanged last axis, or reshaped alike.
 */
export const sinkReshape: Rule = (emission, g) => {
  const [output] = emission.outputs;
  if (!isPointwise(emission) && !isBroadcasting(emission)) return undefined;
  const node = emission.inputs
    .map((input) => producedBy(input, "Reshape"))
    .find((n) => n && sameShape(n.outputs[0].shape, output.shape));
  if (!node) return undefined;
  const inner = node.inputs[0].shape;
  const inputs: Value[] = [];
  for (const input of emission.inputs) {
    const moved = withInnerShape(g, input, inner, output.shape);
    if (!moved) return undefined;
    inputs.push(moved);
  }
  const [result] = g.emit({ ...emission, inputs, outputs: [{ shape: inner, dtype: output.dtype }] });
  return [reshape(g, result, output.shape)];
};

function withInnerShape(
  g: GraphBuilder,
  input: Value,
  inner: readonly number[],
  outer: readonly number[],
): Value | undefined {
  if (sizeOf(input.shape) === 1) return reshape(g, input, []);
  const source = producedBy(input, "Reshape")?.inputs[0];
  if (source && sameShape(input.shape, outer) && sameShape(source.shape, inner)) return source;
  const last = input.shape.at(-1);
  const isVector = last === sizeOf(input.shape);
  return isVector && last === inner.at(-1) && last === outer.at(-1) ? reshape(g, input, [last]) : undefined;
}

/** reduce(reshape(x)) over all axes -> reduce(x): the order of elements does not matter. */
export const reduceWithoutReshape: Rule = (emission, g) => {
  if (!emission.op.startsWith("Reduce")) return undefined;
  const node = producedBy(emission.inputs[0], "Reshape", "Transpose");
  const axes = int64sOf(emission.inputs[1]);
  const [output] = emission.outputs;
  if (!node || !axes || axes.length !== emission.inputs[0].shape.length || output.shape.length > 0) return undefined;
  const source = node.inputs[0];
  const all = {
    shape: [source.shape.length],
    dtype: "int64" as const,
    constant: BigInt64Array.from(source.shape, (_, axis) => BigInt(axis)),
  };
  return g.emit({ ...emission, inputs: source.shape.length ? [source, all] : [source] });
};

/** slice(concat(a, b, ...)) -> the part it lies in, sliced: undoes stack and unstack pairs. */
export const sliceOfConcat: Rule = ({ op, inputs, outputs: [output] }, g) => {
  const joined = op === "Slice" && inputs.length === 4 ? producedBy(inputs[0], "Concat") : undefined;
  const axis = joined?.attributes.axis;
  const [begins, ends, axes] = [1, 2, 3].map((position) => int64sOf(inputs[position]));
  if (!joined || !axis || !("int" in axis) || !begins || !ends || !axes) return undefined;
  const along = axes.indexOf(axis.int);
  if (along < 0) return undefined;
  let start = 0;
  for (const part of joined.inputs) {
    const stop = start + part.shape[axis.int];
    if (begins[along] >= start && ends[along] <= stop) {
      const begin = output.shape.map((_, a) =>
        axes.includes(a) ? begins[axes.indexOf(a)] - (a === axis.int ? start : 0) : 0,
      );
      return [slice(g, part, begin, output.shape)];
    }
    start = stop;
  }
  return undefined;
};

/** split(concat(a, b, ...)) along the same axis with the same lengths -> a, b, ... */
export const splitOfConcat: Rule = ({ op, inputs, outputs, attributes }) => {
  const joined = op === "Split" ? producedBy(inputs[0], "Concat") : undefined;
  if (!joined || JSON.stringify(joined.attributes.axis) !== JSON.stringify(attributes?.axis)) return undefined;
  const matches =
    joined.inputs.length === outputs.length &&
    joined.inputs.every((part, index) => sameShape(part.shape, outputs[index].shape));
  return matches ? [...joined.inputs] : undefined;
};

/** concat of all parts of one split, in order, along the same axis -> the whole. */
export const concatOfSplit: Rule = ({ op, inputs, attributes }) => {
  const source = op === "Concat" ? producedBy(inputs[0], "Split") : undefined;
  if (!source || JSON.stringify(source.attributes.axis) !== JSON.stringify(attributes?.axis)) return undefined;
  const all = source.outputs.length === inputs.length && source.outputs.every((part, index) => part === inputs[index]);
  return all ? [source.inputs[0]] : undefined;
};
