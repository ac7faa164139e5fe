// The eigensolver alone, on matrices whose eigenvalues are known: path graphs, projections, blocks, extreme sizes.

import { expect, test } from "bun:test";
import { Random } from "@cleanloop/data";
import { largestEigenpairs } from "../../../lib/data/gridworlds/symmetric-eigen.ts";

/** Largest |A v - lambda v| and largest deviation of the vectors' scalar products from the identity. */
function errors(matrix: Float64Array, n: number, { values, vectors }: ReturnType<typeof largestEigenpairs>) {
  let residual = 0;
  let product = 0;
  vectors.forEach((vector, index) => {
    for (let row = 0; row < n; row++) {
      let entry = -values[index] * vector[row];
      for (let column = 0; column < n; column++) entry += matrix[row * n + column] * vector[column];
      residual = Math.max(residual, Math.abs(entry));
    }
    for (const other of vectors) {
      const dot = vector.reduce((sum, value, row) => sum + value * other[row], 0);
      product = Math.max(product, Math.abs(dot - (other === vector ? 1 : 0)));
    }
  });
  return { residual, product };
}

test("path graph: 2 cos(pi k / (n + 1)), all of them", () => {
  const n = 60;
  const isEdge = (cell: number) => Math.abs(Math.floor(cell / n) - (cell % n)) === 1;
  const matrix = Float64Array.from({ length: n * n }, (_, cell) => (isEdge(cell) ? 1 : 0));
  const pairs = largestEigenpairs(matrix, n, n, 1e-9);
  pairs.values.forEach((value, k) => expect(value).toBeCloseTo(2 * Math.cos((Math.PI * (k + 1)) / (n + 1)), 13));
  const { residual, product } = errors(matrix, n, pairs);
  expect(residual).toBeLessThan(1e-13);
  expect(product).toBeLessThan(1e-12);
});

test("dense matrices with multiplicities of 1, 2 and 7: eigenspaces complete, orthonormal to 1e-12", () => {
  const n = 80;
  const random = new Random(5);
  const spectrum = [4, 2, 2, 1 + 1e-6, 1, 1, 1, 1, 1, 1, 1, ...Array.from({ length: n - 11 }, () => random.uniform())];
  const matrix = withSpectrum(spectrum, random);
  const pairs = largestEigenpairs(matrix, n, 6, 1e-9);
  expect(pairs.vectors.length).toBe(11); // six asked for, and the rest of the seven-fold one
  pairs.values.forEach((value, k) => expect(value).toBeCloseTo(spectrum[k], 12));
  const { residual, product } = errors(matrix, n, pairs);
  expect(residual).toBeLessThan(1e-12);
  expect(product).toBeLessThan(1e-12);
});

test("uncoupled blocks, scalar matrices, the zero matrix, one row, tiny and huge entries", () => {
  const identity = Float64Array.from({ length: 36 }, (_, cell) => (cell % 7 === 0 ? 3 : 0));
  for (const scale of [0, 1, 1e-140, 1e140]) {
    const matrix = identity.map((value) => value * scale);
    const pairs = largestEigenpairs(matrix, 6, 2, 1e-9 * (scale || 1));
    expect(Array.from(pairs.values)).toHaveLength(6);
    const { residual, product } = errors(matrix, 6, pairs);
    expect(residual).toBeLessThan(1e-14 * (scale || 1));
    expect(product).toBeLessThan(1e-14);
  }
  const one = largestEigenpairs(Float64Array.of(-2), 1, 1, 1e-9);
  expect(one.values[0]).toBeCloseTo(-2, 14);
  expect(Math.abs(one.vectors[0][0])).toBe(1);
  // Two equal blocks [[0, 1], [1, 0]]: eigenvalues 1, 1, -1, -1.
  const blocks = Float64Array.of(0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0);
  const pairs = largestEigenpairs(blocks, 4, 4, 1e-9);
  [1, 1, -1, -1].forEach((value, k) => expect(pairs.values[k]).toBeCloseTo(value, 15));
  expect(errors(blocks, 4, pairs).product).toBeLessThan(1e-14);
});

/** A symmetric matrix with these eigenvalues: a diagonal one under a few random reflections. */
function withSpectrum(spectrum: readonly number[], random: Random): Float64Array {
  const n = spectrum.length;
  const matrix = Float64Array.from({ length: n * n }, (_, cell) => (cell % (n + 1) === 0 ? spectrum[cell % n] : 0));
  for (let reflection = 0; reflection < 3; reflection++) {
    const v = random.normals(new Float64Array(n));
    const scale = 2 / v.reduce((sum, value) => sum + value * value, 0);
    for (const isColumn of [false, true]) {
      const at = (i: number, j: number) => (isColumn ? j * n + i : i * n + j);
      for (let j = 0; j < n; j++) {
        let dot = 0;
        for (let i = 0; i < n; i++) dot += matrix[at(i, j)] * v[i];
        for (let i = 0; i < n; i++) matrix[at(i, j)] -= scale * dot * v[i];
      }
    }
  }
  return matrix.map((value, cell) => (value + matrix[(cell % n) * n + Math.floor(cell / n)]) / 2);
}
