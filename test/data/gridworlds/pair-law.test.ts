// The law of replay pairs: NumPy's numbers, sums written out, and the eigenvalues that theory promises.

import { expect, test } from "bun:test";
import {
  collectRollouts,
  createGridworld,
  DataError,
  datasetSpectrum,
  exactBatch,
  exactSpectrum,
  expectedPairLaw,
  laplacianEigenvalue,
  meanLaplacian,
  namedLayout,
  pairLaw,
  rolloutChunks,
} from "@cleanloop/data";
import type { PairLaw, Rollouts, Spectrum } from "@cleanloop/data";

const room4 = createGridworld(namedLayout("room4"));

/** Three episodes over five states; the last state never occurs. */
const FEW: Rollouts = {
  stateCount: 5,
  episodes: 3,
  length: 4,
  states: Uint16Array.of(0, 1, 2, 2, 1, 3, 2, 3, 3, 2, 1, 0, 0, 1, 3),
};

function expectClose(got: ArrayLike<number>, wanted: readonly number[], digits: number): void {
  expect(got.length).toBe(wanted.length);
  wanted.forEach((value, index) => expect(got[index]).toBeCloseTo(value, digits));
}

/** The law by its definition: every start, every offset. */
function writtenOut({ stateCount: n, episodes, length, states }: Rollouts, gamma: number): Float64Array {
  const joint = new Float64Array(n * n);
  for (let episode = 0; episode < episodes; episode++) {
    for (let time = 0; time < length; time++) {
      const weights = Array.from({ length: length - time }, (_, i) => (gamma === 0 && i > 0 ? 0 : gamma ** i));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      const at = episode * (length + 1) + time;
      weights.forEach((weight, i) => {
        joint[states[at] * n + states[at + 1 + i]] += weight / total / (episodes * length);
      });
    }
  }
  return joint;
}

/** Mean over the columns of |cos| with the exact eigenvectors. */
function meanCosine(found: Spectrum, exact: Spectrum): number {
  const d = exact.eigenvalues.length;
  let sum = 0;
  for (let column = 0; column < d; column++) {
    let dot = 0;
    for (let state = 0; state < exact.stateCount; state++) {
      dot += found.eigenvectors[state * d + column] * exact.eigenvectors[state * d + column];
    }
    sum += Math.abs(dot) / d;
  }
  return sum;
}

test("three episodes, gamma .5: joint law, visits and both targets as NumPy computes them", () => {
  const law = pairLaw([FEW], 0.5);
  expectClose(
    law.joint,
    [
      [0.047619047619047616, 0.12936507936507935, 0.03333333333333333, 0.03968253968253968, 0],
      [0.06666666666666667, 0.023015873015873017, 0.07142857142857142, 0.08888888888888888, 0],
      [0, 0.1111111111111111, 0.06746031746031746, 0.07142857142857142, 0],
      [0, 0, 0.1611111111111111, 0.08888888888888888, 0],
      [0, 0, 0, 0, 0],
    ].flat(),
    15,
  );
  expectClose(law.visits, [0.2, 4 / 15, 4 / 15, 4 / 15, 0], 15);
  expectClose(law.first, [0.25, 0.25, 0.25, 0.25, 0], 15);

  const visits = datasetSpectrum(law, 4, "visits");
  expectClose(visits.eigenvalues, [0, 0.5955706578256725, 1.1074519389239286, 1.363941688964685], 13);
  const columns = [
    [0.5, 0.5, 0.5, 0.5, 0],
    [0.746903617849472, 0.276085548440797, -0.328010506742108, -0.508252755085793, 0],
    [0.469841963531302, -0.452868302510439, -0.483193567475802, 0.583680397337765, 0],
    [-0.420222645486293, 0.639379651880179, -0.587576463276254, 0.263363795510795, 0],
  ];
  expectClose(visits.eigenvectors, [0, 1, 2, 3, 4].flatMap((state) => columns.map((column) => column[state])), 12);
  const first = datasetSpectrum(law, 4, "first");
  expectClose(first.eigenvalues, [0, 0.545811028801264, 1.129597828549394, 1.4166546347128346], 13);
  expect(() => datasetSpectrum(law, 5, "first")).toThrow("only 4 of 5 states have any weight");
});

test("any gamma, stored or streamed: the sum over all starts and offsets", () => {
  const options = { episodes: 30000, length: 40, seed: 5 };
  const small = createGridworld(namedLayout("GridMaze-7"));
  const few = collectRollouts(small, { ...options, episodes: 50 });
  for (const gamma of [0, 0.2, 0.9, 1]) {
    const { joint, first, second, stateCount: n } = pairLaw([few], gamma);
    expectClose(joint, [...writtenOut(few, gamma)], 15);
    for (let state = 0; state < n; state++) {
      const range = Array.from({ length: n }, (_, other) => other);
      expect(first[state]).toBeCloseTo(range.reduce((sum, other) => sum + joint[state * n + other], 0), 15);
      expect(second[state]).toBeCloseTo(range.reduce((sum, other) => sum + joint[other * n + state], 0), 15);
    }
  }
  const long = collectRollouts(createGridworld(namedLayout("open:3x4")), { episodes: 2, length: 400, seed: 6 });
  for (const gamma of [0.6, 0.99]) expectClose(pairLaw([long], gamma).joint, [...writtenOut(long, gamma)], 15);
  const streamed = pairLaw(rolloutChunks(small, options), 0.9);
  const stored = pairLaw([collectRollouts(small, options)], 0.9);
  expect(streamed).toEqual(stored);
});

test("endless data with doors: NumPy's matrix powers", () => {
  const world = createGridworld(namedLayout("room4"), { doors: { count: 5, seed: 42 } });
  const law = expectedPairLaw(world, { gamma: 0.9, horizon: 50 });
  const cells: [number, number, number][] = [
    [0, 1, 0.0015814753610959489],
    [5, 5, 0.002141038248416052],
    [50, 60, 5.2564757645960964e-5],
    [103, 90, 0.0001326880235574232],
  ];
  for (const [row, column, value] of cells) expect(law.joint[row * 104 + column]).toBeCloseTo(value, 15);
  expectClose([law.visits[0], law.visits[50]], [0.010809771542853983, 0.009575811534260228], 15);
  expectClose([law.first[0], law.first[50]], [0.010798172595515066, 0.0095768033456072], 15);
  expectClose(
    datasetSpectrum(law, 6, "visits").eigenvalues,
    [0, 0.03833122285750479, 0.04344928482579905, 0.0868171375395427, 0.3335858164793697, 0.3495688204158791],
    12,
  );
  expectClose(
    datasetSpectrum(law, 6, "first").eigenvalues,
    [0, 0.038317572143109574, 0.04347051327223769, 0.08683649884470708, 0.333794050384091, 0.34939070892860685],
    12,
  );
});

test("endless data of a symmetric walk: the walk's eigenvectors with the sampler's eigenvalues", () => {
  for (const sampling of [{ gamma: 0.9, horizon: 50 }, { gamma: 0.2, horizon: 1000 }, { gamma: 1, horizon: 7 }]) {
    const law = expectedPairLaw(room4, sampling);
    const exact = exactSpectrum(room4, 11);
    const found = datasetSpectrum(law, 11, "visits");
    exact.eigenvalues.forEach((value, k) => {
      expect(Math.abs(found.eigenvalues[k] - laplacianEigenvalue(value, sampling))).toBeLessThan(1e-12);
    });
    expect(meanCosine(found, exact)).toBeGreaterThan(1 - 1e-12);
    expectClose(found.eigenvectors, [...exact.eigenvectors], 9); // signs included
  }
});

test("a million transitions: close to endless data, and as near to the exact eigenvectors as is published", () => {
  const law = pairLaw(rolloutChunks(room4, { episodes: 20000, length: 50, seed: 0 }), 0.9);
  const expected = expectedPairLaw(room4, { gamma: 0.9, horizon: 50 });
  const distance = law.joint.reduce((sum, value, cell) => sum + Math.abs(value - expected.joint[cell]), 0) / 2;
  expect(distance).toBeLessThan(0.05);
  const cosine = meanCosine(datasetSpectrum(law, 11, "visits"), exactSpectrum(room4, 11));
  expect(cosine).toBeGreaterThan(0.98); // published for other seeds: .9910 to .9988
  expect(cosine).toBeLessThan(0.9999);
});

test("a disconnected world has the eigenvalue 0 twice, with orthonormal vectors", () => {
  const world = createGridworld(namedLayout("GridMaze-32"));
  const law = pairLaw(rolloutChunks(world, { episodes: 4000, length: 50, seed: 1 }), 0.9);
  const spectrum = datasetSpectrum(law, 3, "visits");
  expect(spectrum.groups).toEqual([[0, 1], [2]]);
  expectClose(spectrum.eigenvalues.slice(0, 2), [0, 0], 13);
  const { eigenvectors } = spectrum;
  let dot = 0;
  for (let state = 0; state < 475; state++) dot += eigenvectors[state * 3] * eigenvectors[state * 3 + 1];
  expect(Math.abs(dot)).toBeLessThan(1e-12);
});

test("the mean Laplacian is the expected squared difference; the exact batch holds it in single precision", () => {
  const law = pairLaw([FEW], 0.5);
  const features = [0.3, -1.2, 0.7, 2.5, 9];
  const sumOver = (term: (row: number, column: number, cell: number) => number) =>
    law.joint.reduce((sum, _, cell) => sum + term(Math.floor(cell / 5), cell % 5, cell), 0);
  const quadratic = (laplacian: ArrayLike<number>) =>
    sumOver((row, column, cell) => features[row] * features[column] * laplacian[cell]);
  const direct = sumOver((row, column, cell) => law.joint[cell] * (features[row] - features[column]) ** 2);
  expect(quadratic(meanLaplacian(law))).toBeCloseTo(direct, 13);
  const batch = exactBatch(law);
  expect(quadratic(batch.laplacian)).toBeCloseTo(direct, 5);
  expect(batch.first).toEqual(Float32Array.from(law.first));
});

test("no data, mixed data, gamma outside [0, 1] and worlds too large for dense matrices are refused", () => {
  const fail = (work: () => PairLaw, message: string) => {
    expect(work).toThrow(DataError);
    expect(work).toThrow(message);
  };
  fail(() => pairLaw([], 0.5), "no episodes");
  fail(() => pairLaw([FEW], 1.5), "gamma 1.5");
  fail(() => pairLaw([FEW, { ...FEW, episodes: 5, length: 2 }], 0.5), "wanted the same throughout");
  const large = createGridworld(namedLayout("open:50x50"));
  fail(() => pairLaw(rolloutChunks(large, { episodes: 1, length: 5, seed: 1 }), 0.5), "use a ReplaySampler");
  fail(() => expectedPairLaw(large, { gamma: 0.5, horizon: 5 }), "got 2500 states");
  fail(() => expectedPairLaw(room4, { gamma: 0.5, horizon: Infinity }), "Infinity transitions");
});
