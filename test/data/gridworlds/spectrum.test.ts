// Exact spectra: closed forms of open rooms, the published eigenvalues of every layout, doors against NumPy.

import { expect, test } from "bun:test";
import { createGridworld, DataError, exactSpectrum, namedLayout, transitionMatrix } from "@cleanloop/data";
import type { Gridworld, Spectrum } from "@cleanloop/data";

/** Leading eigenvalues of P, to the digits that are published. */
const EIGENVALUES: Record<string, string> = {
  "GridRoomSym-4": "1 .99366 .99366 .98671 .90903 .90882 .90882 .90865 .89259 .89105 .89105",
  "GridRoom-1": "1 .98907 .98907 .97815 .95677 .95677 .94585 .94585 .91355 .90451 .90451",
  "GridRoom-16": "1 .99982 .99930 .99843 .99725 .99577 .99402 .99212 .98992 .98756 .98540",
  "GridRoom-32": "1 .99991 .99980 .99956 .99927 .99847 .99818 .99773 .99692 .99675 .99580",
  "GridRoom-64": "1 .99996 .99989 .99982 .99978 .99977 .99961 .99954 .99930 .99899 .99891",
  "GridMaze-7": "1 .97506 .90451 .87927 .72153 .56709 .42002 .34549 .22994 .06864 -.11155",
  "GridMaze-9": "1 .97912 .95048 .89330 .78305 .66150 .61126 .47037 .30984 .20896 .18826",
  "GridMaze-11": "1 .96985 .96985 .96985 .86898 .75 .75 .75 .53911 .41318 .41318",
  "GridMaze-17": "1 .99967 .99870 .99707 .99479 .99187 .98831 .98411 .97928 .97383 .96775",
  "GridMaze-19": "1 .99983 .99935 .99924 .99843 .99736 .99579 .99533 .99395 .99342 .99007",
  "GridMaze-26": "1 .99994 .99962 .99956 .99946 .99936 .99895 .99855 .99824 .99779 .99709",
  "GridMaze-32": "1 1 .99995 .99986 .99958 .99952 .99935 .99929 .99916 .99889 .99833",
};

const GROUPS: Record<string, number[][]> = {
  "GridRoomSym-4": [[0], [1, 2], [3], [4], [5, 6], [7], [8], [9, 10]],
  "GridRoom-1": [[0], [1, 2], [3], [4, 5], [6, 7], [8], [9, 10]],
  "GridMaze-11": [[0], [1, 2, 3], [4], [5, 6, 7], [8], [9, 10, 11]],
  "GridMaze-32": [[0, 1], [2], [3], [4], [5], [6], [7], [8], [9], [10]],
};

/** Columns of a spectrum, the extra ones included. */
function columns({ stateCount, eigenvectors, extraEigenvectors, extraCount, eigenvalues }: Spectrum): Float64Array[] {
  const column = (values: Float64Array, width: number, index: number) =>
    Float64Array.from({ length: stateCount }, (_, state) => values[state * width + index]);
  const d = eigenvalues.length;
  return [
    ...Array.from({ length: d }, (_, index) => column(eigenvectors, d, index)),
    ...Array.from({ length: extraCount }, (_, index) => column(extraEigenvectors, extraCount, index)),
  ];
}

/** Checks P u = lambda u to 1e-10 and, to 1e-12, that the columns are orthonormal. */
function expectEigenvectors(world: Gridworld, spectrum: Spectrum): void {
  const n = world.stateCount;
  const matrix = transitionMatrix(world);
  const vectors = columns(spectrum);
  const values = [...spectrum.eigenvalues, ...spectrum.extraEigenvalues];
  let [residual, product] = [0, 0];
  vectors.forEach((vector, index) => {
    for (let row = 0; row < n; row++) {
      let entry = -values[index] * vector[row];
      for (let column = 0; column < n; column++) entry += matrix[row * n + column] * vector[column];
      residual = Math.max(residual, Math.abs(entry));
    }
    for (const other of vectors.slice(0, index + 1)) {
      const dot = vector.reduce((sum, value, state) => sum + value * other[state], 0);
      product = Math.max(product, Math.abs(dot - (other === vector ? 1 : 0)));
    }
  });
  expect(residual).toBeLessThan(1e-10);
  expect(product).toBeLessThan(1e-12);
}

test("open rooms: every eigenvalue and eigenvector of the closed form", () => {
  for (const [height, width] of [[1, 8], [4, 5], [5, 8]]) {
    const world = createGridworld(namedLayout(`open:${height}x${width}`));
    const n = height * width;
    const matrix = transitionMatrix(world);
    const closed: number[] = [];
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) {
        const value = (Math.cos((Math.PI * i) / height) + Math.cos((Math.PI * j) / width)) / 2;
        closed.push(value);
        const wave = Float64Array.from({ length: n }, (_, cell) => {
          const [row, column] = [Math.floor(cell / width), cell % width];
          return Math.cos((Math.PI * i * (row + 0.5)) / height) * Math.cos((Math.PI * j * (column + 0.5)) / width);
        });
        for (let row = 0; row < n; row++) {
          let moved = 0;
          for (let column = 0; column < n; column++) moved += matrix[row * n + column] * wave[column];
          expect(Math.abs(moved - value * wave[row])).toBeLessThan(1e-14);
        }
      }
    }
    closed.sort((a, b) => b - a);
    const spectrum = exactSpectrum(world, n);
    closed.forEach((value, k) => expect(Math.abs(spectrum.eigenvalues[k] - value)).toBeLessThan(1e-14));
    expectEigenvectors(world, spectrum);
  }
});

test("room4: twelve eigenvalues to 1e-7 and the least one", () => {
  const world = createGridworld(namedLayout("room4"));
  const spectrum = exactSpectrum(world, 104);
  const published =
    "1 .9942741 .9932109 .9859608 .9288151 .9119956 .9079292 .9059095 .8979739 .8925109 .8792184 .8498627";
  published.split(" ").forEach((value, k) => {
    expect(Math.abs(spectrum.eigenvalues[k] - Number(value))).toBeLessThan(1e-7);
  });
  expect(spectrum.eigenvalues[103]).toBeCloseTo(-0.84676, 5);
  expectEigenvectors(world, spectrum);
});

for (const [name, published] of Object.entries(EIGENVALUES)) {
  test(`${name}: published eigenvalues, multiplicities, eigenvectors`, () => {
    const world = createGridworld(namedLayout(name));
    const spectrum = exactSpectrum(world, 11);
    published.split(" ").forEach((value, k) => {
      expect(Math.abs(spectrum.eigenvalues[k] - Number(value))).toBeLessThan(5.1e-6);
    });
    expect(spectrum.groups).toEqual(GROUPS[name] ?? Array.from({ length: 11 }, (_, k) => [k]));
    expect(spectrum.extraCount).toBe(spectrum.groups.flat().length - 11);
    expectEigenvectors(world, spectrum);
  });
}

test("a group that d cuts is completed by extra columns", () => {
  const world = createGridworld(namedLayout("GridRoom-1"));
  const cut = exactSpectrum(world, 2);
  expect([cut.groups, cut.extraCount, cut.extraEigenvectors.length]).toEqual([[[0], [1, 2]], 1, 225]);
  expect(cut.extraEigenvalues[0]).toBeCloseTo(cut.eigenvalues[1], 12);
  expect(exactSpectrum(world, 3).extraCount).toBe(0);
});

test("signs: the first of the largest entries is positive, also where symmetry makes several equal", () => {
  for (const name of ["room4", "GridRoomSym-4", "GridRoom-1", "open:4x5"]) {
    for (const column of columns(exactSpectrum(createGridworld(namedLayout(name)), 5))) {
      const largest = Math.max(...column.map(Math.abs));
      expect(column.find((value) => Math.abs(value) > largest - 1e-9)).toBeGreaterThan(0);
    }
  }
});

test("doors: the symmetrised operator of room4 with five doors, as computed by NumPy", () => {
  const world = createGridworld(namedLayout("room4"), { doors: { count: 5, seed: 42 } });
  const spectrum = exactSpectrum(world, 6);
  const expected = [
    1, 0.9942897544446354, 0.994095005039309, 0.9872779465108087, 0.9374899727618469, 0.9297654061327227,
  ];
  expected.forEach((value, k) => expect(spectrum.eigenvalues[k]).toBeCloseTo(value, 12));
  const second = columns(spectrum)[1];
  expect(second[0]).toBeCloseTo(-0.1485052379225046, 10);
  expect(second[50]).toBeCloseTo(0.07168953871975675, 10);
  expect(second[103]).toBeCloseTo(0.15952702590776577, 10);
});

test("doors that drain states: those have zero entries, and there is no more to find than what remains", () => {
  const drained = { ...namedLayout("open:1x4"), oneWayTiles: [{ cell: 1, action: 1 }] };
  const world = createGridworld(drained); // cells 0 and 1 are left for good, 2 and 3 exchange walkers
  const spectrum = exactSpectrum(world, 2);
  expect(spectrum.eigenvalues[0]).toBeCloseTo(1, 14);
  expect(spectrum.eigenvalues[1]).toBeCloseTo(0.5, 14);
  const half = Math.SQRT1_2;
  [[0, 0, half, half], [0, 0, half, -half]].forEach((entries, k) =>
    entries.forEach((entry, state) => expect(columns(spectrum)[k][state]).toBeCloseTo(entry, 14)),
  );
  expect(() => exactSpectrum(world, 3)).toThrow("only 2 of 4 states");
});

test("d outside 1 to the number of states is refused", () => {
  const world = createGridworld(namedLayout("GridMaze-7"));
  expect(() => exactSpectrum(world, 12)).toThrow("got d = 12 for 11 states, wanted d <= 11");
  for (const d of [0, 1.5, NaN, 12]) expect(() => exactSpectrum(world, d)).toThrow(DataError);
  const large = createGridworld(namedLayout("open:50x50"));
  expect(() => exactSpectrum(large, 5)).toThrow("got 2500 states, wanted at most 2048");
});
