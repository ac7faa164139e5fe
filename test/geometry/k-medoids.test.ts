// k-medoids against an exhaustive search, and its promises: reproducible, stable, refuses what it cannot do.

import { expect, test } from "bun:test";
import { kMedoids, MetricError } from "@cleanloop/geometry";
import { normals, seededUniform } from "./examples.ts";

test("finds the best three of fourteen points in some start, and never beats the exhaustive search", () => {
  const points = normals(3, 28);
  let best = Infinity;
  for (let a = 0; a < 14; a++)
    for (let b = 0; b < a; b++) for (let c = 0; c < b; c++) best = Math.min(best, cost(points, [a, b, c]));
  const costs = Array.from({ length: 20 }, (_, seed) => kMedoids(points, 2, 3, seededUniform(seed)).cost);
  expect(Math.min(...costs)).toBeCloseTo(best, 12);
});

test("four separate groups give one medoid each, and every point the nearest of them", () => {
  const offsets = [0, 100, 200, 300];
  const noise = normals(5, 400 * 3);
  const points = noise.map((value, i) => value + offsets[Math.floor(i / 300)]);
  const { medoids, assignment, converged, cost: total } = kMedoids(points, 3, 4, seededUniform(1));
  expect(converged).toBe(true);
  expect([...medoids].map((row) => Math.floor(row / 100)).sort()).toEqual([0, 1, 2, 3]);
  assignment.forEach((cluster, row) => expect(Math.floor(medoids[cluster] / 100)).toBe(Math.floor(row / 100)));
  expect(total).toBeCloseTo(cost(points, [...medoids], 3), 9);
});

test("a converged medoid is the member with the smallest summed distance to its cluster", () => {
  const points = normals(11, 300 * 4);
  const { medoids, assignment, converged } = kMedoids(points, 4, 6, seededUniform(2));
  expect(converged).toBe(true);
  medoids.forEach((medoid, cluster) => {
    const rows = [...assignment.keys()].filter((row) => assignment[row] === cluster);
    const sum = (candidate: number) => rows.reduce((total, row) => total + distance(points, candidate, row, 4), 0);
    expect(sum(medoid)).toBeCloseTo(Math.min(...rows.map(sum)), 12);
  });
});

test("the same seed gives the same medoids; another seed starts elsewhere", () => {
  const points = normals(4, 200 * 2);
  const run = (seed: number) => [...kMedoids(points, 2, 8, seededUniform(seed)).medoids];
  expect(run(9)).toEqual(run(9));
  expect(run(9)).not.toEqual(run(10));
});

test("too few distinct points are refused with both numbers", () => {
  const twoPlaces = Float64Array.from({ length: 20 }, (_, i) => (i < 10 ? 0 : 1));
  const attempt = () => kMedoids(twoPlaces, 2, 3, seededUniform(1));
  expect(attempt).toThrow(MetricError);
  expect(attempt).toThrow("got 2 distinct points among 10, wanted at least k = 3");
  expect(() => kMedoids(twoPlaces, 2, 11, seededUniform(1))).toThrow("got 10 points, wanted at least k = 11");
  expect(() => kMedoids(twoPlaces, 2, 0, seededUniform(1))).toThrow("got k = 0");
});

function distance(points: Float64Array, a: number, b: number, dimension: number): number {
  return Math.hypot(
    ...Array.from({ length: dimension }, (_, d) => points[a * dimension + d] - points[b * dimension + d]),
  );
}

function cost(points: Float64Array, medoids: number[], dimension = 2): number {
  let total = 0;
  for (let row = 0; row < points.length / dimension; row++) {
    total += Math.min(...medoids.map((medoid) => distance(points, row, medoid, dimension)));
  }
  return total;
}
