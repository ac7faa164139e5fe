// Rewrites: what each rule turns its pattern into. That the values stay is shown by the parity suite, on every case.
import { describe, expect, test } from "bun:test";
import * as tf from "@tensorflow/tfjs-core";
import { type Program, sizeOf, type TensorSpec } from "../../lib/compute/trace/ir.ts";
import { toOnnx } from "../../lib/compute/trace/lower.ts";
import { optimize } from "../../lib/compute/trace/rewrite.ts";
import { trace } from "../../lib/compute/trace/trace.ts";
import { runModel } from "./onnx-session.ts";
import { scattered } from "./parity-cases/case.ts";

type Inputs = Record<string, tf.Tensor>;
type Run = (inputs: Inputs) => tf.Tensor | tf.Tensor[];

const specs = (shapes: Record<string, number[]>): Record<string, TensorSpec> =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { shape }]));

function traced(shapes: Record<string, number[]>, run: Run): Program {
  return trace((inputs) => {
    const outputs = run(inputs);
    return Object.fromEntries(
      (Array.isArray(outputs) ? outputs : [outputs]).map((output, index) => [`y${index}`, output]),
    );
  }, specs(shapes));
}

/** Operators of the optimised program, in order. */
const operators = (shapes: Record<string, number[]>, run: Run): string[] =>
  optimize(traced(shapes, run)).nodes.map(({ op }) => op);

const x = { x: [3, 4] };
const layer = { x: [3, 4], w: [4, 5], b: [5] };

describe("arithmetic", () => {
  const cases: [string, Run, string[]][] = [
    ["x + 0, x * 1, x / 1, x - 0 vanish", ({ x: t }) => tf.sub(tf.div(tf.mul(tf.add(t, 0), 1), 1), 0), []],
    ["0 - x and x * -1 are negations", ({ x: t }) => [tf.sub(0, t), tf.mul(t, -1)], ["Neg"]],
    ["two negations cancel", ({ x: t }) => tf.neg(tf.neg(t)), []],
    ["adding a negation subtracts", ({ x: t }) => tf.add(tf.exp(t), tf.neg(tf.abs(t))), ["Exp", "Abs", "Sub"]],
    ["scalar factors merge", ({ x: t }) => tf.div(tf.mul(tf.neg(tf.mul(t, 2)), 3), 4), ["Mul"]],
    ["a product with zeros is zero", ({ x: t }) => tf.add(t, tf.mul(tf.exp(t), tf.zeros([3, 4]))), []],
    ["a matrix product with zeros is zero", ({ x: t }) => tf.matMul(t, tf.zeros([4, 2])), []],
    ["constants are computed", ({ x: t }) => tf.mul(t, tf.sqrt(tf.add(tf.scalar(3), tf.scalar(1)))), ["Mul"]],
    [
      "sums and parts of a constant tensor",
      ({ x: t }) => tf.mul(t, tf.split(tf.sum(tf.ones([5, 8]), 0), 2)[1]),
      ["Mul"],
    ],
    ["where(true, a, b) is a", ({ x: t }) => tf.where(tf.greater(tf.ones([3, 4]), 0), t, tf.exp(t)), []],
    ["where with equal branches", ({ x: t }) => tf.where(tf.greater(t, 0), tf.exp(t), tf.exp(t)), ["Exp"]],
    [
      "operators broadcast by themselves",
      ({ x: t }) => tf.add(tf.broadcastTo(tf.slice(t, [0, 0], [1, 4]), [3, 4]), t),
      ["Slice", "Add"],
    ],
  ];
  test.each(cases)("%s", (_, run, expected) => expect(operators(x, run)).toEqual(expected));

  test("a merged factor is the product of the factors", () => {
    const [node] = optimize(traced(x, ({ x: t }) => tf.div(tf.mul(tf.neg(tf.mul(t, 2)), 3), 4))).nodes;
    expect(node.inputs[1].uniform).toBe(-1.5);
  });

  test("0.1 + 0.2 is folded in float32", () => {
    const [node] = optimize(traced(x, ({ x: t }) => tf.mul(t, tf.add(tf.scalar(0.1), tf.scalar(0.2))))).nodes;
    expect(node.inputs[1].uniform).toBe(Math.fround(Math.fround(0.1) + Math.fround(0.2)));
  });
});

describe("moving elements", () => {
  const cases: [string, Record<string, number[]>, Run, string[]][] = [
    ["reshapes compose", x, ({ x: t }) => tf.reshape(tf.reshape(t, [12]), [4, 3]), ["Reshape"]],
    ["a reshape back vanishes", x, ({ x: t }) => tf.reshape(tf.reshape(t, [12]), [3, 4]), []],
    ["transpositions compose", { x: [2, 3, 4] }, ({ x: t }) => tf.transpose(tf.transpose(t, [1, 2, 0]), [2, 0, 1]), []],
    [
      "moving an axis of length one is a reshape",
      { x: [1, 3, 4] },
      ({ x: t }) => tf.transpose(t, [1, 0, 2]),
      ["Reshape"],
    ],
    ["reshapes sink below arithmetic", x, ({ x: t }) => tf.reshape(tf.exp(tf.reshape(t, [2, 6])), [3, 4]), ["Exp"]],
    [
      "transpositions sink below arithmetic",
      { x: [2, 3, 4], b: [3] },
      ({ x: t, b }) => tf.transpose(tf.add(tf.transpose(t, [2, 0, 1]), b), [1, 2, 0]),
      ["Reshape", "Add"],
    ],
    ["a full sum ignores the order", x, ({ x: t }) => tf.sum(tf.reshape(tf.transpose(t), [2, 6])), ["ReduceSum"]],
    [
      "a sum over transposed axes",
      { x: [2, 3, 4, 5] },
      ({ x: t }) => tf.sum(tf.transpose(t, [0, 2, 3, 1]), [0, 1, 2]),
      ["ReduceSum"],
    ],
    [
      "a part of a stack is the tensor stacked",
      { a: [3], b: [3] },
      ({ a, b }) => tf.squeeze(tf.slice(tf.stack([a, b]), [1, 0], [1, 3])),
      [],
    ],
    ["unstack undoes stack", { a: [3], b: [3] }, ({ a, b }) => tf.unstack(tf.stack([a, b])), []],
    ["concat undoes split", x, ({ x: t }) => tf.concat(tf.split(t, 2, 1), 1), []],
  ];
  test.each(cases)("%s", (_, shapes, run, expected) => expect(operators(shapes, run)).toEqual(expected));
});

describe("products", () => {
  const cases: [string, Record<string, number[]>, Run, string[]][] = [
    ["bias joins the product", layer, ({ x: t, w, b }) => tf.add(tf.matMul(t, w), b), ["Gemm"]],
    [
      "also through the reshapes of a sequence",
      { x: [2, 3, 4], w: [4, 5], b: [5] },
      ({ x: t, w, b }) => tf.relu(tf.add(tf.matMul(t, w), b)),
      ["Reshape", "Gemm", "Relu", "Reshape"],
    ],
    [
      "a sum of products accumulates",
      { x: [3, 4], w: [4, 5], v: [4, 5] },
      ({ x: t, w, v }) => tf.add(tf.matMul(t, w), tf.matMul(t, v)),
      ["MatMul", "Gemm"],
    ],
    [
      "a product that is read twice stays",
      layer,
      ({ x: t, w, b }) => {
        const product = tf.matMul(t, w);
        return [tf.add(product, b), product];
      },
      ["MatMul", "Add"],
    ],
    [
      "also when it is read twice through a change of layout",
      { x: [2, 3, 4], w: [4, 5], b: [5] },
      ({ x: t, w, b }) => {
        const product = tf.matMul(t, w);
        return [tf.add(product, b), product];
      },
      ["Reshape", "MatMul", "Reshape", "Add", "Reshape"],
    ],
    [
      "transposed operands are read in place",
      { x: [4, 3], w: [5, 4] },
      ({ x: t, w }) => tf.matMul(tf.transpose(t), tf.transpose(w)),
      ["Gemm"],
    ],
    ["a factor joins the product", { x: [3, 4], w: [4, 5] }, ({ x: t, w }) => tf.mul(tf.matMul(t, w), 0.5), ["Gemm"]],
    [
      "bias joins the convolution, channels first throughout",
      { x: [1, 5, 5, 2], w: [3, 3, 2, 3], b: [3] },
      ({ x: t, w, b }) => tf.relu(tf.add(tf.conv2d(t as tf.Tensor4D, w as tf.Tensor4D, 2, "same"), b)),
      ["Transpose", "Transpose", "Conv", "Relu", "Transpose"],
    ],
  ];
  test.each(cases)("%s", (_, shapes, run, expected) => expect(operators(shapes, run)).toEqual(expected));

  test("the factor becomes alpha", () => {
    const [node] = optimize(
      traced({ x: [3, 4], w: [4, 5] }, ({ x: t, w }) => tf.div(tf.mul(tf.matMul(t, w), 3), 6)),
    ).nodes;
    expect(node.attributes).toEqual({ alpha: { float: 0.5 } });
  });
});

describe("activations", () => {
  test("the gradient of a dense relu layer reads the output, so that product and relu can be fused", () => {
    const program = optimize(
      traced(layer, ({ x: t, w, b }) => {
        const { value, grads } = tf.valueAndGrads((u, v) => tf.sum(tf.relu(tf.add(tf.matMul(t, u), v))))([w, b]);
        return [value, ...grads];
      }),
    );
    const [gemm] = program.nodes;
    const readers = program.nodes.filter((node) => node.inputs.includes(gemm.outputs[0]));
    expect(gemm.op).toBe("Gemm");
    expect(readers.map(({ op }) => op)).toEqual(["Relu"]);
  });

  test("a leaky relu's sign is that of its input only for a positive slope", () => {
    const greater = (slope: number) =>
      optimize(traced(x, ({ x: t }) => [tf.leakyRelu(t, slope), tf.cast(tf.greater(t, 0), "float32")])).nodes.find(
        ({ op }) => op === "Greater",
      );
    expect(greater(0.1)?.inputs[0].producer?.op).toBe("LeakyRelu");
    expect(greater(-0.1)?.inputs[0].inputName).toBe("x");
  });

  test("a sum of squares is one pass, unless the squares are read elsewhere", () => {
    expect(operators(x, ({ x: t }) => tf.sum(tf.square(t)))).toEqual(["ReduceSumSquare"]);
    expect(operators(x, ({ x: t }) => [tf.sum(tf.square(t)), tf.square(t)])).toEqual(["Mul", "ReduceSum"]);
  });
});

test("what no output needs is dropped", () => {
  expect(operators(x, ({ x: t }) => (tf.tanh(tf.exp(t)), tf.neg(t)))).toEqual(["Neg"]);
});

test("an optimised program computes the same numbers, to float32 rounding", async () => {
  const shapes = { x: [6, 4], w: [4, 5], b: [5], v: [5, 4] };
  const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, scattered(shape, -1, 1)]));
  const program = traced(shapes, ({ x: t, w, b, v }) => {
    const loss = (p: tf.Tensor, q: tf.Tensor, r: tf.Tensor) =>
      tf.mean(tf.square(tf.sub(tf.matMul(tf.relu(tf.add(tf.matMul(t, p), q)), r), t)));
    const { value, grads } = tf.valueAndGrads(loss)([w, b, v]);
    return [value, ...grads];
  });
  const recorded = await runModel(toOnnx(program), inputs);
  const optimised = await runModel(toOnnx(optimize(program)), inputs);
  for (const [name, { data, shape }] of Object.entries(recorded)) {
    expect(optimised[name].shape).toEqual(shape);
    for (let index = 0; index < sizeOf(shape); index++) expect(optimised[name].data[index]).toBeCloseTo(data[index], 6);
  }
});
