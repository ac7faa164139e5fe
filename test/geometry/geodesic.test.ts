// Geodesics between points against published values, the hyperbolic plane and the sphere, and what minima must satisfy.

import { describe, expect, test } from "bun:test";
import { geodesicBetween, geodesicField, geodesicsBetween, measurePath, metricTensor } from "@cleanloop/geometry";
import { diagonalMetric, exampleMetric, fullMetric, halfPlane, normals, seededUniform, sphere } from "./examples.ts";

const start = Float64Array.of(-0.5, 1);
const end = Float64Array.of(1.5, -0.4);

test("three centroids in the plane, 32 segments: the published energies, lengths and midpoint", () => {
  const { path, energy, length, straight, converged, speedUniformity } = geodesicBetween(
    geodesicField(exampleMetric),
    start,
    end,
  );
  expect(converged).toBe(true);
  expect(straight.energy).toBeCloseTo(4.112644061, 9);
  expect(straight.length).toBeCloseTo(2.792908045, 9);
  expect(energy).toBeCloseTo(3.775231066, 9);
  expect(length).toBeCloseTo(2.747810241, 9);
  expect(length).toBeCloseTo(Math.sqrt(2 * energy), 6);
  expect(path[32]).toBeCloseTo(0.6712856717, 8);
  expect(path[33]).toBeCloseTo(0.3236935379, 8);
  expect(speedUniformity).toBeGreaterThan(0.99);
  expect([path.slice(0, 2), path.slice(64)]).toEqual([start, end]);
});

test("half-plane: the length is arcosh(1 + |Δ|² / 2 y₁y₂), the path a circle around the boundary", () => {
  const from = Float64Array.of(-1, 0.5);
  const to = Float64Array.of(1, 1.5);
  const exact = Math.acosh(1 + (2 ** 2 + 1 ** 2) / (2 * 0.5 * 1.5));
  const errors = [32, 64, 128].map((segments) => {
    const { length, converged, path } = geodesicBetween(halfPlane, from, to, { segments });
    expect(converged).toBe(true);
    // The centre (m, 0) is equally far from both ends.
    const centre = (1 + 1.5 ** 2 - 1 - 0.5 ** 2) / 4;
    const radii = Array.from({ length: segments + 1 }, (_, i) => Math.hypot(path[2 * i] - centre, path[2 * i + 1]));
    radii.forEach((radius) => expect(Math.abs(radius / radii[0] - 1)).toBeLessThan(2 / segments ** 2));
    return Math.abs(length - exact);
  });
  expect(errors[2]).toBeLessThan(2e-4);
  // Second order: doubling the segments divides the error by 4.
  for (const i of [0, 1]) expect(errors[i] / errors[i + 1]).toBeCloseTo(4, 1);
});

test("sphere: the great-circle distance", () => {
  const radius = 1.5;
  const [a, b] = [Float64Array.of(1, 0), Float64Array.of(0, 0.8)];
  const onSphere = ([x, y]: Float64Array) => {
    const base = 1 + (x * x + y * y) / radius ** 2;
    return [(2 * x) / base, (2 * y) / base, radius * (1 - 2 / base)];
  };
  const [p, q] = [onSphere(a), onSphere(b)];
  const angle = Math.acos(p.reduce((sum, value, i) => sum + value * q[i], 0) / radius ** 2);
  expect(geodesicBetween(sphere(radius), a, b, { segments: 256 }).length).toBeCloseTo(radius * angle, 4);
});

describe.each([
  ["full, D = 5", fullMetric(5, 4)],
  ["diagonal, D = 16", diagonalMetric(16, 12)],
  ["narrow kernels, D = 4", { ...diagonalMetric(4, 6), temperature: 0.5 }],
])("%s", (_, metric) => {
  const { dimension } = metric;
  const field = geodesicField(metric);
  const points = normals(dimension, 6 * dimension);

  test("squared speed, momentum and both gradients are those of G", () => {
    const [z, v] = [points.slice(0, dimension), points.slice(dimension, 2 * dimension)];
    const buffers = () => [new Float64Array(dimension), new Float64Array(dimension)] as const;
    const tensor = metricTensor(metric, z);
    const [momentum, gradient] = buffers();
    const squared = field.squaredSpeed(z, v, momentum, gradient);
    momentum.forEach((value, i) => {
      expect(value).toBeCloseTo(dot(tensor.subarray(i * dimension, (i + 1) * dimension), v), 8);
    });
    expect(squared).toBeCloseTo(dot(momentum, v), 8);
    const [velocity, coGradient] = buffers();
    expect(field.squaredMomentum(z, momentum, velocity, coGradient)).toBeCloseTo(squared, 8);
    velocity.forEach((value, i) => expect(value).toBeCloseTo(v[i], 9));
    const step = 1e-5;
    for (let d = 0; d < dimension; d++) {
      const at = (by: number, of: "squaredSpeed" | "squaredMomentum") => {
        const moved = z.map((value, i) => (i === d ? value + by : value));
        return field[of](moved, of === "squaredSpeed" ? v : momentum, ...buffers());
      };
      const difference = (of: "squaredSpeed" | "squaredMomentum") => (at(step, of) - at(-step, of)) / (2 * step);
      expect(Math.abs(gradient[d] - difference("squaredSpeed")) / squared).toBeLessThan(1e-7);
      expect(Math.abs(coGradient[d] - difference("squaredMomentum")) / squared).toBeLessThan(1e-7);
    }
  });

  test("never longer than the straight line, and no nearby path has less energy", () => {
    const random = seededUniform(3);
    const half = 3 * dimension;
    for (const found of geodesicsBetween(field, points.slice(0, half), points.slice(half))) {
      expect(found.length).toBeLessThanOrEqual(found.straight.length);
      expect(found.energy).toBeLessThanOrEqual(found.straight.energy);
      expect(found.converged).toBe(true);
      for (let attempt = 0; attempt < 5; attempt++) {
        const nearby = found.path.map((value, i) => {
          const inner = i >= dimension && i < found.path.length - dimension;
          return inner ? value + 1e-3 * (random.uniform() - 0.5) : value;
        });
        expect(measurePath(field, nearby).energy).toBeGreaterThan(found.energy);
      }
    }
  });
});

test("between isolated islands a coarse path does not leap over the ground between its middles", () => {
  const metric = { ...diagonalMetric(16, 50), temperature: 0.5 };
  const field = geodesicField(metric);
  for (const seed of [18, 19, 20]) {
    const points = normals(seed, 32);
    const found = geodesicBetween(field, points.slice(0, 16), points.slice(16));
    // Measured 4,000 times along both, not only at the middles of the found path's segments.
    const fine = (path: Float64Array) => measurePath(field, inPieces(path, 16, 4096)).length;
    expect(fine(found.path)).toBeLessThanOrEqual(fine(points) * (1 + 1e-9));
    expect(found.length / fine(found.path)).toBeCloseTo(1, 1);
    expect(found.lengthError).toBeLessThan(0.05);
    if (seed !== 19) continue;
    // Of these three only this pair has a shorter way, and 32 segments are too few for it.
    expect(fine(found.path)).toBeLessThan(0.95 * fine(points));
    expect(found.path.length / 16 - 1).toBeGreaterThan(32);
    const coarse = geodesicBetween(field, points.slice(0, 16), points.slice(16), { lengthTolerance: 1 });
    expect(coarse.path.length / 16 - 1).toBe(32);
  }
});

test("far from all centroids space is flat: the straight line, of length |Δ| / √λ", () => {
  const far = geodesicBetween(geodesicField(exampleMetric), Float64Array.of(50, 50), Float64Array.of(53, 54));
  expect(far.length).toBeCloseTo(5 / Math.sqrt(0.01), 9);
  expect(far).toMatchObject({ converged: true, iterations: 0 });
});

test("the path back is the path there; a point is its own geodesic", () => {
  const field = geodesicField(exampleMetric);
  const there = geodesicBetween(field, start, end).path;
  const back = geodesicBetween(field, end, start).path;
  for (let i = 0; i <= 32; i++) {
    for (const d of [0, 1]) expect(back[2 * (32 - i) + d]).toBeCloseTo(there[2 * i + d], 7);
  }
  const still = geodesicBetween(field, start, start);
  expect(still).toMatchObject({ energy: 0, length: 0, speedUniformity: 1, converged: true });
});

test("unusable arguments are refused with the numbers", () => {
  const field = geodesicField(exampleMetric);
  expect(() => geodesicBetween(field, new Float64Array(3), end)).toThrow("got points of 3 and 2 coordinates, wanted 2");
  expect(() => geodesicBetween(field, start, end, { segments: 1 })).toThrow("got 1 segments");
  expect(() => geodesicBetween(field, Float64Array.of(NaN, 0), end)).toThrow("not positive definite");
  expect(() => geodesicsBetween(field, start, new Float64Array(4))).toThrow("got 2 and 4 numbers");
});

/** The polygon `path` at about `count` steps of equal share of its segments. */
function inPieces(path: Float64Array, dimension: number, count: number): Float64Array {
  const segments = path.length / dimension - 1;
  return Float64Array.from({ length: (count + 1) * dimension }, (_, i) => {
    const at = (Math.floor(i / dimension) / count) * segments;
    const segment = Math.min(Math.floor(at), segments - 1);
    const [from, to] = [segment, segment + 1].map((index) => path[index * dimension + (i % dimension)]);
    return from + (at - segment) * (to - from);
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}
