// The rewrites that spare memory traffic: same numbers, and the structure they promise.
import { describe, expect, test } from "bun:test";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { optimize } from "../../lib/compute/trace/rewrite.ts";
import { toOnnx } from "../../lib/compute/trace/lower.ts";
import { trace, type TensorFunction } from "../../lib/compute/trace/trace.ts";
import { runModel } from "./onnx-session.ts";

const wave = (length: number, phase: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(0.7 * i + phase));

/** Optimizes and runs fn, compares every output with eager tfjs, and returns the operators used. */
async function operatorsOf(fn: TensorFunction, shapes: Record<string, number[]>): Promise<string[]> {
  const program = optimize(trace(fn, Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { shape }]))));
  const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape], i) => [name, { shape, data: wave(tf.util.sizeFromShape(shape), i) }]));
  const got = await runModel(toOnnx(program), inputs);
  await tf.setBackend("cpu");
  const wanted = fn(Object.fromEntries(Object.entries(inputs).map(([name, { shape, data }]) => [name, tf.tensor(data, shape)])));
  for (const [name, tensor] of Object.entries(wanted)) {
    expect(got[name].shape).toEqual(tensor.shape);
    tensor.dataSync().forEach((value, i) => expect(Math.abs((got[name].data as Float32Array)[i] - value)).toBeLessThan(2e-5 * (1 + Math.abs(value))));
  }
  return program.nodes.map(({ op }) => op);
}

const product = (x: tf.Tensor, w: tf.Tensor): tf.Tensor => tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D, false, true);

describe("a large matrix", () => {
  test("becomes the first operand when few rows meet it", async () => {
    const ops = await operatorsOf(({ x, w, b }) => ({ y: tf.add(product(x, w), b) }), { x: [2, 512], w: [1024, 512], b: [1024] });
    expect(ops).toEqual(["Transpose", "Reshape", "Gemm", "Transpose"]);
  });
  test("stays second when the transpositions would cost more", async () => {
    const ops = await operatorsOf(({ x, w, b }) => ({ y: tf.add(product(x, w), b) }), { x: [70, 512], w: [1024, 512], b: [1024] });
    expect(ops).toEqual(["Gemm"]);
  });
  test("stays second while it fits the cache", async () => {
    const ops = await operatorsOf(({ x, w, b }) => ({ y: tf.add(product(x, w), b) }), { x: [2, 256], w: [256, 256], b: [256] });
    expect(ops).toEqual(["Gemm"]);
  });
  test("stays second under a term that differs from row to row", async () => {
    const ops = await operatorsOf(({ x, w, c }) => ({ y: tf.add(product(x, w), c) }), { x: [2, 512], w: [1024, 512], c: [2, 1024] });
    expect(ops).toEqual(["Gemm"]);
  });
});

describe("a scalar factor", () => {
  test("moves behind the products and sums that read it", async () => {
    const ops = await operatorsOf(({ x, v }) => {
      const scaled = tf.mul(x, 0.25) as tf.Tensor2D;
      return { product: tf.matMul(scaled, v as tf.Tensor2D, true, false), sum: tf.sum(scaled, 0) };
    }, { x: [6, 5], v: [6, 3] });
    expect(ops.toSorted()).toEqual(["Gemm", "MatMul", "Mul", "Reshape"]); // the sum over rows is a product itself
  });
  test("moves out of a product and on", async () => {
    const ops = await operatorsOf(({ x, y, v }) => {
      const scaled = tf.mul(tf.mul(x, 0.25), y) as tf.Tensor2D;
      return { product: tf.matMul(scaled, v as tf.Tensor2D, true, false) };
    }, { x: [6, 5], y: [6, 5], v: [6, 3] });
    expect(ops.toSorted()).toEqual(["Gemm", "Mul"]);
  });
  test("stays where something else reads the scaled tensor", async () => {
    const ops = await operatorsOf(({ x, v }) => {
      const scaled = tf.mul(x, 0.25) as tf.Tensor2D;
      return { product: tf.matMul(scaled, v as tf.Tensor2D, true, false), scaled };
    }, { x: [6, 5], v: [6, 3] });
    expect(ops.toSorted()).toEqual(["Gemm", "Mul"]);
  });
});

describe("a sum over the rows of a matrix", () => {
  const sumOps = (sum: (x: tf.Tensor) => tf.Tensor, shape: number[]) => operatorsOf(({ x }) => ({ y: sum(x) }), { x: shape });
  test("becomes a product with ones", async () => {
    expect(await sumOps((x) => tf.sum(x, 0), [60, 33])).toEqual(["MatMul", "Reshape"]);
    expect(await sumOps((x) => tf.sum(x, 0, true), [60, 33])).toEqual(["MatMul"]);
  });
  test("stays a reduction over other axes, and where there is one row or column", async () => {
    expect(await sumOps((x) => tf.sum(x, 1), [60, 33])).toEqual(["ReduceSum"]);
    expect(await sumOps((x) => tf.sum(x), [60, 33])).toEqual(["ReduceSum"]);
    expect(await sumOps((x) => tf.sum(x, 0), [60, 1])).toEqual(["ReduceSum"]);
    expect(await sumOps((x) => tf.sum(x, 0), [4, 5, 6])).toEqual(["ReduceSum"]);
  });
});

describe("the mask of a relu's gradient", () => {
  const masked: TensorFunction = ({ x, dy }) => ({ y: tf.relu(x), mask: tf.mul(tf.step(x), dy) });
  test("is one pass over the relu's output", async () => {
    expect(await operatorsOf(masked, { x: [6, 5], dy: [6, 5] })).toEqual(["Relu", "HardSigmoid", "Mul"]);
  });
  test("is exactly 0 or 1 down to the smallest normal number", async () => {
    const x = Float32Array.of(-1, 0, -0, 2 ** -126, 1e-30, 3, 1e38, Number.POSITIVE_INFINITY);
    const program = optimize(trace(masked, { x: { shape: [8] }, dy: { shape: [8] } }));
    const { mask } = await runModel(toOnnx(program), { x: { shape: [8], data: x }, dy: { shape: [8], data: new Float32Array(8).fill(1) } });
    expect([...mask.data]).toEqual([0, 0, 0, 1, 1, 1, 1, 1]);
  });
});
