// The two samplers: offsets and pairs against their laws, batches against sums written out, resume.

import { expect, test } from "bun:test";
import {
  collectRollouts,
  CountSampler,
  createGridworld,
  DataError,
  exactBatch,
  exactSpectrum,
  expectedPairLaw,
  laplacianEigenvalue,
  namedLayout,
  packPair,
  PairBatch,
  pairLaw,
  Random,
  ReplaySampler,
} from "@cleanloop/data";
import { aliasTable, drawValues } from "../../../lib/data/gridworlds/alias-table.ts";
import { chiSquareSigmas, meanAndError } from "./statistics.ts";

const room4 = createGridworld(namedLayout("room4"));
const n = room4.stateCount;
const gamma = 0.9;
const rollouts = collectRollouts(room4, { episodes: 20000, length: 50, seed: 1 });
const law = pairLaw([rollouts], gamma);

test("T4: a million offsets with five transitions left", () => {
  const sampler = new ReplaySampler(rollouts, gamma, new Random(3));
  const counts = new Float64Array(7);
  for (let draw = 0; draw < 1e6; draw++) counts[sampler.offset(5)]++;
  expect([counts[0], counts[6]]).toEqual([0, 0]);
  for (let i = 0; i < 5; i++) {
    const probability = (gamma ** i * (1 - gamma)) / (1 - gamma ** 5);
    const sigma = Math.sqrt(1e6 * probability * (1 - probability));
    expect(Math.abs(counts[i + 1] - 1e6 * probability)).toBeLessThan(4 * sigma);
  }
});

test("offsets at the ends: gamma 0 gives one, gamma 1 is uniform, a last transition leaves no choice", () => {
  const next = new ReplaySampler(rollouts, 0, new Random(1));
  const uniform = new ReplaySampler(rollouts, 1, new Random(1));
  const counts = new Float64Array(5);
  for (let draw = 0; draw < 1e5; draw++) {
    expect(next.offset(50)).toBe(1);
    counts[uniform.offset(4)]++;
  }
  expect(chiSquareSigmas(counts, [0, 0.25, 0.25, 0.25, 0.25])).toBeLessThan(5);
  for (const g of [0, 0.2, 0.999999, 1]) expect(new ReplaySampler(rollouts, g, new Random(1)).offset(1)).toBe(1);
});

test("T5: a million replayed pairs and single states follow the exact law of the data", () => {
  const sampler = new ReplaySampler(rollouts, gamma, new Random(5));
  const [firsts, seconds] = [new Int32Array(1e6), new Int32Array(1e6)];
  sampler.pairs(firsts, seconds);
  const counts = new Float64Array(n * n);
  firsts.forEach((first, i) => counts[first * n + seconds[i]]++);
  expect(Math.abs(chiSquareSigmas(counts, law.joint))).toBeLessThan(4);
  sampler.states(seconds);
  const visits = new Float64Array(n);
  for (const state of seconds) visits[state]++;
  expect(Math.abs(chiSquareSigmas(visits, law.visits))).toBeLessThan(4);
});

test("T5: drawn counts of endless data have the eigenvalues that theory promises", () => {
  const sampling = { gamma, horizon: 50 };
  const sampler = new CountSampler(expectedPairLaw(room4, sampling), new Random(6));
  const d = 11;
  const { eigenvalues, eigenvectors } = exactSpectrum(room4, d);
  const batch = new PairBatch(n, 4096);
  const quotients = Array.from({ length: d }, () => new Float64Array(250));
  for (let draw = 0; draw < 250; draw++) {
    sampler.pairs(batch);
    for (let k = 0; k < d; k++) {
      let sum = 0;
      for (let row = 0; row < n; row++) {
        let entry = 0;
        for (let column = 0; column < n; column++) {
          entry += batch.laplacian[row * n + column] * eigenvectors[column * d + k];
        }
        sum += entry * eigenvectors[row * d + k];
      }
      quotients[k][draw] = (sum * n) / 2; // E |e_s - e_s'|^2 = 2 (1/n) (1 - <e, K e>)
    }
  }
  for (let k = 0; k < d; k++) {
    const { mean, error } = meanAndError(quotients[k]);
    expect(Math.abs(mean - laplacianEigenvalue(eigenvalues[k], sampling))).toBeLessThan(4 * error + 1e-7);
  }
});

test("a million counted pairs: unordered pairs, first elements and single states follow the law", () => {
  const sampler = new CountSampler(law, new Random(7));
  const m = 4096;
  const batch = new PairBatch(n, m);
  const pairs = new Float64Array(n * n);
  const firsts = new Float64Array(n);
  const states = { visits: new Float64Array(n), first: new Float64Array(n) };
  const frequencies = new Float32Array(n);
  for (let draw = 0; draw < 245; draw++) {
    sampler.pairs(batch);
    for (let row = 0; row < n; row++) {
      for (let column = 0; column < row; column++) pairs[row * n + column] -= batch.laplacian[row * n + column] * m;
      firsts[row] += batch.first[row] * m;
    }
    for (const name of ["visits", "first"] as const) {
      sampler.states(m, frequencies, name);
      frequencies.forEach((frequency, state) => (states[name][state] += frequency * m));
    }
  }
  const unordered = Float64Array.from(pairs, (_, cell) => {
    const [row, column] = [Math.floor(cell / n), cell % n];
    return column < row ? law.joint[cell] + law.joint[column * n + row] : 0;
  });
  const moved = unordered.reduce((sum, probability) => sum + probability, 0);
  expect(Math.abs(chiSquareSigmas(pairs, unordered.map((probability) => probability / moved)))).toBeLessThan(4);
  const total = pairs.reduce((sum, count) => sum + count, 0);
  const sigma = Math.sqrt(245 * m * moved * (1 - moved));
  expect(Math.abs(total - 245 * m * moved)).toBeLessThan(4 * sigma); // the rest stood still
  expect(Math.abs(chiSquareSigmas(firsts, law.first))).toBeLessThan(4);
  expect(Math.abs(chiSquareSigmas(states.visits, law.visits))).toBeLessThan(4);
  expect(Math.abs(chiSquareSigmas(states.first, law.first))).toBeLessThan(4);
});

test("counts vary like independent draws: the variance of a frequency is p (1 - p) / m", () => {
  const sampler = new CountSampler(law, new Random(8));
  const out = new Float32Array(n);
  const m = 100;
  let sum = 0;
  for (let draw = 0; draw < 4000; draw++) {
    sampler.states(m, out);
    out.forEach((frequency, state) => (sum += (frequency - law.visits[state]) ** 2));
  }
  const expected = law.visits.reduce((total, p) => total + (p * (1 - p)) / m, 0);
  expect(Math.abs(sum / 4000 / expected - 1)).toBeLessThan(0.02);
});

test("the mean of many batches approaches the exact batch", () => {
  const sampler = new CountSampler(law, new Random(9));
  const batch = new PairBatch(n, 1000);
  const exact = exactBatch(law);
  const mean = new Float64Array(n * n);
  let [early, late] = [0, 0];
  const distance = (count: number) =>
    mean.reduce((sum, value, cell) => sum + (value / count - exact.laplacian[cell]) ** 2, 0);
  for (let draw = 1; draw <= 1600; draw++) {
    sampler.pairs(batch);
    for (let cell = 0; cell < mean.length; cell++) mean[cell] += batch.laplacian[cell];
    if (draw === 16) early = distance(draw);
    if (draw === 1600) late = distance(draw);
  }
  expect(early / late).toBeGreaterThan(70); // squared distances fall like 1 / draws: 100
  expect(early / late).toBeLessThan(140);
});

test("a batch sums its pairs up, whatever it held before, small or large, and in memory of somebody else", () => {
  for (const [stateCount, size] of [[6, 40], [300, 25], [300, 32]]) {
    const random = new Random(size);
    const memory = { laplacian: new Float32Array(stateCount ** 2), first: new Float32Array(stateCount) };
    const batch = new PairBatch(stateCount, size, memory);
    for (let round = 0; round < 3; round++) {
      const pairs = Array.from({ length: size }, () => [random.int(stateCount), random.int(stateCount)]);
      batch.refill((out) => pairs.forEach(([first, second], i) => (out[i] = packPair(first, second))));
      const laplacian = new Float64Array(stateCount ** 2);
      const firsts = new Float64Array(stateCount);
      for (const [first, second] of pairs) {
        laplacian[first * stateCount + first] += 1 / size;
        laplacian[second * stateCount + second] += 1 / size;
        laplacian[first * stateCount + second] -= 1 / size;
        laplacian[second * stateCount + first] -= 1 / size;
        firsts[first] += 1 / size;
      }
      laplacian.forEach((value, cell) => expect(memory.laplacian[cell]).toBeCloseTo(value, 6));
      firsts.forEach((value, state) => expect(memory.first[state]).toBeCloseTo(value, 6));
    }
  }
});

test("alias table: probabilities exact to 2^-32 of a column, draws are those of Random decoded by hand", () => {
  const weights = Float64Array.from({ length: 1500 }, (_, entry) => (entry % 7 === 3 ? 0 : (entry % 11) ** 6 + 1e-3));
  const table = aliasTable(weights, Int32Array.from(weights.keys()));
  const columns = 2 ** table.bits;
  expect(columns).toBe(2048);
  const probabilities = new Float64Array(1500);
  for (let column = 0; column < columns; column++) {
    const [share, own, other] = table.columns.subarray(3 * column, 3 * column + 3);
    probabilities[own] += (share >>> 0) / 2 ** 32 / columns;
    probabilities[other] += (1 - (share >>> 0) / 2 ** 32) / columns;
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  weights.forEach((weight, entry) => {
    expect(Math.abs(probabilities[entry] - weight / total)).toBeLessThan(1e-11);
    if (weight === 0) expect(probabilities[entry]).toBe(0);
  });

  const random = new Random(4);
  const words = Int32Array.from(random.state().words);
  const drawn = new Int32Array(2e6);
  drawValues(table, words, drawn);
  let ties = 0;
  for (const value of drawn) {
    const word = random.uint32();
    const column = Math.floor(word / 2 ** 21);
    const [share, own, other] = table.columns.subarray(3 * column, 3 * column + 3);
    let fine = (word % 2 ** 21) * 2 ** 11; // 21 bits are left; the share has 32
    if (word % 2 ** 21 === share >>> 11) {
      fine += random.uint32() >>> 21;
      ties++;
    }
    if (value !== (fine < share >>> 0 ? own : other)) throw new Error(`drew ${value} in column ${column}`);
  }
  expect(ties).toBeGreaterThan(0);
  expect(Array.from(words, (word) => word >>> 0)).toEqual(random.state().words);
});

test("alias tables of one value, and of no law", () => {
  const out = new Int32Array(100);
  drawValues(aliasTable(Float64Array.of(0, 2, 0), Int32Array.of(5, 6, 7)), Int32Array.of(1, 2, 3, 4), out);
  expect(new Set(out)).toEqual(new Set([6]));
  for (const weights of [[], [0, 0], [1, -1], [1, NaN], [1, Infinity]]) {
    expect(() => aliasTable(Float64Array.from(weights), Int32Array.from(weights.keys()))).toThrow(DataError);
  }
});

test("samplers go on bit-exactly from a saved state", () => {
  const counting = new CountSampler(law, new Random(10));
  const replaying = new ReplaySampler(rollouts, gamma, new Random(10));
  const batch = new PairBatch(n, 333);
  const out = new Float32Array(n);
  const [firsts, seconds] = [new Int32Array(50), new Int32Array(50)];
  const draw = (sampler: CountSampler, replay: ReplaySampler) => {
    sampler.pairs(batch);
    sampler.states(77, out, "first");
    replay.pairs(firsts, seconds);
    return [batch.laplacian, batch.first, out, firsts, seconds].map((values) => Array.from(values));
  };
  const start = draw(counting, replaying);
  const saved = JSON.stringify([counting.state(), replaying.state()]);
  const expected = draw(counting, replaying);
  const [countState, replayState] = JSON.parse(saved);
  const resumed = draw(new CountSampler(law, countState), new ReplaySampler(rollouts, gamma, new Random(replayState)));
  expect(resumed).toEqual(expected);
  expect(resumed).not.toEqual(start);
});

test("wrong sizes are refused", () => {
  const sampler = new CountSampler(law, new Random(1));
  expect(() => sampler.pairs(new PairBatch(5, 10))).toThrow("got room for 5 states, wanted 104");
  for (const work of [
    () => sampler.states(10, new Float32Array(5)),
    () => sampler.states(0, new Float32Array(n)),
    () => new PairBatch(n, 0),
    () => new PairBatch(n, 2.5),
    () => new PairBatch(n, 5, { laplacian: new Float32Array(3) }),
    () => new ReplaySampler(rollouts, 2, new Random(1)),
  ]) {
    expect(work).toThrow(DataError);
  }
});
