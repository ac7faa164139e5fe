// Leapfrog and Hamiltonian Monte Carlo against their theory, and the samples against quadrature of the density.

import { expect, test } from "bun:test";
import {
  hamiltonianMonteCarlo,
  leapfrog,
  logDetMetric,
  MetricError,
  sampleRhvae,
  volumeDensity,
  type LogDensity,
} from "@cleanloop/geometry";
import { diagonalMetric, exampleMetric, fullMetric, normals, seededRandom } from "./examples.ts";

/** N(0, I / precision) on R^D. */
const gaussian = (dimension: number, precision: number): LogDensity => ({
  dimension,
  logAt: (points) =>
    Float64Array.from({ length: points.length / dimension }, (_, row) =>
      points.subarray(row * dimension, (row + 1) * dimension).reduce((sum, x) => sum - (precision * x * x) / 2, 0),
    ),
  gradientAt: (points) => points.map((x) => -precision * x),
});

test.each([
  ["full, D = 2", exampleMetric],
  ["full, D = 5", fullMetric(5, 4)],
  ["diagonal, D = 16", diagonalMetric(16, 12)],
])("leapfrog comes back when reversed, to 1e-10: %s", (_, metric) => {
  const { gradientAt } = volumeDensity(metric);
  const [starts, momenta] = [normals(1, 6 * metric.dimension), normals(2, 6 * metric.dimension)];
  const positions = starts.slice();
  leapfrog(gradientAt, positions, momenta, 0.03, 15);
  expect(distance(positions, starts)).toBeGreaterThan(0.3);
  const back = momenta.map((p) => -p);
  leapfrog(gradientAt, positions, back, 0.03, 15);
  expect(distance(positions, starts)).toBeLessThan(1e-10);
  expect(distance(back, normals(2, back.length).map((p) => -p))).toBeLessThan(1e-10);
});

test("leapfrog of an oscillator is the known linear map, of determinant 1", () => {
  const [step, z, p] = [0.3, 0.7, -0.4];
  const [positions, momenta] = [Float64Array.of(z), Float64Array.of(p)];
  leapfrog((points) => points.map((x) => -x), positions, momenta, step, 1);
  const half = 1 - step ** 2 / 2;
  expect(positions[0]).toBeCloseTo(half * z + step * p, 14);
  expect(momenta[0]).toBeCloseTo(half * p - step * (1 - step ** 2 / 4) * z, 14);
});

test("the energy error is O(ε²): half the step, a quarter of the error", () => {
  const density = volumeDensity(exampleMetric, { reach: Infinity });
  const errorAt = (steps: number) => {
    const [position, momentum] = [Float64Array.of(-0.4, 0.3), Float64Array.of(0.8, 0.5)];
    const energy = () => -density.logAt(position)[0] + (momentum[0] ** 2 + momentum[1] ** 2) / 2;
    const before = energy();
    leapfrog(density.gradientAt, position, momentum, 1 / steps, steps);
    return energy() - before;
  };
  for (const steps of [16, 32, 64]) expect(Math.abs(errorAt(steps) / errorAt(2 * steps) - 4)).toBeLessThan(0.1);
});

test("moments of a Gaussian come out whatever the step size, by rejections", () => {
  const [chains, precision] = [4000, 4];
  for (const [stepSize, lowest, highest] of [[0.1, 0.97, 1], [0.7, 0.6, 0.97]]) {
    const options = { stepSize, leapfrogSteps: 4, moves: 25 };
    const starts = new Float64Array(2 * chains).fill(1);
    const { samples, acceptanceRate } = hamiltonianMonteCarlo(gaussian(2, precision), starts, seededRandom(3), options);
    expect(acceptanceRate).toBeGreaterThan(lowest);
    expect(acceptanceRate).toBeLessThanOrEqual(highest);
    const mean = samples.reduce((sum, x) => sum + x, 0) / samples.length;
    const square = samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
    // Four standard errors of 2 N independent numbers: σ / √(2N) and √2 σ² / √(2N).
    expect(Math.abs(mean)).toBeLessThan((4 * 0.5) / Math.sqrt(samples.length));
    expect(Math.abs(square - 1 / precision)).toBeLessThan((4 * Math.SQRT2 * 0.25) / Math.sqrt(samples.length));
  }
});

test("a seed decides the samples", () => {
  const draw = (seed: number) => sampleRhvae(exampleMetric, 5, seededRandom(seed), { moves: 3 }).samples;
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});

test.each([
  ["full, D = 2", exampleMetric],
  ["diagonal, D = 16", diagonalMetric(16, 12)],
  ["diagonal, D = 16, islands", { ...diagonalMetric(16, 12), temperature: 0.7 }],
  ["full, D = 8", fullMetric(8, 5)],
])("default steps are accepted as often as a sampler should: %s", (_, metric) => {
  const { acceptanceRate } = sampleRhvae(metric, 50, seededRandom(5), { moves: 20 });
  expect(acceptanceRate).toBeGreaterThan(0.6);
  expect(acceptanceRate).toBeLessThan(0.99);
});

test("samples fill the cells of the plane as quadrature of √det G⁻¹ says, and none lies out of reach", () => {
  const [chains, reach, cell, fine] = [4000, 2, 0.4, 8];
  const { samples } = sampleRhvae(exampleMetric, chains, seededRandom(7), { reach, moves: 60 });
  // Midpoint rule on a grid eight times finer than the cells; [-3, 3]² holds every disc of radius 2 T = 1.6.
  const cells = Math.round(6 / cell);
  const side = cells * fine;
  const at = (i: number) => -3 + ((i + 0.5) * 6) / side;
  const grid = Float64Array.from({ length: 2 * side * side }, (_, i) => {
    return at(i % 2 === 0 ? Math.floor(i / 2 / side) : ((i - 1) / 2) % side);
  });
  const logDet = logDetMetric(exampleMetric, grid);
  const isInside = (x: number, y: number) =>
    [0, 1, 2].some((k) => {
      const [cx, cy] = exampleMetric.centroids.subarray(2 * k);
      return Math.hypot(x - cx, y - cy) <= reach * exampleMetric.temperature;
    });
  const cellOf = (x: number, y: number) => Math.floor((x + 3) / cell) * cells + Math.floor((y + 3) / cell);
  const mass = new Float64Array(cells * cells);
  logDet.forEach((value, i) => {
    const [x, y] = grid.subarray(2 * i);
    if (isInside(x, y)) mass[cellOf(x, y)] += Math.exp(-value / 2);
  });
  const total = mass.reduce((sum, value) => sum + value, 0);
  const counts = new Float64Array(cells * cells);
  for (let i = 0; i < samples.length; i += 2) {
    expect(isInside(samples[i], samples[i + 1])).toBe(true);
    counts[cellOf(samples[i], samples[i + 1])]++;
  }
  // Pearson's statistic over the cells that expect 10 or more, the others pooled into one.
  let [statistic, used, restMass, restCount] = [0, 0, 0, 0];
  mass.forEach((value, i) => {
    const expected = (chains * value) / total;
    if (expected >= 10) {
      statistic += (counts[i] - expected) ** 2 / expected;
      used++;
    } else {
      restMass += expected;
      restCount += counts[i];
    }
  });
  statistic += (restCount - restMass) ** 2 / restMass;
  expect(used).toBeGreaterThan(40);
  expect(statistic).toBeLessThan(used + 3.5 * Math.sqrt(2 * used)); // mean and deviation of χ²
});

test("mistakes are named", () => {
  const density = volumeDensity(exampleMetric);
  const run = (starts: number[], change: object) => () =>
    hamiltonianMonteCarlo(density, Float64Array.from(starts), seededRandom(1), {
      stepSize: 0.1,
      leapfrogSteps: 2,
      moves: 2,
      ...change,
    });
  expect(run([0, 0], { stepSize: 0 })).toThrow(MetricError);
  expect(run([0, 0], { leapfrogSteps: 0 })).toThrow("leapfrogSteps 0");
  expect(run([0, 0], { moves: 1.5 })).toThrow("moves 1.5");
  expect(run([0, 0, 0], {})).toThrow("got 3 numbers");
  expect(run([0, 0, 9, 9], {})).toThrow("log density at start 1");
  expect(() => volumeDensity(exampleMetric, { reach: 0 })).toThrow("reach 0");
  expect(() => sampleRhvae(exampleMetric, 0, seededRandom(1))).toThrow("got 0 samples");
});

function distance(a: Float64Array, b: Float64Array): number {
  return Math.hypot(...a.map((value, i) => value - b[i]));
}
