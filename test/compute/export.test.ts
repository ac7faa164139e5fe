// Saved models: reopened, compared, and refused when they differ.
import { expect, test } from "bun:test";
import * as tf from "@tensorflow/tfjs-core";
import { exportOnnx, verifyOnnx, type TensorFunction } from "@cleanloop/compute";

const affine: TensorFunction = ({ w, b }, { x }) => ({ y: tf.sigmoid(tf.add(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D), b)) });
const params = {
  w: { shape: [2, 2], data: Float32Array.of(1, -1, 0.5, 2) },
  b: { shape: [2], data: Float32Array.of(0.25, -0.5) },
  unused: { shape: [3], data: Float32Array.of(1, 2, 3) },
};
const x = { shape: [1, 2], data: Float32Array.of(0.3, -0.7) };
const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));
// by hand: x w + b = (0.3 - 0.35 + 0.25, -0.3 - 1.4 - 0.5)
const expected = { y: Float32Array.of(sigmoid(0.2), sigmoid(-2.2)) };

test("a saved function gives in a fresh session what arithmetic gives", async () => {
  const model = exportOnnx(affine, params, { x: { shape: [1, 2] } });
  expect(await verifyOnnx(model, { x }, expected)).toBeLessThan(1e-6);
});

test("a difference, a missing input and a missing output are errors", async () => {
  const model = exportOnnx(affine, params, { x: { shape: [1, 2] } });
  expect(verifyOnnx(model, { x }, { y: Float32Array.of(0.5, 0.5) })).rejects.toThrow("outputs differ by");
  expect(verifyOnnx(model, {}, expected)).rejects.toThrow('wants an input "x"');
  expect(verifyOnnx(model, { x }, { z: expected.y })).rejects.toThrow('output "z" has no values');
});

test("a NaN anywhere in an output is a difference", async () => {
  const model = exportOnnx(({ w }, { x }) => ({ y: tf.mul(x, w) }), { w: { shape: [2], data: Float32Array.of(Number.NaN, 1) } }, { x: { shape: [2] } });
  const given = { x: { shape: [2], data: Float32Array.of(1, 2) } };
  expect(verifyOnnx(model, given, { y: Float32Array.of(1, 2) })).rejects.toThrow("outputs differ by Infinity");
});

test("parameters that the function does not read stay out of the file", () => {
  const withUnused = exportOnnx(affine, params, { x: { shape: [1, 2] } });
  const { w, b } = params;
  expect(withUnused.length).toBe(exportOnnx(affine, { w, b }, { x: { shape: [1, 2] } }).length);
});
