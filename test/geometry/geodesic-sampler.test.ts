// The geodesic prior: in flat space against its closed form, in a curved one against the geodesic.

import { expect, test } from "bun:test";
import { geodesicBetween, geodesicField, metricTensor, MetricError, sampleGeodesic, type Metric } from "@cleanloop/geometry";
import { exampleMetric, seededRandom } from "./examples.ts";

/** Kernels so wide that G⁻¹ = M_1 + M_2 + λ I = [[2, 0.8], [0.8, 0.5]] everywhere near. */
const flat: Metric = {
  kind: "full",
  count: 2,
  dimension: 2,
  centroids: Float64Array.of(0, 0, 2, 1),
  matrices: Float64Array.of(1, 0.4, 0.4, 0.245, 0.99, 0.4, 0.4, 0.245),
  temperature: 1e5,
  lambda: 0.01,
};

/** The first two centroids of the example. */
const curved: Metric = {
  ...exampleMetric,
  count: 2,
  centroids: exampleMetric.centroids.slice(0, 4),
  matrices: exampleMetric.matrices.slice(0, 8),
  temperature: 0.28,
};

test("flat: uniform along the segment, noise s² (G⁻¹ - v vᵀ / vᵀGv) across it, G-orthogonal to it", () => {
  const [count, scale] = [4000, 0.3];
  const samples = sampleGeodesic(flat, count, seededRandom(1), { scale, segments: 2 });
  const [a, b, , d] = metricTensor(flat, Float64Array.of(1, 0.5));
  const v = [2, 1];
  const covector = [a * v[0] + b * v[1], b * v[0] + d * v[1]]; // G v
  const squared = v[0] * covector[0] + v[1] * covector[1];
  // Of two coordinates one lies along v: the rest is the one across, of Riemannian variance s² · 1.
  let [sum, square, across] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const [x, y] = samples.subarray(2 * i);
    const t = (x * covector[0] + y * covector[1]) / squared;
    expect(t).toBeGreaterThanOrEqual(-1e-6);
    expect(t).toBeLessThanOrEqual(1 + 1e-6);
    sum += t;
    square += (t - 0.5) ** 2;
    const [p, q] = [x - t * v[0], y - t * v[1]];
    across += a * p * p + 2 * b * p * q + d * q * q;
  }
  expect(Math.abs(sum / count - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / count));
  expect(Math.abs(square / count - 1 / 12)).toBeLessThan(4 * Math.sqrt(1 / 180 / count));
  expect(Math.abs(across / count / scale ** 2 - 1)).toBeLessThan(4 * Math.sqrt(2 / count));
});

test("curved, without noise: on the geodesic, uniform in Riemannian length and not in Euclidean length", () => {
  const count = 300;
  const samples = sampleGeodesic(curved, count, seededRandom(2), { scale: 0 });
  const field = geodesicField(curved);
  const { path, lengthError } = geodesicBetween(field, Float64Array.of(0, 0), Float64Array.of(1, 0.5), {
    segments: 256,
  });
  expect(lengthError).toBeLessThan(1e-3);
  const bySegment = new Float64Array(10);
  let euclideanMiddle = 0;
  for (let i = 0; i < count; i++) {
    const [x, y] = samples.subarray(2 * i);
    let [nearest, at] = [Infinity, 0];
    for (let j = 0; j <= 256; j++) {
      const gap = Math.hypot(x - path[2 * j], y - path[2 * j + 1]);
      if (gap < nearest) [nearest, at] = [gap, j];
    }
    expect(nearest).toBeLessThan(0.01);
    // A geodesic has constant speed: its points are equally spaced in Riemannian length.
    bySegment[Math.min(9, Math.floor((at * 10) / 256))]++;
    if (Math.hypot(x - 0.5, y - 0.25) < Math.hypot(1, 0.5) / 4) euclideanMiddle++;
  }
  const statistic = bySegment.reduce((sum, got) => sum + (got - count / 10) ** 2 / (count / 10), 0);
  expect(statistic).toBeLessThan(27.9); // χ² of 9 degrees of freedom, one in a thousand
  // Between the kernels G is large: the middle half of the line is more than half of the length.
  expect(euclideanMiddle / count).toBeGreaterThan(0.6);
});

test("the two centroids are never the same, and every pair comes up", () => {
  const seen = new Set<string>();
  const random = seededRandom(3);
  const ends = exampleMetric.centroids;
  for (let i = 0; i < 60; i++) {
    // u = 0 for the place along the geodesic gives the first centroid, nearly 1 the second.
    const picks = [random.uniform(), random.uniform()];
    const endsOf = [0, 1 - 1e-12].map((place) => {
      const uniforms = [...picks, place];
      const source = { uniform: () => uniforms.shift() ?? 0, normals: (out: Float64Array) => out };
      const [x, y] = sampleGeodesic(exampleMetric, 1, source, { segments: 2, lengthTolerance: 1 });
      return [0, 1, 2].find((k) => Math.hypot(x - ends[2 * k], y - ends[2 * k + 1]) < 1e-9);
    });
    expect(endsOf[0]).not.toBe(endsOf[1]);
    seen.add(endsOf.join());
  }
  expect([...seen].sort()).toEqual(["0,1", "0,2", "1,0", "1,2", "2,0", "2,1"]);
});

test("mistakes are named", () => {
  const single: Metric = { ...exampleMetric, count: 1 };
  expect(() => sampleGeodesic(single, 1, seededRandom(1))).toThrow(MetricError);
  expect(() => sampleGeodesic(flat, 0, seededRandom(1))).toThrow("got 0 samples");
  expect(() => sampleGeodesic(flat, 1, seededRandom(1), { scale: -1 })).toThrow("scale -1");
});
