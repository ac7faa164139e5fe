// MADE and the flows against published double-precision values, Jacobians by finite differences, and each other.

import { describe, expect, test } from "bun:test";
import * as tf from "@tensorflow/tfjs-core";
import {
  flowChain,
  flowMasks,
  flowOnePass,
  flowSequential,
  initialParameters,
  made,
  madeDegrees,
  madeMasks,
  madeMaskTensors,
  rlvaeConfig,
  type RlvaeConfig,
} from "@cleanloop/models";
import { normals, seededUniform, tinyConfig, toTensors, waveParameters } from "./eager.ts";

describe("published values, D = 4, H = 8, parameters 0.5 sin(0.7 k + 0.3)", () => {
  const params = toTensors(waveParameters({ ...tinyConfig, flowCount: 1 }, 0.5, "flows."));
  const x = tf.tensor2d([0.3, -0.7, 1.1, 0.2, 1, 0.5, -0.5, -1], [2, 4]);
  const masks = flowMasks(tinyConfig);

  test("degrees and mask sums", () => {
    expect(madeDegrees(4, 8, "natural")).toEqual({ input: [1, 2, 3, 4], hidden: [1, 1, 1, 2, 2, 2, 3, 3] });
    const sums = madeMasks(4, 8, "natural").map((mask) => mask.reduce((sum, value) => sum + value, 0));
    expect(sums).toEqual([15, 43, 43, 34]);
  });

  test("shift and log scale of the first network", () => {
    // Block 0 of 2 counts its variables naturally here, as in the original after both reversals.
    const { shift, logScale } = made(params, "flows.0.blocks.0", x, masks.natural, null);
    expectClose(
      shift,
      [
        -0.44838254299, -0.48547727952, -0.56416095071, -0.30026378906, -0.44838254299, -0.48547727952, -0.60312056755,
        -0.33398929482,
      ],
    );
    expectClose(
      logScale,
      [
        0.34835876069, 0.49750283494, 0.58308283999, 0.40322584425, 0.34835876069, 0.49750283494, 0.61467056244,
        0.46319177526,
      ],
    );
  });

  test("sequential direction through both blocks, its log-determinant, and the way back", () => {
    const { z, logScales } = flowSequential(params, 0, x, tinyConfig, masks);
    expectClose(
      z,
      [
        0.71145729153, 0.02722575648, 0.97961163125, -0.19954522931, 1.00054600934, 0.88333792345, -0.81688958618,
        -1.30436216064,
      ],
    );
    expectClose(tf.neg(tf.sum(tf.concat(logScales, 1), 1)), [-1.12182773192, -1.11846559206]);
    expectClose(flowOnePass(params, 0, z, tinyConfig, masks).z, [...x.dataSync()]);
  });
});

describe.each([
  ["two blocks", tinyConfig],
  ["three blocks", { ...tinyConfig, flowBlockCount: 3 }],
  ["the full size", rlvaeConfig({ frameSize: 1, hiddenSize: 1 })],
] as const)("%s, as initialised", (_, config) => {
  const params = toTensors(initialParameters(config, seededUniform(5)));
  const masks = flowMasks(config);

  test("each direction undoes the other within 1e-5, with opposite log-determinants", () => {
    const start = normals(6, [4, config.latentSize]);
    const there = flowSequential(params, 0, start, config, masks);
    const back = flowOnePass(params, 0, there.z, config, masks);
    expect(largestDifference(back.z, start)).toBeLessThan(1e-5);
    const logDets = [there, back].map(({ logScales }) => tf.sum(tf.concat(logScales, 1), 1));
    expect(largestDifference(logDets[0], logDets[1])).toBeLessThan(1e-5);
    const onePassFirst = flowSequential(params, 1, flowOnePass(params, 1, start, config, masks).z, config, masks);
    expect(largestDifference(onePassFirst.z, start)).toBeLessThan(1e-5);
  });
});

test("the latents neither explode nor vanish along the chain as initialised", () => {
  const config = rlvaeConfig({ frameSize: 1, hiddenSize: 1 });
  const params = toTensors(initialParameters(config, seededUniform(8)));
  const { latents, logDet } = flowChain(params, normals(9, [64, 16]), config);
  const rootMeanSquare = Math.sqrt(tf.mean(tf.square(latents[7])).dataSync()[0]);
  expect(rootMeanSquare).toBeGreaterThan(0.5);
  expect(rootMeanSquare).toBeLessThan(3);
  expect(Math.abs(tf.mean(logDet).dataSync()[0])).toBeLessThan(3);
});

describe("Jacobian of one network by finite differences", () => {
  const config: RlvaeConfig = { ...tinyConfig, flowBlockCount: 1 };
  const params = toTensors(waveParameters(tinyConfig, 0.5, "flows."));

  test.each(["natural", "reversed"] as const)("%s order: output d reads only earlier variables", (order) => {
    const masks = madeMaskTensors(4, 8, order);
    // Block 0 is masked for the natural order and block 1 for the reversed one.
    const name = `flows.0.blocks.${order === "natural" ? 0 : 1}`;
    const at = (y: number[]) => made(params, name, tf.tensor2d(y, [1, 4]), masks, null).shift.dataSync();
    const point = [0.4, -0.3, 0.8, 0.1];
    const position = (d: number) => (order === "natural" ? d : 3 - d);
    for (let input = 0; input < 4; input++) {
      const moved = point.with(input, point[input] + 0.5);
      at(moved).forEach((value, output) => {
        if (position(output) <= position(input)) expect(value).toBe(at(point)[output]);
      });
    }
    const last = order === "natural" ? 3 : 0;
    expect(at(point.with(3 - last, 1.4))[last]).not.toBe(at(point)[last]);
  });

  test.each(["one_pass", "sequential"] as const)(
    "log|det J| of a %s flow equals the determinant's logarithm",
    (direction) => {
      const flow = direction === "one_pass" ? flowOnePass : flowSequential;
      const sign = direction === "one_pass" ? 1 : -1;
      for (const blocks of [1, 2]) {
        const sizes = { ...config, flowBlockCount: blocks };
        const own = toTensors(waveParameters({ ...sizes, flowCount: 1, frameCount: 2 }, 0.4, "flows."));
        const point = [0.4, -0.3, 0.8, 0.1];
        const at = (y: number[]) => flow(own, 0, tf.tensor2d(y, [1, 4]), sizes, flowMasks(sizes));
        const step = 1e-2;
        const jacobian = point.map((value, i) => {
          const [up, down] = [step, -step].map((offset) => at(point.with(i, value + offset)).z.dataSync());
          return Array.from(up, (high, j) => (high - down[j]) / (2 * step));
        });
        const logDet = sign * tf.sum(tf.concat(at(point).logScales, 1)).dataSync()[0];
        expect(logDet).toBeCloseTo(Math.log(Math.abs(determinant(jacobian))), 3);
      }
    },
  );
});

test("the chain has one latent per frame, and its log-determinant is that of the inverse chain, negated", () => {
  const params = toTensors(waveParameters(tinyConfig, 0.3));
  const masks = flowMasks(tinyConfig);
  for (const flowDirection of ["one_pass", "sequential"] as const) {
    const { latents, logDet } = flowChain(params, normals(3, [5, 4]), { ...tinyConfig, flowDirection });
    expect(latents.length).toBe(4);
    const inverse = flowDirection === "one_pass" ? flowSequential : flowOnePass;
    let z = latents[3];
    const logScales: tf.Tensor2D[] = [];
    for (let index = 2; index >= 0; index--) {
      const step = inverse(params, index, z, tinyConfig, masks);
      z = step.z;
      logScales.push(...step.logScales);
    }
    expect(largestDifference(z, latents[0])).toBeLessThan(1e-5);
    const ofInverse = tf.mul(tf.sum(tf.concat(logScales, 1), 1), flowDirection === "one_pass" ? -1 : 1);
    expect(largestDifference(tf.neg(ofInverse), logDet)).toBeLessThan(1e-5);
  }
});

test("a limit bounds every log scale, and starts the flow near the identity", () => {
  const config = { ...tinyConfig, logScaleLimit: 0.1 };
  const { logScales } = flowOnePass(
    toTensors(waveParameters(config, 2)),
    0,
    normals(1, [6, 4]),
    config,
    flowMasks(config),
  );
  const largest = tf.max(tf.abs(tf.concat(logScales, 1))).dataSync()[0];
  expect(largest).toBeGreaterThan(0.09);
  expect(largest).toBeLessThanOrEqual(0.1 + 1e-7);
  const start = normals(2, [6, 4]);
  const fresh = toTensors(initialParameters(config, seededUniform(1)));
  expect(largestDifference(flowChain(fresh, start, config).latents[3], start)).toBeLessThan(0.2);
});

function expectClose(actual: tf.Tensor, expected: readonly number[]): void {
  const values = actual.dataSync();
  expect(values.length).toBe(expected.length);
  values.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 6));
}

function largestDifference(a: tf.Tensor, b: tf.Tensor): number {
  return tf.max(tf.abs(tf.sub(a, b))).dataSync()[0];
}

/** By expansion along the first row. */
function determinant(matrix: number[][]): number {
  if (matrix.length === 1) return matrix[0][0];
  return matrix[0].reduce((sum, value, column) => {
    const minor = matrix.slice(1).map((row) => row.toSpliced(column, 1));
    return sum + (column % 2 === 0 ? value : -value) * determinant(minor);
  }, 0);
}
