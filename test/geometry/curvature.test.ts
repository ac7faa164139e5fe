// Curvature against published values, the model spaces, conformal metrics, and one formula against the other.

import { describe, expect, test } from "bun:test";
import {
  createJetEvaluator,
  gaussianCurvatureOfJet,
  scalarCurvature,
  scalarCurvatureOfJet,
  type MetricJet,
} from "@cleanloop/geometry";
import { diagonalMetric, exampleMetric, fullMetric, normals } from "./examples.ts";

test.each([
  [0.3, 0.2, -1.205740672839],
  [1.5, -0.4, -0.510150471498],
])("three centroids in the plane: the published curvature at (%d, %d)", (x, y, expected) => {
  const { jet, evaluate } = createJetEvaluator(exampleMetric, 2);
  evaluate(Float64Array.of(x, y));
  expect(gaussianCurvatureOfJet(jet)).toBeCloseTo(expected, 11);
  expect(scalarCurvatureOfJet(jet)).toBeCloseTo(2 * expected, 11);
  expect(scalarCurvature(exampleMetric, Float64Array.of(x, y))[0]).toBeCloseTo(2 * expected, 11);
});

describe("model spaces", () => {
  test.each([
    ["flat, constant and skew", constantJet([2, 0.5, 0.5, 1]), 0],
    ["half-plane I / y²", conformalJet(2, 1.3 ** -2, [0, -2 * 1.3 ** -3], [0, 0, 0, 6 * 1.3 ** -4]), -1],
    ["sphere of radius 1.7, stereographic", stereographicJet(2, 1.7, [0.4, -0.9]), 1.7 ** -2],
    ["sphere of radius 1.7, polar: R² dθ² + R² sin²θ dφ²", polarSphereJet(1.7, 0.8), 1.7 ** -2],
  ])("%s", (_, jet, expected) => {
    expect(gaussianCurvatureOfJet(jet)).toBeCloseTo(expected, 12);
    expect(scalarCurvatureOfJet(jet)).toBeCloseTo(2 * expected, 12);
  });

  test("e^2φ I has the curvature -e^-2φ Δφ", () => {
    // φ = 0.3 x² - 0.2 x y + sin y at (0.7, 0.4)
    const [x, y] = [0.7, 0.4];
    const scale = Math.exp(2 * (0.3 * x * x - 0.2 * x * y + Math.sin(y)));
    const [px, py] = [0.6 * x - 0.2 * y, -0.2 * x + Math.cos(y)];
    const [pxx, pxy, pyy] = [0.6, -0.2, -Math.sin(y)];
    const second = [4 * px * px + 2 * pxx, 4 * px * py + 2 * pxy, 4 * px * py + 2 * pxy, 4 * py * py + 2 * pyy];
    const jet = conformalJet(2, scale, [2 * px * scale, 2 * py * scale], second.map((value) => value * scale));
    expect(gaussianCurvatureOfJet(jet)).toBeCloseTo(-(pxx + pyy) / scale, 12);
    expect(scalarCurvatureOfJet(jet)).toBeCloseTo((-2 * (pxx + pyy)) / scale, 12);
  });

  test("the n-sphere of radius R has the scalar curvature n (n - 1) / R²", () => {
    for (const n of [3, 4]) {
      const jet = stereographicJet(n, 1.7, [0.4, -0.9, 0.2, 0.5].slice(0, n));
      expect(scalarCurvatureOfJet(jet)).toBeCloseTo((n * (n - 1)) / 1.7 ** 2, 11);
    }
  });
});

describe("Gaussian kernels", () => {
  test.each([
    ["D = 2, full", fullMetric(2, 5)],
    ["D = 3, diagonal", diagonalMetric(3, 5)],
    ["D = 6, full", fullMetric(6, 5)],
  ])("%s: the sum over kernels is the contraction of all second derivatives", (_, metric) => {
    const { dimension } = metric;
    const points = normals(4, 3 * dimension);
    const { jet, evaluate } = createJetEvaluator(metric, 2);
    scalarCurvature(metric, points).forEach((value, row) => {
      evaluate(points.slice(row * dimension, (row + 1) * dimension));
      expect(value / scalarCurvatureOfJet(jet)).toBeCloseTo(1, 9);
      if (dimension === 2) expect(value / gaussianCurvatureOfJet(jet)).toBeCloseTo(2, 9);
    });
  });

  test("a kernel too wide to vary makes flat space", () => {
    const points = normals(6, 9);
    const wide = scalarCurvature({ ...fullMetric(3, 4), temperature: 1e9 }, points);
    wide.forEach((value) => expect(value).toBeCloseTo(0, 12));
  });

  test("a change of basis of the plane leaves the curvature as it is", () => {
    const metric = fullMetric(4, 5);
    const [v, w] = [normals(1, 4), normals(2, 4)];
    const along = (first: Float64Array, second: Float64Array) => {
      const { jet, evaluate } = createJetEvaluator(metric, 2, Float64Array.of(...first, ...second));
      evaluate(normals(3, 4));
      return gaussianCurvatureOfJet(jet);
    };
    const turned = along(v.map((value, i) => 2 * value - 0.3 * w[i]), w.map((value, i) => value + 0.7 * v[i]));
    expect(turned).toBeCloseTo(along(v, w), 9);
  });

  test("no overflow at D = 128", () => {
    const [curvature] = scalarCurvature({ ...diagonalMetric(128, 3), temperature: 8 }, new Float64Array(128));
    expect(Number.isFinite(curvature)).toBe(true);
    expect(curvature).not.toBe(0);
  });
});

test("jets that lack what curvature needs are refused", () => {
  expect(() => gaussianCurvatureOfJet(stereographicJet(3, 1, [0, 0, 0]))).toThrow("got a jet of size 3");
  expect(() => scalarCurvatureOfJet(createJetEvaluator(exampleMetric, 1).jet)).toThrow("got 0 second derivatives");
});

function constantJet(tensor: number[]): MetricJet {
  const size = Math.sqrt(tensor.length);
  const [first, second] = [new Float64Array(size ** 3), new Float64Array(size ** 4)];
  return { size, tensor: Float64Array.from(tensor), first, second };
}

/** s I with the gradient [n] and Hessian [n, n] of s. */
function conformalJet(n: number, scale: number, gradient: number[], hessian: number[]): MetricJet {
  const spread = (values: readonly number[]) => {
    return Float64Array.from(
      values.flatMap((value) => Array.from({ length: n * n }, (_, i) => (i % (n + 1) ? 0 : value))),
    );
  };
  return { size: n, tensor: spread([scale]), first: spread(gradient), second: spread(hessian) };
}

/** 4 / (1 + |z|² / R²)² I. */
function stereographicJet(n: number, radius: number, z: number[]): MetricJet {
  const base = 1 + z.reduce((sum, value) => sum + value * value, 0) / radius ** 2;
  const slope = -16 / (radius ** 2 * base ** 3);
  const bend = 96 / (radius ** 4 * base ** 4);
  const hessian = z.flatMap((a, i) => z.map((b, j) => bend * a * b + (i === j ? slope : 0)));
  return conformalJet(n, 4 / base ** 2, z.map((value) => slope * value), hessian);
}

function polarSphereJet(radius: number, angle: number): MetricJet {
  const square = radius * radius;
  const jet = constantJet([square, 0, 0, square * Math.sin(angle) ** 2]);
  jet.first[3] = square * Math.sin(2 * angle);
  jet.second[3] = 2 * square * Math.cos(2 * angle);
  return jet;
}
