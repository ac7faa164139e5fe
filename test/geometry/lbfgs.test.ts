// The minimiser on functions whose minimum is known.

import { expect, test } from "bun:test";
import { minimise, type Objective } from "@cleanloop/geometry";

/** Least value 1, at (1, ..., 1): the tolerance is a share of the value, so it must not vanish. */
const rosenbrock: Objective = (x, gradient) => {
  gradient.fill(0);
  let value = 1;
  for (let i = 0; i + 1 < x.length; i++) {
    const gap = x[i + 1] - x[i] ** 2;
    value += 100 * gap ** 2 + (1 - x[i]) ** 2;
    gradient[i] += -400 * gap * x[i] - 2 * (1 - x[i]);
    gradient[i + 1] += 200 * gap;
  }
  return value;
};

test("Rosenbrock's valley in 10 dimensions leads to (1, ..., 1)", () => {
  const start = Float64Array.from({ length: 10 }, (_, i) => (i % 2 ? 1 : -1.2));
  const { x, value, converged } = minimise(rosenbrock, start);
  expect(converged).toBe(true);
  expect(value).toBeCloseTo(1, 14);
  x.forEach((coordinate) => expect(coordinate).toBeCloseTo(1, 7));
});

test("a quadratic is solved at once when the preconditioner is its Hessian", () => {
  const hessian = Float64Array.of(1, 1e3, 1e6);
  const quadratic: Objective = (x, gradient) => {
    gradient.set(x.map((value, i) => hessian[i] * (value - i)));
    return 1 + x.reduce((sum, value, i) => sum + 0.5 * hessian[i] * (value - i) ** 2, 0);
  };
  const precondition = (vector: Float64Array) => vector.set(vector.map((value, i) => value / hessian[i]));
  const { x, iterations, converged } = minimise(quadratic, Float64Array.of(5, 5, 5), { precondition });
  expect(converged).toBe(true);
  expect(iterations).toBeLessThanOrEqual(2);
  x.forEach((value, i) => expect(value).toBeCloseTo(i, 12));
  minimise(quadratic, Float64Array.of(5, 5, 5)).x.forEach((value, i) => expect(value).toBeCloseTo(i, 6));
});

test("never goes up, and says so when it ran out of steps", () => {
  const start = Float64Array.of(-1.2, 1);
  let previous = rosenbrock(start, new Float64Array(2));
  for (const maxIterations of [1, 2, 4, 8, 16]) {
    const { value, converged, iterations } = minimise(rosenbrock, start, { maxIterations });
    expect(value).toBeLessThan(previous);
    expect(converged).toBe(false);
    expect(iterations).toBe(maxIterations);
    previous = value;
  }
});

test("a start at the minimum is returned; steps into NaN are drawn back", () => {
  expect(minimise(rosenbrock, Float64Array.of(1, 1))).toMatchObject({ iterations: 0, converged: true });
  const withWall: Objective = ([x], gradient) => {
    gradient[0] = 1 - 1 / x;
    return x - Math.log(x); // NaN below 0
  };
  expect(minimise(withWall, Float64Array.of(20)).x[0]).toBeCloseTo(1, 7);
});
