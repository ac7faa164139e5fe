// The augmented Lagrangian on tables of features and exact operators of open rooms, whose eigenvectors are cosines: what it
// finds, in which order, how fast its multipliers get there, and that the stop-gradients are what orders it.

import { afterAll, describe, expect, test } from "bun:test";
import { Random } from "@cleanloop/data";
import {
  ALLO_PRESETS, alignment, eigenvaluesFromDuals, subspaceAlignment, type ReferenceVectors,
} from "@cleanloop/models";
import * as tf from "@tensorflow/tfjs-core";
import { stopGradient } from "../../lib/models/allo/stop-gradient.ts";
import { descend, type Tabular } from "./allo-tabular.ts";

const d = 5;
const dualRate = 0.05;
const barrier = { initialBarrier: 2.5, barrierRate: 0, barrierLimit: 2.5 };
const objective = { ...ALLO_PRESETS.seed.objective, ...barrier, initialDual: 0, dualRate };
const seeds = [1, 2, 3];

/**
 * The walk in an open room: lambda_ij = (cos(pi i/h) + cos(pi j/w)) / 2,
 * e_ij = cos(pi i (r + 1/2)/h) cos(pi j (c + 1/2)/w).
 */
class Room {
  readonly n: number;
  readonly modes: { walk: number; vector: Float64Array }[];
  readonly reference: ReferenceVectors;

  constructor(height: number, width: number) {
    const n = (this.n = height * width);
    const modes = Array.from({ length: n }, (_, mode) => {
      const down = (Math.PI * Math.floor(mode / width)) / height;
      const across = (Math.PI * (mode % width)) / width;
      const wave = Float64Array.from({ length: n }, (_, cell) =>
        Math.cos(down * (Math.floor(cell / width) + 0.5)) * Math.cos(across * ((cell % width) + 0.5)));
      const norm = Math.hypot(...wave);
      return { walk: (Math.cos(down) + Math.cos(across)) / 2, vector: wave.map((value) => value / norm) };
    });
    this.modes = modes.toSorted((a, b) => b.walk - a.walk);
    this.reference = {
      eigenvalues: Float64Array.from(this.modes.slice(0, d), ({ walk }) => walk),
      eigenvectors: Float64Array.from({ length: n * d }, (_, at) => this.modes[at % d].vector[Math.floor(at / d)]),
      groups: Array.from({ length: d }, (_, i) => [i]),
      extraCount: 0,
      extraEigenvectors: new Float64Array(0),
    };
  }

  /** Laplacian eigenvalues (1 - walk) / (1 - gamma walk) of a sampler with long episodes; gamma 0 is the walk. */
  laplacianEigenvalues(gamma: number): number[] {
    return this.modes.map(({ walk }) => (1 - walk) / (1 - gamma * walk));
  }

  laplacian(gamma: number): Float32Array {
    const { n, modes } = this;
    const values = this.laplacianEigenvalues(gamma);
    return Float32Array.from({ length: n * n }, (_, at) =>
      modes.reduce((sum, { vector }, k) => sum + values[k] * vector[Math.floor(at / n)] * vector[at % n], 0));
  }

  randomStart(seed: number): Float32Array {
    return new Random(seed).normals(new Float32Array(this.n * d)).map((value) => value / Math.sqrt(this.n));
  }
}
const rooms = { "1x8": new Room(1, 8), "4x5": new Room(4, 5) };

const running: { close(): Promise<void> }[] = [];
afterAll(() => Promise.all(running.map((session) => session.close())));
async function started(options: Tabular) {
  const descent = await descend(options);
  running.push(descent.session);
  return descent;
}

describe.each(Object.entries(rooms))("T8: an open %s room", (_name, room) => {
  test.each([0, 0.2, 0.9])("is found in order, with its eigenvalues as duals, gamma %p", async (gamma) => {
    const problem = { laplacian: room.laplacian(gamma), start: room.randomStart(1), objective, rate: 0.05 };
    const descent = await started(problem);
    const least = () => Math.min(...alignment(descent.features, room.reference).cosines);
    expect(least()).toBeLessThan(0.5);
    await descent.run(1000);
    expect(least()).toBeGreaterThan(0.999);
    await descent.run(5000);
    expect(1 - least()).toBeLessThan(1e-8);
    const eigenvalues = eigenvaluesFromDuals(descent.duals, d, objective.graphScale);
    const wanted = room.laplacianEigenvalues(gamma);
    eigenvalues.forEach((eigenvalue, i) => expect(Math.abs(eigenvalue - wanted[i])).toBeLessThan(1e-5));
    descent.duals.forEach((dual, at) => {
      if (at % d !== Math.floor(at / d)) expect(Math.abs(dual)).toBeLessThan(1e-5);
    });
  });
});

/** As the objective of one-sided constraints, but with the given error in place of tril(u^T sg(u) - I). */
function withError(errorOf: (u: tf.Tensor2D) => tf.Tensor2D): Tabular["lagrangian"] {
  return (u, operator, { duals, barrier: weight }) => {
    const error = errorOf(u);
    const terms = [tf.mul(u, tf.matMul(operator, u)), tf.mul(duals, error), tf.mul(weight, tf.square(error))];
    const loss = tf.addN(terms.map((term) => tf.sum(term))) as tf.Scalar;
    return { loss, carry: { duals: tf.add(duals, tf.mul(dualRate, error)) } };
  };
}
const lower = () => {
  const ones = Float32Array.from({ length: d * d }, (_, at) => Number(at % d <= Math.floor(at / d)));
  return tf.tensor2d(ones, [d, d]);
};
const products = (u: tf.Tensor2D, other: tf.Tensor2D) => tf.sub(tf.matMul(u, other, true), tf.eye(d)) as tf.Tensor2D;

describe("T9: the order comes from the stop-gradient and the triangle", () => {
  const variants = {
    "without the stop-gradient": (u: tf.Tensor2D) => tf.mul(products(u, u), lower()) as tf.Tensor2D,
    "with constraints on both sides of the diagonal": (u: tf.Tensor2D) => products(u, stopGradient(u)),
  };
  const room = rooms["4x5"];
  test.each(Object.entries(variants))("%s: the space is found, but rotated", async (_name, errorOf) => {
    for (const seed of seeds) {
      const options = { laplacian: room.laplacian(0.9), start: room.randomStart(seed), objective, rate: 0.05 };
      const descent = await started({ ...options, lagrangian: withError(errorOf) });
      await descent.run(6000);
      expect(subspaceAlignment(descent.features, room.reference)).toBeGreaterThan(0.999);
      expect(Math.min(...alignment(descent.features, room.reference).cosines)).toBeLessThan(0.9);
    }
  });

  test("with both, written out here as well: found in order", async () => {
    for (const seed of seeds) {
      const options = { laplacian: room.laplacian(0.9), start: room.randomStart(seed), objective, rate: 0.05 };
      const errorOf = (u: tf.Tensor2D) => tf.mul(products(u, stopGradient(u)), lower()) as tf.Tensor2D;
      const [own, written] = [await started(options), await started({ ...options, lagrangian: withError(errorOf) })];
      for (const descent of [own, written]) {
        await descent.run(2000);
        expect(Math.min(...alignment(descent.features, room.reference).cosines)).toBeGreaterThan(0.999);
      }
    }
  });
});

describe("T16: the first eigenvalue falls to zero as exp(-t dualRate / 2b)", () => {
  test.each([
    ["one-sided", { ...objective, initialDual: -2 }],
    ["two-sided", { ...ALLO_PRESETS.paper.objective, ...barrier, initialDual: -4 }],
  ] as const)("%s constraints", async (_name, base) => {
    const room = rooms["4x5"];
    const slow = { ...base, dualRate: 0.0025 }; // a time constant of 2000 steps, while the features follow in a few
    const start = Float32Array.from(room.reference.eigenvectors);
    const descent = await started({ laplacian: room.laplacian(0.9), start, objective: slow, rate: 0.05 });
    for (const steps of [500, 1000, 2000, 6000]) {
      await descent.run(steps - descent.session.stepCount);
      const [first] = eigenvaluesFromDuals(descent.duals, d, slow.graphScale);
      expect(Math.abs(first / Math.exp(-steps / 2000) - 1)).toBeLessThan(0.01);
    }
  });
});
