// Eigenvalues that a sampler realises: published values, direct summation, and the way back.

import { expect, test } from "bun:test";
import {
  createGridworld,
  DataError,
  exactSpectrum,
  laplacianEigenvalue,
  laplacianEigenvalues,
  namedLayout,
  transitionEigenvalue,
  transitionEigenvalues,
} from "@cleanloop/data";
import type { OffsetSampling } from "@cleanloop/data";
import { offsetProbabilities } from "../../../lib/data/gridworlds/sampled-operator.ts";

/** 1 - (1/T) sum over N of [sum g^i x^(i+1)] / [sum g^i], i < N, as it is written down. */
function summed(x: number, { gamma, horizon }: OffsetSampling): number {
  let total = 0;
  for (let left = 1; left <= horizon; left++) {
    let [above, below] = [0, 0];
    for (let i = 0; i < left; i++) {
      above += gamma ** i * x ** (i + 1);
      below += gamma ** i;
    }
    total += above / below;
  }
  return 1 - total / horizon;
}

test("room4: the Laplacian eigenvalues of both published samplers", () => {
  const walk = exactSpectrum(createGridworld(namedLayout("room4")), 11).eigenvalues;
  const rows: [OffsetSampling, string][] = [
    [
      { gamma: 0.2, horizon: 1000 },
      "0 .0071450 .0084696 .0174826 .0874018 .1076091 .1124697 .1148803 .1243286 .1308119",
    ],
    [
      { gamma: 0.9, horizon: 50 },
      "0 .0397381 .0468188 .0928013 .3537897 .4074823 .4193772 .4251424 .4469265 .4611663 .4934866",
    ],
  ];
  for (const [sampling, published] of rows) {
    const values = laplacianEigenvalues(walk, sampling);
    published.split(" ").forEach((value, k) => expect(Math.abs(values[k] - Number(value))).toBeLessThan(6e-8));
  }
});

test("finite episodes: the polynomial equals the double sum; offsets have total probability one", () => {
  for (const gamma of [0, 0.2, 0.9, 0.99, 1]) {
    for (const horizon of [1, 2, 7, 50]) {
      const sampling = { gamma, horizon };
      expect(offsetProbabilities(sampling).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 14);
      for (const x of [-1, -0.3, 0, 0.5, 0.994, 1]) {
        expect(laplacianEigenvalue(x, sampling)).toBeCloseTo(summed(x, sampling), 13);
      }
    }
  }
});

test("long episodes: (1 - x) / (1 - gamma x), which finite ones approach, and which is its own inverse", () => {
  for (const gamma of [0, 0.2, 0.9]) {
    const endless = { gamma, horizon: Infinity };
    for (const x of [-0.8, 0.3, 0.99427, 1]) {
      expect(laplacianEigenvalue(x, endless)).toBeCloseTo((1 - x) / (1 - gamma * x), 15);
      expect(laplacianEigenvalue(x, { gamma, horizon: 20000 })).toBeCloseTo((1 - x) / (1 - gamma * x), 2);
      expect(transitionEigenvalue(laplacianEigenvalue(x, endless), endless)).toBeCloseTo(x, 12);
    }
  }
});

test("T21: a dual at its fixed point -2 (1 - x) / (1 - gamma x) gives x back; the k >= 0 formula does not", () => {
  const gamma = 0.2;
  for (const x of [1, 0.99427, 0.93, 0.912, 0.5]) {
    const dual = (-2 * (1 - x)) / (1 - gamma * x);
    expect(Math.abs(transitionEigenvalue(-dual / 2, { gamma, horizon: Infinity }) - x)).toBeLessThan(1e-12);
  }
  const other = (0.2 + -0.0874) / (0.2 * (1 + -0.0874)); // x = dual / 2 for the eigenvalue .92882
  expect(Math.abs(other - 0.92882)).toBeGreaterThan(0.3);
});

test("finite episodes: the inverse returns to 1e-12 wherever the map is monotone, and beyond 1", () => {
  for (const sampling of [
    { gamma: 0.2, horizon: 1000 },
    { gamma: 0.9, horizon: 50 },
    { gamma: 0.9, horizon: 1000 },
    { gamma: 1, horizon: 10 },
    { gamma: 0, horizon: 3 },
  ]) {
    const values = [1.002, 1, 0.99999, 0.99427, 0.9, 0.5, 0.2, 0, -0.11155];
    const back = transitionEigenvalues(laplacianEigenvalues(values, sampling), sampling);
    values.forEach((value, k) => expect(Math.abs(back[k] - value)).toBeLessThan(1e-12));
  }
});

test("the map decreases on [-1, 1]; what lies beyond -1 is answered by -1, what is no number by none", () => {
  for (const gamma of [0, 0.5, 0.9, 1]) {
    for (const horizon of [2, 3, 8, 50, 501]) {
      const values = laplacianEigenvalues(Array.from({ length: 401 }, (_, k) => -1 + k / 200), { gamma, horizon });
      for (let k = 1; k < values.length; k++) expect(values[k]).toBeLessThan(values[k - 1]);
      expect(transitionEigenvalue(values[0] + 0.1, { gamma, horizon })).toBe(-1);
    }
  }
  for (const horizon of [50, Infinity]) expect(transitionEigenvalue(NaN, { gamma: 0.9, horizon })).toBeNaN();
  expect(transitionEigenvalue(-Infinity, { gamma: 0.9, horizon: 50 })).toBeNaN();
});

test("samplings that do not exist are refused", () => {
  for (const sampling of [
    { gamma: -0.1, horizon: 5 },
    { gamma: 1.1, horizon: 5 },
    { gamma: NaN, horizon: 5 },
    { gamma: 0.5, horizon: 0 },
    { gamma: 0.5, horizon: 2.5 },
    { gamma: 1, horizon: Infinity },
  ]) {
    expect(() => laplacianEigenvalue(0.5, sampling)).toThrow(DataError);
    expect(() => transitionEigenvalue(0.5, sampling)).toThrow(DataError);
  }
});
