// What must hold for any positive definite M_k, in dimensions 2 to 32 and, without overflow, 128.

import { expect, test } from "bun:test";
import {
  geodesicBetween,
  geodesicField,
  gradientHalfLogDetInverse,
  inverseMetric,
  logDetMetric,
  metricGradient,
  metricTensor,
  shootGeodesic,
  type Metric,
} from "@cleanloop/geometry";
import fc from "fast-check";
import { diagonalMetric, fullMetric, normals } from "./examples.ts";

const anyMetric = fc
  .record({
    dimension: fc.integer({ min: 2, max: 32 }),
    count: fc.integer({ min: 1, max: 6 }),
    full: fc.boolean(),
    temperature: fc.double({ min: 0.3, max: 5, noNaN: true }),
    seed: fc.integer({ min: 1, max: 1000 }),
  })
  .map(({ dimension, count, full, temperature, seed }) => ({
    metric: { ...(full ? fullMetric : diagonalMetric)(dimension, count), temperature } satisfies Metric,
    points: normals(seed, 2 * dimension).map((value) => value / Math.sqrt(dimension)),
  }));
const property = (runs: number, check: (metric: Metric, points: Float64Array) => void) =>
  fc.assert(fc.property(anyMetric, ({ metric, points }) => check(metric, points)), { numRuns: runs, seed: 4 });

test("tr(G⁻¹ ∂_l G) is the gradient of log det G", () => {
  property(40, (metric, points) => {
    const { dimension } = metric;
    const z = points.slice(0, dimension);
    const [gradient, inverse] = [metricGradient(metric, z), inverseMetric(metric, z)];
    gradientHalfLogDetInverse(metric, z).forEach((half, l) => {
      let trace = 0;
      for (let i = 0; i < dimension ** 2; i++) trace += inverse[i] * gradient[l * dimension ** 2 + i];
      expect(Math.abs(trace + 2 * half)).toBeLessThan(1e-9 * (1 + Math.abs(half)));
    });
  });
});

test("a geodesic is never longer than the straight line, nor its energy below ½ length²", () => {
  property(25, (metric, points) => {
    const { dimension } = metric;
    const ends = [points.slice(0, dimension), points.slice(dimension)] as const;
    const { length, energy, straight } = geodesicBetween(geodesicField(metric), ...ends, { segments: 16 });
    expect(length).toBeLessThanOrEqual(straight.length);
    expect(energy).toBeGreaterThanOrEqual((length ** 2 / 2) * (1 - 1e-12));
  });
});

test("the speed of a shot geodesic does not change", () => {
  property(25, (metric, points) => {
    const { dimension } = metric;
    const shot = shootGeodesic(geodesicField(metric), points.slice(0, dimension), points.slice(dimension));
    expect(Math.abs(shot.energyDrift)).toBeLessThan(1e-6);
  });
});

test("D = 128: det G is beyond float64, log det G is not", () => {
  const metric: Metric = { ...diagonalMetric(128, 2), temperature: 0.1, lambda: 1e-4 };
  const z = normals(1, 128);
  expect(logDetMetric(metric, z)[0]).toBeCloseTo(128 * Math.log(1e4), 9); // e^1179
  expect(metricTensor(metric, z)[0]).toBeCloseTo(1e4, 6);
});
