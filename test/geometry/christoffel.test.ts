// Derivatives of the metric against central differences, and Christoffel symbols against closed forms.

import { describe, expect, test } from "bun:test";
import {
  christoffelOfJet,
  christoffelSymbols,
  createJetEvaluator,
  metricGradient,
  metricTensor,
  logDetMetric,
  type MetricJet,
} from "@cleanloop/geometry";
import { diagonalMetric, exampleMetric, fullMetric, normals } from "./examples.ts";

describe.each([
  ["three full matrices in the plane", exampleMetric],
  ["full matrices", fullMetric(5, 4)],
  ["diagonal matrices", diagonalMetric(5, 4)],
] as const)("%s", (_, metric) => {
  const { dimension } = metric;
  const size = dimension * dimension;
  const point = normals(dimension, dimension).map((value) => value / 2);
  const moved = (c: number, by: number) => point.map((value, d) => (d === c ? value + by : value));

  test("∂_l G is that of central differences", () => {
    const gradient = metricGradient(metric, point);
    const step = 1e-5;
    for (let l = 0; l < dimension; l++) {
      const [above, below] = [metricTensor(metric, moved(l, step)), metricTensor(metric, moved(l, -step))];
      for (let i = 0; i < size; i++) expect(gradient[l * size + i]).toBeCloseTo((above[i] - below[i]) / (2 * step), 7);
    }
  });

  test("∂_l ∂_m G is that of central differences of ∂_m G", () => {
    const { jet, evaluate } = createJetEvaluator(metric, 2);
    expect(evaluate(point)).toBeCloseTo(logDetMetric(metric, point)[0], 11);
    const second = jet.second;
    const step = 1e-5;
    for (let l = 0; l < dimension; l++) {
      const [above, below] = [metricGradient(metric, moved(l, step)), metricGradient(metric, moved(l, -step))];
      above.forEach((value, i) => {
        expect(second[l * dimension * size + i]).toBeCloseTo((value - below[i]) / (2 * step), 6);
      });
    }
  });

  test("along other directions the jet is the same tensors in those directions", () => {
    const directions = normals(9, 2 * dimension);
    const along = createJetEvaluator(metric, 2, directions);
    const whole = createJetEvaluator(metric, 2);
    along.evaluate(point);
    whole.evaluate(point);
    const contract = (tensor: Float64Array, order: number) => inDirections(tensor, directions, dimension, order);
    contract(whole.jet.tensor, 2).forEach((value, i) => expect(along.jet.tensor[i]).toBeCloseTo(value, 9));
    contract(whole.jet.first, 3).forEach((value, i) => expect(along.jet.first[i]).toBeCloseTo(value, 9));
    contract(whole.jet.second, 4).forEach((value, i) => expect(along.jet.second[i]).toBeCloseTo(value, 8));
  });

  test("the Christoffel symbols are symmetric and make the metric parallel: ∂_l g_ij = Γ_i,lj + Γ_j,li", () => {
    const symbols = christoffelSymbols(metric, point);
    const tensor = metricTensor(metric, point);
    const gradient = metricGradient(metric, point);
    const lowered = (m: number, j: number, l: number) => {
      let sum = 0;
      for (let i = 0; i < dimension; i++) {
        sum += tensor[m * dimension + i] * symbols[(i * dimension + j) * dimension + l];
      }
      return sum;
    };
    for (let l = 0; l < dimension; l++) {
      for (let i = 0; i < dimension; i++) {
        for (let j = 0; j < dimension; j++) {
          expect(lowered(i, l, j)).toBeCloseTo(lowered(i, j, l), 10);
          expect(gradient[(l * dimension + i) * dimension + j]).toBeCloseTo(lowered(i, l, j) + lowered(j, l, i), 10);
        }
      }
    }
  });
});

test("half-plane (dx² + dy²) / y²: Γ^x_xy = Γ^y_yy = -1/y, Γ^y_xx = 1/y, all others 0", () => {
  const y = 1.7;
  const slope = -2 / y ** 3;
  const jet: MetricJet = {
    size: 2,
    tensor: Float64Array.of(1 / y ** 2, 0, 0, 1 / y ** 2),
    first: Float64Array.of(0, 0, 0, 0, slope, 0, 0, slope),
    second: new Float64Array(0),
  };
  [0, -1 / y, -1 / y, 0, 1 / y, 0, 0, -1 / y].forEach((value, i) => {
    expect(christoffelOfJet(jet)[i]).toBeCloseTo(value, 14);
  });
});

test("directions that do not fill whole rows are refused", () => {
  expect(() => createJetEvaluator(exampleMetric, 1, new Float64Array(3))).toThrow("wanted directions of 2 coordinates");
  expect(() => createJetEvaluator(exampleMetric, 1).evaluate(Float64Array.of(NaN, 0))).toThrow("not positive definite");
});

/** Replaces every index of a tensor [D, ..., D] by an index over the rows of `directions` [2, D]. */
function inDirections(tensor: Float64Array, directions: Float64Array, dimension: number, order: number): Float64Array {
  const rows = directions.length / dimension;
  let current = tensor;
  for (let index = 0; index < order; index++) {
    // The leading index is summed and comes back as the last one, so that `order` rounds restore the order.
    const rest = current.length / dimension;
    const next = new Float64Array(rest * rows);
    for (let i = 0; i < rest; i++) {
      for (let r = 0; r < rows; r++) {
        for (let d = 0; d < dimension; d++) next[i * rows + r] += directions[r * dimension + d] * current[d * rest + i];
      }
    }
    current = next;
  }
  return current;
}
