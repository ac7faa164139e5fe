// Geodesics from a point and a velocity against closed forms, the geodesic equation and the geodesics between points.

import { expect, test } from "bun:test";
import {
  christoffelSymbols,
  exponentialMap,
  geodesicBetween,
  geodesicField,
  integrate,
  metricTensor,
  MetricError,
  shootGeodesic,
} from "@cleanloop/geometry";
import { conformalField, diagonalMetric, exampleMetric, fullMetric, halfPlane, normals, sphere } from "./examples.ts";

const digits = 8;

test("a constant metric gives straight lines", () => {
  const { path, velocity, energyDrift } = shootGeodesic(
    conformalField(() => [3, 0, 0]),
    Float64Array.of(1, 2),
    Float64Array.of(-4, 1),
    { samples: 4 },
  );
  expectClose(path, [1, 2, 0, 2.25, -1, 2.5, -2, 2.75, -3, 3], 13);
  expectClose(velocity, [-4, 1], 13);
  expect(Math.abs(energyDrift)).toBeLessThan(1e-14);
});

test("half-plane: upwards y grows as e^t, sideways x = tanh t and y = sech t", () => {
  const t = 2;
  const starts = Float64Array.of(0.3, 1, 0, 1);
  expectClose(exponentialMap(halfPlane, starts, Float64Array.of(0, t, t, 0)), [
    0.3, Math.exp(t), Math.tanh(t), 1 / Math.cosh(t),
  ], digits);
});

test("sphere of radius R: from the pole |z| = R tan(speed / 2R), along the equator a circle that closes", () => {
  const radius = 1.5;
  const field = sphere(radius);
  const end = radius * Math.tan((2 * 1.1) / (2 * radius));
  expectClose(exponentialMap(field, new Float64Array(2), Float64Array.of(0.66, 0.88)), [0.6 * end, 0.8 * end], digits);
  // On the equator |z| = R the metric is the identity: once around is 2πR.
  const once = Float64Array.of(0, 2 * Math.PI * radius);
  const around = shootGeodesic(field, Float64Array.of(radius, 0), once, { samples: 4 });
  expectClose(around.path, [radius, 0, 0, radius, -radius, 0, 0, -radius, radius, 0], 7);
});

test.each([
  ["full", fullMetric(5, 4)],
  ["diagonal", diagonalMetric(16, 12)],
])("%s: keeps its speed, comes back when reversed, and obeys z̈ = -Γ ż ż", (_, metric) => {
  const { dimension } = metric;
  const field = geodesicField(metric);
  const [start, velocity] = [normals(1, dimension), normals(2, dimension)];
  const there = shootGeodesic(field, start, velocity, { tolerance: 1e-12 });
  expect(Math.abs(there.energyDrift)).toBeLessThan(1e-9);
  const end = there.path.slice(dimension);
  const back = shootGeodesic(field, end, there.velocity.map((value) => -value), { tolerance: 1e-12 });
  expectClose(back.path.subarray(dimension), [...start], digits);
  expectClose(back.velocity, Array.from(velocity, (value) => -value), digits);

  const step = 1e-3;
  const after = exponentialMap(field, start, velocity.map((value) => value * step), { tolerance: 1e-14 });
  const before = exponentialMap(field, start, velocity.map((value) => -value * step), { tolerance: 1e-14 });
  const symbols = christoffelSymbols(metric, start);
  for (let i = 0; i < dimension; i++) {
    let expected = 0;
    for (let j = 0; j < dimension; j++) {
      for (let l = 0; l < dimension; l++) {
        expected -= symbols[(i * dimension + j) * dimension + l] * velocity[j] * velocity[l];
      }
    }
    expect((after[i] - 2 * start[i] + before[i]) / step ** 2).toBeCloseTo(expected, 4);
  }
});

test("agrees with the geodesic between its ends, better with more segments", () => {
  const field = geodesicField(exampleMetric);
  const start = Float64Array.of(-0.5, 1);
  const velocity = Float64Array.of(1.2, -0.9);
  const shot = shootGeodesic(field, start, velocity, { samples: 128 });
  const end = shot.path.slice(256);
  const tensor = metricTensor(exampleMetric, start);
  const [x, y] = velocity;
  const speed = Math.sqrt(tensor[0] * x * x + 2 * tensor[1] * x * y + tensor[3] * y * y);
  const errors = [64, 128].map((segments) => {
    const found = geodesicBetween(field, start, end, { segments });
    expect(found.length).toBeCloseTo(speed, 3);
    const stride = 128 / segments;
    let largest = 0;
    for (let i = 0; i <= segments; i++) {
      for (const d of [0, 1]) {
        largest = Math.max(largest, Math.abs(found.path[2 * i + d] - shot.path[2 * i * stride + d]));
      }
    }
    return largest;
  });
  expect(errors[1]).toBeLessThan(1e-3);
  expect(errors[0] / errors[1]).toBeCloseTo(4, 0);
});

test("the integrator: y' = y reaches e, and a tighter tolerance is closer and takes more steps", () => {
  const run = (tolerance: number) => {
    const y = Float64Array.of(1);
    const steps = integrate((at, slope) => slope.set(at), y, 1, { tolerance });
    return { error: Math.abs(y[0] - Math.E), steps };
  };
  const [loose, tight] = [run(1e-6), run(1e-13)];
  expect(loose.error).toBeLessThan(1e-5);
  expect(tight.error).toBeLessThan(1e-11);
  expect(tight.steps).toBeGreaterThan(loose.steps);
});

test("what cannot be integrated is refused", () => {
  const field = geodesicField(exampleMetric);
  const shoot = (velocity: Float64Array, maxSteps: number) => () =>
    shootGeodesic(field, new Float64Array(2), velocity, { maxSteps });
  expect(shoot(Float64Array.of(20, 30), 3)).toThrow("in 3 steps; raise maxSteps");
  expect(shoot(new Float64Array(3), 10)).toThrow(MetricError);
  expect(() => exponentialMap(field, new Float64Array(4), new Float64Array(2))).toThrow("got 4 and 2 numbers");
});

function expectClose(actual: Float64Array, expected: readonly number[], places: number): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => expect(value).toBeCloseTo(expected[i], places));
}
