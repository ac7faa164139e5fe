// The built metric against what each scaling promises, recomputed here from the definition.

import { expect, test } from "bun:test";
import { buildMetric, inverseMetric, MetricError, validateMetric, type BuildMetricOptions } from "@cleanloop/geometry";
import { normals, seededUniform } from "./examples.ts";

const dimension = 4;
const means = normals(1, 500 * dimension).map((value, i) => value * (1 + (i % dimension)));
const variances = normals(2, 500 * dimension).map((value) => 0.02 * Math.exp(0.2 * value));
const options = (overrides: Partial<BuildMetricOptions> = {}): BuildMetricOptions => ({
  dimension,
  k: 12,
  random: seededUniform(42),
  scaling: "posterior",
  ...overrides,
});

test("the temperature is the largest nearest-neighbour distance of the centroids", () => {
  const metric = buildMetric(means, variances, options());
  const nearest = Array.from({ length: 12 }, (_, a) => {
    const others = [...Array(12).keys()].filter((b) => b !== a);
    return Math.min(...others.map((b) => distance(metric.centroids, a, b)));
  });
  expect(metric.temperature).toBeCloseTo(Math.max(...nearest), 12);
  expect(metric.info.nearestNeighbour.min).toBeCloseTo(Math.min(...nearest), 12);
  expect(() => validateMetric(metric)).not.toThrow();
});

test("every centroid is one of the posterior means", () => {
  const { centroids } = buildMetric(means, variances, options());
  const rows = new Set(
    Array.from({ length: 500 }, (_, row) => means.subarray(row * dimension, (row + 1) * dimension).join()),
  );
  for (let k = 0; k < 12; k++)
    expect(rows.has(centroids.subarray(k * dimension, (k + 1) * dimension).join())).toBe(true);
});

test("posterior scaling: a constant posterior variance v gives G⁻¹ = v + λ on average at the data", () => {
  const constant = new Float64Array(means.length).fill(0.04);
  const metric = buildMetric(means, constant, options({ lambda: 0.001 }));
  const inverse = inverseMetric(metric, means);
  let mean = 0;
  for (let row = 0; row < 500; row++) mean += inverse[row * dimension * dimension] / 500;
  expect(mean).toBeCloseTo(0.041, 12);
  expect(metric.info.inverseMetricAtData.mean).toBeCloseTo(0.041, 12);
});

test("trace scaling: every trace is D, and each diagonal is proportional to the weighted variance of the means", () => {
  const metric = buildMetric(means, variances, options({ scaling: "trace", temperature: 3 }));
  expect(metric.temperature).toBe(3);
  const width = metric.info.nearestNeighbour.max;
  for (let k = 0; k < 12; k++) {
    const diagonal = metric.matrices.subarray(k * dimension, (k + 1) * dimension);
    expect(diagonal.reduce((sum, value) => sum + value, 0)).toBeCloseTo(dimension, 12);
    const expected = weightedVariance(metric.centroids.subarray(k * dimension, (k + 1) * dimension), width);
    const total = expected.reduce((sum, value) => sum + value, 0);
    diagonal.forEach((value, d) => expect(value).toBeCloseTo((expected[d] * dimension) / total, 9));
  }
});

test("more points than maxPoints are thinned without replacement, reproducibly", () => {
  const build = () => buildMetric(means, variances, options({ maxPoints: 100 }));
  expect(build().info.pointsClustered).toBe(100);
  expect(build().centroids).toEqual(build().centroids);
});

test("unusable input is refused with the cure", () => {
  const broken = means.slice();
  broken[7] = NaN;
  expect(() => buildMetric(broken, variances, options())).toThrow("the pre-training diverged");
  expect(() => buildMetric(means, variances.subarray(4), options())).toThrow("got 2000 means and 1996 variances");
  expect(() => buildMetric(means, variances, options({ k: 1 }))).toThrow("state the temperature or raise k");
  expect(() => buildMetric(means, variances, options({ temperature: 0 }))).toThrow("got temperature 0");
  expect(() => buildMetric(means, variances, options({ k: 501 }))).toThrow(MetricError);
  expect(buildMetric(means, variances, options({ k: 1, temperature: 2 })).count).toBe(1);
});

function distance(rows: Float64Array, a: number, b: number): number {
  return Math.hypot(...Array.from({ length: dimension }, (_, d) => rows[a * dimension + d] - rows[b * dimension + d]));
}

/** Two passes over all means, unlike the builder's running moments. */
function weightedVariance(centre: Float64Array, width: number): number[] {
  const weights = Array.from({ length: 500 }, (_, row) => {
    let squared = 0;
    for (let d = 0; d < dimension; d++) squared += (means[row * dimension + d] - centre[d]) ** 2;
    return Math.exp(-squared / width ** 2);
  });
  const mass = weights.reduce((sum, weight) => sum + weight, 0);
  return Array.from({ length: dimension }, (_, d) => {
    const mean = weights.reduce((sum, weight, row) => sum + weight * means[row * dimension + d], 0) / mass;
    return weights.reduce((sum, weight, row) => sum + weight * (means[row * dimension + d] - mean) ** 2, 0) / mass;
  });
}
