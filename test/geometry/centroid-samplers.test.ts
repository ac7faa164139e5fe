// The samplers around centroids against the means, covariances and shares that define them.

import { expect, test } from "bun:test";
import { MetricError, sampleCentroidAware, sampleMixture, type Metric } from "@cleanloop/geometry";
import { seededRandom } from "./examples.ts";

/** One centroid at (1, -2): G⁻¹ there is M + λ I = [[2.01, 0.6], [0.6, 0.51]]. */
const single: Metric = {
  kind: "full",
  count: 1,
  dimension: 2,
  centroids: Float64Array.of(1, -2),
  matrices: Float64Array.of(2, 0.6, 0.6, 0.5),
  temperature: 0.8,
  lambda: 0.01,
};
const inverseAtCentroid = [2.01, 0.6, 0.6, 0.51];
const determinant = 2.01 * 0.51 - 0.6 ** 2;

/** Two diagonal kernels that do not see each other, at distances 1 and 4 from the origin. */
const islands: Metric = {
  kind: "diagonal",
  count: 2,
  dimension: 2,
  centroids: Float64Array.of(1, 0, 0, -4),
  matrices: Float64Array.of(0.99, 0.99, 0.99, 0.99),
  temperature: 0.2,
  lambda: 0.01,
};

test("centroid-aware: mean c, covariance s² G⁻¹(c)", () => {
  const samples = sampleCentroidAware(single, 20_000, seededRandom(1));
  expectMoments(samples, inverseAtCentroid.map((value) => 0.15 ** 2 * value));
  expectMoments(
    sampleCentroidAware(single, 20_000, seededRandom(2), { scale: 2 }),
    inverseAtCentroid.map((value) => 4 * value),
  );
});

test("mixture: mean c, covariance shaped like G⁻¹(c) with determinant 0.4⁴", () => {
  const scaled = inverseAtCentroid.map((value) => (0.16 / Math.sqrt(determinant)) * value);
  expect(scaled[0] * scaled[3] - scaled[1] ** 2).toBeCloseTo(0.4 ** 4, 12);
  expectMoments(sampleMixture(single, 20_000, seededRandom(3)), scaled);
});

test("mixture: the factor stays within 0.1 and 1", () => {
  const withMatrix = (m: number): Metric => ({ ...single, matrices: Float64Array.of(m, 0, 0, m), lambda: 1e-4 });
  expectMoments(sampleMixture(withMatrix(1e-4), 20_000, seededRandom(4)), [2e-4, 0, 0, 2e-4]);
  expectMoments(sampleMixture(withMatrix(100), 20_000, seededRandom(5)), [1.000001, 0, 0, 1.000001]);
});

test("centroids are drawn alike by the one and by exp(-‖c‖ / 2) by the other", () => {
  const count = 10_000;
  const shareOfFirst = (samples: Float64Array) => samples.filter((y, i) => i % 2 === 1 && y > -2).length / count;
  const near = 1 / (1 + Math.exp(-1.5)); // e^(-1/2) over e^(-1/2) + e^(-4/2)
  const deviation = 0.5 / Math.sqrt(count);
  expect(Math.abs(shareOfFirst(sampleCentroidAware(islands, count, seededRandom(6))) - 0.5)).toBeLessThan(4 * deviation);
  expect(Math.abs(shareOfFirst(sampleMixture(islands, count, seededRandom(7))) - near)).toBeLessThan(4 * deviation);
});

test("D = 128, centroids far out: a determinant and weights beyond float64 change nothing", () => {
  const dimension = 128;
  const far: Metric = {
    kind: "diagonal",
    count: 1,
    dimension,
    centroids: new Float64Array(dimension).fill(1000), // ‖c‖ / 2 = 5657
    matrices: new Float64Array(dimension).fill(1e6), // det G⁻¹ = 1e768
    temperature: 1,
    lambda: 0.01,
  };
  const samples = sampleMixture(far, 50, seededRandom(8));
  const square = samples.reduce((sum, x) => sum + (x - 1000) ** 2, 0) / samples.length;
  expect(Math.abs(square / 1e4 - 1)).toBeLessThan(4 * Math.sqrt(2 / samples.length)); // 0.1 · 1000
});

test("mistakes are named", () => {
  expect(() => sampleCentroidAware(single, 1, seededRandom(1), { scale: -1 })).toThrow(MetricError);
  expect(() => sampleMixture(single, 2.5, seededRandom(1))).toThrow("got 2.5 samples");
  const broken = { ...single, matrices: Float64Array.of(-1, 0, 0, 1) };
  expect(() => sampleCentroidAware(broken, 1, seededRandom(1))).toThrow("not positive definite");
});

/** Mean (1, -2) and the covariance [2, 2], each within four standard errors. */
function expectMoments(samples: Float64Array, covariance: readonly number[]): void {
  const count = samples.length / 2;
  for (let a = 0; a < 2; a++) {
    const mean = samples.reduce((sum, value, i) => sum + (i % 2 === a ? value : 0), 0) / count;
    expect(Math.abs(mean - [1, -2][a])).toBeLessThan(4 * Math.sqrt(covariance[3 * a] / count));
    for (let b = 0; b <= a; b++) {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += (samples[2 * i + a] - [1, -2][a]) * (samples[2 * i + b] - [1, -2][b]);
      const variance = covariance[3 * a] * covariance[3 * b] + covariance[2 * a + b] ** 2; // Isserlis
      expect(Math.abs(sum / count - covariance[2 * a + b])).toBeLessThan(4 * Math.sqrt(variance / count));
    }
  }
}
