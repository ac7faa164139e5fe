// The metric on planes and carried grids: differences against polynomials, planes against points, spheres against 1/R².

import { describe, expect, test } from "bun:test";
import {
  differentiateOnGrid,
  embedPoints,
  evaluatePlane,
  evaluateSurface,
  gridCoordinates,
  gridCurvature,
  logDetMetric,
  metricTensor,
  MetricError,
  pca,
  pullbackMetric,
  type Grid,
  type Metric,
  type Subspace,
} from "@cleanloop/geometry";
import { diagonalMetric, exampleMetric, fullMetric, normals } from "./examples.ts";

const grid: Grid = { columns: 9, rows: 7, uRange: [-1, 2], vRange: [0.5, 1.5] };

describe("grids", () => {
  test("u runs fastest, and both ends are points", () => {
    const coordinates = gridCoordinates(grid);
    expect(coordinates.length).toBe(2 * 63);
    expectClose(coordinates.subarray(0, 4), [-1, 0.5, -0.625, 0.5], 15);
    expectClose(coordinates.subarray(16, 20), [2, 0.5, -1, 0.5 + 1 / 6], 15);
    expectClose(coordinates.subarray(-2), [2, 1.5], 15);
  });

  test("differences are exact for polynomials of degree 4, at the borders too", () => {
    const values = onGrid(grid, (u, v) => [u ** 4 - 2 * u * v ** 3, v ** 4 + u ** 3 * v]);
    const alongU = onGrid(grid, (u, v) => [4 * u ** 3 - 2 * v ** 3, 3 * u * u * v]);
    const alongV = onGrid(grid, (u, v) => [-6 * u * v * v, 4 * v ** 3 + u ** 3]);
    expectClose(differentiateOnGrid(values, grid, "u", 2), [...alongU], 11);
    expectClose(differentiateOnGrid(values, grid, "v", 2), [...alongV], 11);
  });

  test("grids that cannot be differentiated are refused", () => {
    expect(() => gridCoordinates({ ...grid, rows: 4 })).toThrow("got a grid of 9 × 4 points, wanted at least 5");
    expect(() => gridCoordinates({ ...grid, uRange: [1, 1] })).toThrow("got the range 1 to 1");
    expect(() => differentiateOnGrid(new Float64Array(62), grid, "u")).toThrow(MetricError);
  });

  test("the half-plane metric known on a grid alone has the curvature -1, in fourth order", () => {
    const errors = [20, 40].map((count) => {
      const fine = { ...grid, columns: count + 1, rows: count + 1 };
      const curvature = gridCurvature(onGrid(fine, (_, v) => [1 / v ** 2, 0, 0, 1 / v ** 2]), fine);
      return Math.abs(curvature[(count / 2) * (count + 1) + count / 2] + 1);
    });
    expect(errors[1]).toBeLessThan(1e-4);
    expect(Math.log2(errors[0] / errors[1])).toBeGreaterThan(3.7);
  });
});

describe("planes", () => {
  test("the plane of both axes shows the published curvatures and log determinants", () => {
    const axes = Float64Array.of(1, 0, 0, 1);
    const plane: Subspace = { dimension: 2, count: 2, mean: Float64Array.of(0.1, 0), components: axes };
    const { curvature, logDet } = evaluatePlane(exampleMetric, plane, Float64Array.of(0.2, 0.2, 1.4, -0.4));
    expectClose(curvature, [-1.205740672839, -0.510150471498], 11);
    expectClose(logDet, [-0.219903463347, 3.070664818992], 11);
  });

  test.each([
    ["full", fullMetric(6, 5)],
    ["diagonal", diagonalMetric(16, 8)],
  ])("%s: V G Vᵀ and log det G at the points of a principal plane; the carried grid agrees", (_, metric) => {
    const { dimension } = metric;
    const plane = pca(normals(2, 40 * dimension), dimension, 2);
    const window: Grid = { columns: 41, rows: 41, uRange: [-1, 1], vRange: [-1, 1] };
    const coordinates = gridCoordinates(window);
    const points = embedPoints(plane, coordinates);
    const field = evaluatePlane(metric, plane, coordinates);
    expectClose(field.logDet, [...logDetMetric(metric, points)], 10);
    expectClose(field.tensor, [...pullbackMetric(metricTensor(metric, points), plane.components, dimension, 2)], 10);

    const tangents = Float64Array.from({ length: 2 * points.length }, (_, i) => plane.components[i % (2 * dimension)]);
    for (const known of [tangents, undefined]) {
      const carried = evaluateSurface(metric, points, window, known);
      expectClose(carried.logDet, [...field.logDet], 10);
      expectClose(carried.tensor, [...field.tensor], 10);
      carried.curvature.forEach((value, i) => expect(Math.abs(value - field.curvature[i])).toBeLessThan(2e-3));
    }
  });
});

describe("carried grids", () => {
  /** G = 4 I everywhere. */
  const flat: Metric = {
    kind: "diagonal",
    count: 1,
    dimension: 3,
    centroids: new Float64Array(3),
    matrices: Float64Array.of(0.15, 0.15, 0.15),
    temperature: 1e9,
    lambda: 0.1,
  };
  const patch: Grid = { columns: 61, rows: 61, uRange: [0.6, 1.4], vRange: [0, 0.8] };

  test("a sphere of radius 1.7 in flat space with G = 4 I has the curvature 1 / (4 · 1.7²)", () => {
    const points = onGrid(patch, (u, v) => [
      1.7 * Math.sin(u) * Math.cos(v), 1.7 * Math.sin(u) * Math.sin(v), 1.7 * Math.cos(u),
    ]);
    const { curvature, tensor, logDet } = evaluateSurface(flat, points, patch);
    curvature.forEach((value) => expect(value).toBeCloseTo(1 / (4 * 1.7 ** 2), 3));
    const middle = 30 * 61 + 30;
    expect(curvature[middle]).toBeCloseTo(1 / (4 * 1.7 ** 2), 7);
    expectClose(tensor.subarray(4 * middle, 4 * middle + 4), [4 * 1.7 ** 2, 0, 0, (2 * 1.7 * Math.sin(1)) ** 2], 5);
    expect(logDet[0]).toBeCloseTo(3 * Math.log(4), 12);
  });

  test("bending a sheet without stretching it leaves it flat; a point has no curvature", () => {
    const cylinder = onGrid(patch, (u, v) => [Math.cos(2 * u), Math.sin(2 * u), 3 * v]);
    evaluateSurface(flat, cylinder, patch).curvature.forEach((value) => expect(value).toBeCloseTo(0, 3));
    const { curvature } = evaluateSurface(flat, new Float64Array(61 * 61 * 3), patch);
    expect(curvature.every(Number.isNaN)).toBe(true);
  });

  test("sizes that do not fit are refused", () => {
    const plane = pca(normals(1, 30), 3, 3);
    const tooMany = () => evaluatePlane(flat, plane, new Float64Array(2));
    expect(tooMany).toThrow("got 3 directions of 3 coordinates, wanted 2 of 3");
    expect(() => evaluateSurface(flat, new Float64Array(9), patch)).toThrow("got 3 points, wanted 61 × 61 points");
  });
});

function onGrid(on: Grid, of: (u: number, v: number) => number[]): Float64Array {
  const coordinates = gridCoordinates(on);
  return Float64Array.from(
    Array.from({ length: on.columns * on.rows }, (_, i) => of(coordinates[2 * i], coordinates[2 * i + 1])).flat(),
  );
}

function expectClose(actual: Float64Array, expected: readonly number[], digits: number): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => expect(value).toBeCloseTo(expected[i], digits));
}
