// Where gradients of the Lagrangian go: its closed form, central differences with the stopped factors held fixed, and
// autodiff; which batch carries a gradient at all; and what never moves.

import { describe, expect, test } from "bun:test";
import { createTrainingSession } from "@cleanloop/compute";
import * as tf from "@tensorflow/tfjs-core";
import {
  ALLO_PRESETS, alloInputs, alloLoss, initialAlloCarry, type AlloEvaluation, type AlloModel,
} from "@cleanloop/models";
import { alloLagrangian } from "../../lib/models/allo/loss.ts";
import { inputArrays, stage, type StateBatch } from "./allo-inputs.ts";
import { seededUniform, toTensors } from "./eager.ts";

const random = seededUniform(8);
type Matrix = number[][];
const matrix = (rows: number, columns: number, entry: (row: number, column: number) => number): Matrix =>
  Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (_, column) => entry(row, column)));
const transpose = (a: Matrix): Matrix => matrix(a[0].length, a.length, (row, column) => a[column][row]);
const product = (a: Matrix, b: Matrix): Matrix =>
  matrix(a.length, b[0].length, (row, column) => a[row].reduce((sum, value, k) => sum + value * b[k][column], 0));
const combine = (a: Matrix, b: Matrix, entry: (x: number, y: number) => number): Matrix =>
  a.map((row, i) => row.map((value, j) => entry(value, b[i][j])));
const lower = (a: Matrix): Matrix => a.map((row, i) => row.map((value, j) => (j <= i ? value : 0)));
const total = (a: Matrix): number => a.flat().reduce((sum, value) => sum + value, 0);

const [m, d, barrier, graphScale] = [9, 4, 1.7, 0.8];
const identity = matrix(d, d, (row, column) => Number(row === column));
const uniform = (rows: number) => matrix(rows, d, () => 2 * random.uniform() - 1);
const duals = lower(uniform(d));

/** Features of the pairs' states and of the constraint batches; one-sided constraints have `from` for their first. */
interface Batch {
  from: Matrix;
  to: Matrix;
  first?: Matrix;
  second: Matrix;
}
const batches = {
  "one-sided": { from: uniform(m), to: uniform(m), second: uniform(m) } as Batch,
  "two-sided": { from: uniform(m), to: uniform(m), first: uniform(m), second: uniform(m) } as Batch,
};

/** tril(U^T V / m - I), V standing for the factor that no gradient flows into. */
const violation = (u: Matrix, stopped: Matrix): Matrix =>
  lower(combine(product(transpose(u), stopped), identity, (x, y) => x / m - y));

/** What is minimised, as a function of `moved`, with the stopped factors of `fixed`. */
function frozenLagrangian(moved: Batch, fixed: Batch): number {
  const graph = (graphScale * total(combine(moved.from, moved.to, (x, y) => (x - y) ** 2))) / m;
  const withMultipliers = (error: Matrix, penalty: Matrix) =>
    graph + total(combine(duals, error, (x, y) => x * y)) + barrier * total(penalty);
  if (moved.first === undefined || fixed.first === undefined) {
    const error = violation(moved.from, fixed.from);
    return withMultipliers(error, combine(error, violation(fixed.second, fixed.second), (x, y) => 2 * x * y));
  }
  const [u, v] = [violation(moved.first, fixed.first), violation(moved.second, fixed.second)];
  return withMultipliers(combine(u, v, (x, y) => (x + y) / 2), combine(u, v, (x, y) => x * y));
}

/** Its gradient in closed form. */
function closedForm({ from, to, first, second }: Batch): Batch {
  const apart = combine(from, to, (x, y) => (2 * graphScale * (x - y)) / m);
  const together = apart.map((row) => row.map((x) => -x));
  const pulled = (u: Matrix, weights: Matrix) =>
    product(u, transpose(lower(weights))).map((row) => row.map((x) => x / m));
  const secondError = violation(second, second);
  if (first === undefined) {
    const constraint = pulled(from, combine(duals, secondError, (x, y) => x + 2 * barrier * y));
    return { from: combine(apart, constraint, (x, y) => x + y), to: together, second: matrix(m, d, () => 0) };
  }
  const weights = (other: Matrix) => combine(duals, other, (x, y) => x / 2 + barrier * y);
  return {
    from: apart, to: together,
    first: pulled(first, weights(secondError)),
    second: pulled(second, weights(violation(first, first))),
  };
}

describe.each(["one-sided", "two-sided"] as const)("T6: the gradient of the features, %s", (constraints) => {
  const batch = batches[constraints];
  const names = Object.keys(batch) as (keyof Batch)[];
  const wanted = closedForm(batch);
  const scale = Math.max(...wanted.from.flat().map(Math.abs));

  test.each(names)("closed form and central differences: %s", (name) => {
    const step = 1e-4; // the frozen Lagrangian is of second degree: nothing but rounding is left
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < d; column++) {
        const at = (by: number) => {
          const values = batch[name]!.map((line) => [...line]);
          values[row][column] += by;
          return frozenLagrangian({ ...batch, [name]: values }, batch);
        };
        const difference = (at(step) - at(-step)) / (2 * step);
        expect(Math.abs(difference - wanted[name]![row][column])).toBeLessThan(1e-8 * scale);
      }
    }
  });

  test("closed form and autodiff", () => {
    const objective = { ...ALLO_PRESETS.paper.objective, constraints, graphScale };
    const config = { ...ALLO_PRESETS.paper.config, featureCount: d };
    const initial = toTensors(initialAlloCarry(config, objective));
    const carry = { ...initial, duals: tf.tensor2d(duals), barrier: tf.scalar(barrier) };
    const gradients = tf.grads((...tensors: tf.Tensor[]) => {
      const features = Object.fromEntries(names.map((name, i) => [name, tensors[i] as tf.Tensor2D]));
      const weighted = (rows: tf.Tensor2D) => ({ rows, weights: 1 / m });
      const squaredDifferences = tf.mean(tf.square(tf.sub(features.from, features.to)), 0) as tf.Tensor1D;
      const constrained = { first: weighted(features.first ?? features.from), second: weighted(features.second) };
      return alloLagrangian({ squaredDifferences, ...constrained }, carry, objective).loss;
    })(names.map((name) => tf.tensor2d(batch[name]!)));
    names.forEach((name, i) => {
      const got = gradients[i].dataSync();
      wanted[name]!.flat().forEach((value, at) => expect(Math.abs(got[at] - value)).toBeLessThan(1e-5 * scale));
    });
  });
});

describe("T7", () => {
  // Hidden unit k is relu(s - k) for state s: it sees the states above k alone. Low states go into one batch, high ones
  // into another.
  const stateCount = 7;
  const config = { featureCount: 3, hiddenSize: stateCount, hiddenLayerCount: 1, initialisation: "flax" } as const;
  const coordinates = Float32Array.from({ length: 2 * stateCount }, (_, at) => (at % 2 === 0 ? at / 2 : 0));
  const filled = (shape: number[], value: (at: number) => number) => {
    const length = shape.reduce((product, size) => product * size, 1);
    return { shape, data: Float32Array.from({ length }, (_, at) => value(at)) };
  };
  const params = {
    "encoder.layers.0.weight": filled([stateCount, 2], (at) => Number(at % 2 === 0)),
    "encoder.layers.0.bias": filled([stateCount], (unit) => -unit),
    "encoder.layers.1.weight": filled([3, stateCount], () => random.uniform() - 0.5),
    "encoder.layers.1.bias": filled([3], (feature) => 0.3 - 0.2 * feature),
  };
  const [low, high] = [[0, 1, 2, 3, 2, 1], [4, 5, 6, 6, 5, 4]];
  const highUnits = [3, 4, 5];

  const modelOf = (constraints: "one-sided" | "two-sided", evaluation: AlloEvaluation): AlloModel => {
    const base = constraints === "one-sided" ? ALLO_PRESETS.seed.objective : ALLO_PRESETS.paper.objective;
    return { config, objective: { ...base, initialDual: -1, dualRate: 0.1 }, evaluation, coordinates };
  };

  /** Gradients of all parameters of the high units: whatever high states contribute, and nothing else. */
  function highUnitGradients(states: StateBatch, model: AlloModel): number[] {
    const carry = toTensors(initialAlloCarry(config, model.objective));
    const arrays = inputArrays(states, model);
    const tensors = Object.entries(alloInputs(model, low.length)).map(([name, { shape, dtype }]) => {
      return [name, tf.tensor(arrays[name], [...shape], dtype)];
    });
    const inputs = Object.fromEntries(tensors);
    const [weightIn, biasIn, weightOut, biasOut] = tf.grads((...tensors: tf.Tensor[]) => {
      const moved = Object.fromEntries(Object.keys(params).map((name, i) => [name, tensors[i]]));
      return alloLoss(moved, inputs, carry, model).loss;
    })(Object.values(toTensors(params))).map((gradient) => gradient.dataSync());
    expect(biasOut.every((value) => value !== 0)).toBe(true);
    return highUnits.flatMap((unit) => {
      const weightsOut = [0, 1, 2].map((feature) => weightOut[feature * stateCount + unit]);
      return [weightIn[2 * unit], biasIn[unit], ...weightsOut];
    });
  }

  const isZero = (value: number) => value === 0;
  test.each(["distinct", "rows"] as const)("one-sided: exactly no gradient from the second batch, %s", (evaluation) => {
    const model = modelOf("one-sided", evaluation);
    const pairs = { from: low, to: low.toReversed(), first: [] };
    expect(highUnitGradients({ ...pairs, second: high }, model).every(isZero)).toBe(true);
    expect(highUnitGradients({ ...pairs, from: high, second: low }, model).some(isZero)).toBe(false);
  });

  test.each(["distinct", "rows"] as const)("two-sided: a gradient from either constraint batch, %s", (evaluation) => {
    const model = modelOf("two-sided", evaluation);
    const pairs = { from: low, to: low.toReversed() };
    expect(highUnitGradients({ ...pairs, first: low, second: high }, model).some(isZero)).toBe(false);
    expect(highUnitGradients({ ...pairs, first: high, second: low }, model).some(isZero)).toBe(false);
    expect(highUnitGradients({ ...pairs, first: low, second: low.toReversed() }, model).every(isZero)).toBe(true);
  });

  test.each(["one-sided", "two-sided"] as const)("%s: duals above the diagonal stay zero", async (constraints) => {
    const model = modelOf(constraints, "distinct");
    const session = await createTrainingSession({
      loss: (p, inputs, carry) => alloLoss(p, inputs, carry, model),
      params, inputs: alloInputs(model, low.length), carry: initialAlloCarry(config, model.objective),
    });
    for (let step = 0; step < 20; step++) {
      stage(session.inputs, { from: low, to: high, first: high, second: low }, model);
      await session.step({ learningRate: 0.01 });
    }
    const duals = [...session.carry.duals];
    const isAbove = (at: number) => at % 3 > Math.floor(at / 3);
    expect(duals.filter((_, at) => isAbove(at))).toEqual([0, 0, 0]);
    expect(duals.some((dual, at) => !isAbove(at) && (dual === -1 || dual === 0))).toBe(false);
    await session.close();
  });
});
