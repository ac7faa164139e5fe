// The density √det G⁻¹ N(z; 0, I): its gradient by differences, its samples against quadrature.

import { expect, test } from "bun:test";
import { logDetMetric, MetricError, normalVolumeDensity, sampleBasic, type Metric } from "@cleanloop/geometry";
import { diagonalMetric, exampleMetric, fullMetric, normals, seededRandom } from "./examples.ts";

test.each([
  ["full, D = 5", fullMetric(5, 4)],
  ["diagonal, D = 16", diagonalMetric(16, 12)],
])("the gradient is that of the logarithm: %s", (_, metric) => {
  const { dimension } = metric;
  const { logAt, gradientAt } = normalVolumeDensity(metric);
  const z = normals(1, 2 * dimension);
  const gradient = gradientAt(z);
  const step = 1e-5;
  for (let i = 0; i < z.length; i++) {
    const [up, down] = [z.slice(), z.slice()];
    up[i] += step;
    down[i] -= step;
    const row = Math.floor(i / dimension);
    expect((logAt(up)[row] - logAt(down)[row]) / (2 * step)).toBeCloseTo(gradient[i], 7);
  }
});

test("a constant metric leaves the standard normal", () => {
  const metric: Metric = { ...exampleMetric, temperature: 1e6 };
  const { samples } = sampleBasic(metric, 3000, seededRandom(1), { stepSize: 0.4, moves: 40 });
  const square = samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
  expect(Math.abs(square - 1)).toBeLessThan(4 * Math.sqrt(2 / samples.length));
});

test("means and squares are those of quadrature", () => {
  const count = 3000;
  const { samples, acceptanceRate } = sampleBasic(exampleMetric, count, seededRandom(2));
  expect(acceptanceRate).toBeGreaterThan(0.6);
  expect(acceptanceRate).toBeLessThan(0.999);

  // Midpoint rule on [-6, 6]², where the density has fallen to e^-18.
  const side = 300;
  const at = (i: number) => -6 + ((i + 0.5) * 12) / side;
  const grid = Float64Array.from({ length: 2 * side * side }, (_, i) => {
    return at(i % 2 === 0 ? Math.floor(i / 2 / side) : ((i - 1) / 2) % side);
  });
  const logDet = logDetMetric(exampleMetric, grid);
  const density = logDet.map((value, i) => Math.exp(-(value + grid[2 * i] ** 2 + grid[2 * i + 1] ** 2) / 2));
  const mass = density.reduce((sum, value) => sum + value, 0);
  const expectation = (of: (x: number, y: number) => number) =>
    density.reduce((sum, value, i) => sum + value * of(grid[2 * i], grid[2 * i + 1]), 0) / mass;

  for (const of of [
    (x: number) => x,
    (_: number, y: number) => y,
    (x: number) => x * x,
    (_: number, y: number) => y * y,
    (x: number, y: number) => x * y,
  ]) {
    const wanted = expectation(of);
    const variance = expectation((x, y) => (of(x, y) - wanted) ** 2);
    let sum = 0;
    for (let i = 0; i < samples.length; i += 2) sum += of(samples[i], samples[i + 1]);
    expect(Math.abs(sum / count - wanted)).toBeLessThan(4 * Math.sqrt(variance / count));
  }
});

test("mistakes are named", () => {
  expect(() => sampleBasic(exampleMetric, 0, seededRandom(1))).toThrow(MetricError);
  expect(() => sampleBasic(exampleMetric, 5, seededRandom(1), { moves: 0 })).toThrow("moves 0");
});
