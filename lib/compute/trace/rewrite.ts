// optimize: replays a program through rewriting rules until nothing changes, then drops what no output needs.
import { type Emission, GraphBuilder, type Rule } from "./builder.ts";
import type { Node, Program, Value } from "./ir.ts";
import { maskFromOutput, maskInOnePass, sumOfSquares } from "./rewrites/activation.ts";
import {
  dropExpansions,
  foldChoices,
  foldIdentities,
  foldUniforms,
  foldZeroProducts,
  mergeScales,
  splitUniform,
} from "./rewrites/algebra.ts";
import { absorbScale, absorbTranspose, fuseBias, fuseConvolutionBias } from "./rewrites/gemm.ts";
import {
  composeLayout,
  concatOfSplit,
  reduceWithoutReshape,
  sinkReshape,
  sliceOfConcat,
  splitOfConcat,
} from "./rewrites/layout.ts";
import { deferScale, largeOperandFirst, sumRowsByProduct } from "./rewrites/traffic.ts";
import { reduceWithoutTranspose, sinkTranspose } from "./rewrites/transpose.ts";

/** In order of application; each is documented where it is defined. */
const rules: readonly Rule[] = [
  composeLayout,
  foldUniforms,
  splitUniform,
  dropExpansions,
  foldIdentities,
  foldZeroProducts,
  foldChoices,
  mergeScales,
  maskFromOutput,
  sinkReshape,
  sinkTranspose,
  reduceWithoutReshape,
  reduceWithoutTranspose,
  sliceOfConcat,
  splitOfConcat,
  concatOfSplit,
  sumOfSquares,
  absorbTranspose,
  absorbScale,
  deferScale,
  fuseBias,
  fuseConvolutionBias,
];

/** Applied once, when the others have settled: they would undo these. */
const finalRules: readonly Rule[] = [largeOperandFirst, maskInOnePass, sumRowsByProduct];

const maximumRounds = 8;

/** An equivalent program with fewer and larger operators. */
export function optimize(program: Program): Program {
  let current = eliminateDeadCode(program);
  for (let round = 0; round < maximumRounds; round++) {
    const next = eliminateDeadCode(rewriteWith(rules, current));
    const settled = fingerprint(next) === fingerprint(current);
    current = next;
    if (settled) break;
  }
  return eliminateDeadCode(rewriteWith(finalRules, current));
}

/** One replay of the program through `applied`. */
export function rewriteWith(applied: readonly Rule[], program: Program): Program {
  const replaced = new Map<Value, Value>();
  const current = (value: Value) => replaced.get(value) ?? value;
  const counts = new Map<Value, number>();
  const builder = new GraphBuilder(applied, (value) => counts.get(value) ?? 1);
  const consumers = countConsumers(program);
  for (const node of program.nodes) {
    builder.origin = node.source ? { kernel: node.kernel, source: node.source } : { kernel: node.kernel };
    const emission: Emission = { ...node, inputs: node.inputs.map(current) };
    const outputs = builder.emit(emission);
    node.outputs.forEach((output, index) => {
      replaced.set(output, outputs[index]);
      counts.set(outputs[index], (counts.get(outputs[index]) ?? 0) + (consumers.get(output) ?? 0));
    });
  }
  const outputs = new Map([...program.outputs].map(([name, value]) => [name, current(value)]));
  return { inputs: program.inputs, outputs, nodes: builder.nodes };
}

/** Keeps the nodes from which an output can be reached. */
export function eliminateDeadCode(program: Program): Program {
  const needed = new Set(program.outputs.values());
  const kept: Node[] = [];
  for (const node of program.nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    for (const input of node.inputs) needed.add(input);
    kept.push(node);
  }
  return { ...program, nodes: kept.reverse() };
}

/** Operators that rules move out of the way: whoever reads their output will read their input. */
const layoutOperators = new Set(["Reshape", "Transpose", "Expand"]);

/** How many operators and outputs read each value, also through a change of layout. */
function countConsumers(program: Program): Map<Value, number> {
  const counts = new Map<Value, number>();
  const add = (value: Value, count: number) => counts.set(value, (counts.get(value) ?? 0) + count);
  for (const output of program.outputs.values()) add(output, 1);
  for (const node of program.nodes.toReversed()) {
    const readers = layoutOperators.has(node.op) ? (counts.get(node.outputs[0]) ?? 1) : 1;
    for (const input of node.inputs) add(input, readers);
  }
  return counts;
}

function fingerprint(program: Program): string {
  return program.nodes.map((node) => `${node.op}[${node.outputs[0].shape}]`).join();
}
