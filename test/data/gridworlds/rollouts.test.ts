// Data collection: the generator's published vectors, valid moves, uniform laws, and data that do not depend on chunks.

import { expect, test } from "bun:test";
import {
  collectRollouts,
  createGridworld,
  DataError,
  namedLayout,
  rolloutChunks,
  transitionMatrix,
  visitCounts,
} from "@cleanloop/data";
import { philox } from "../../../lib/data/gridworlds/philox.ts";
import { chiSquareSigmas } from "./statistics.ts";

const room4 = createGridworld(namedLayout("room4"));

test("Philox4x32-10: the known answers of Random123", () => {
  const words = (...input: [number, number, number, number, number, number]) => {
    const out = new Uint32Array(4);
    philox(out, ...input);
    return Array.from(out, (word) => word.toString(16).padStart(8, "0")).join(" ");
  };
  expect(words(0, 0, 0, 0, 0, 0)).toBe("6627e8d5 e169c58d bc57ac4c 9b00dbd8");
  expect(words(-1, -1, -1, -1, -1, -1)).toBe("408f276d 41c83b0e a20bc7c6 6d5451fd");
  expect(words(0xa4093822, 0x299f31d0, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344)).toBe(
    "d16cfe09 94fdcceb 5001e420 24126ea1",
  );
});

test("every transition is a move of the world, doors included, at every length around the generator's blocks", () => {
  const world = createGridworld(namedLayout("room4"), { doors: { count: 40, seed: 3 } });
  const matrix = transitionMatrix(world);
  for (const length of [1, 15, 16, 17, 32, 33, 96, 97, 1000]) {
    const { states } = collectRollouts(world, { episodes: 20, length, seed: 1 });
    expect(states.length).toBe(20 * (length + 1));
    for (let episode = 0; episode < 20; episode++) {
      for (let time = 0; time < length; time++) {
        const at = episode * (length + 1) + time;
        expect(matrix[states[at] * 104 + states[at + 1]]).toBeGreaterThan(0);
      }
    }
  }
});

test("starts are uniform, and so are the four moves at every time of an episode", () => {
  const world = createGridworld(namedLayout("open:40x40")); // wide: almost all moves can be told apart
  const [episodes, length] = [10000, 100];
  const { states } = collectRollouts(world, { episodes, length, seed: 7 });
  const starts = new Float64Array(1600);
  for (let episode = 0; episode < episodes; episode++) starts[states[episode * (length + 1)]]++;
  expect(Math.abs(chiSquareSigmas(starts, new Float64Array(1600).fill(1 / 1600)))).toBeLessThan(4);
  const steps = [-40, 1, 40, -1];
  let total = 0;
  for (let time = 0; time < length; time++) {
    const counts = new Float64Array(4);
    for (let episode = 0; episode < episodes; episode++) {
      const at = episode * (length + 1) + time;
      const [x, y] = [states[at] % 40, Math.floor(states[at] / 40)];
      if (x > 0 && x < 39 && y > 0 && y < 39) counts[steps.indexOf(states[at + 1] - states[at])]++;
    }
    const sigmas = chiSquareSigmas(counts, [0.25, 0.25, 0.25, 0.25]);
    expect(sigmas).toBeLessThan(6.5); // three degrees of freedom: one chance in 40,000
    total += sigmas;
  }
  expect(Math.abs(total) / Math.sqrt(length)).toBeLessThan(4);
});

test("transitions follow P, and every state is visited equally often", () => {
  const [episodes, length] = [2000, 500];
  const rollouts = collectRollouts(room4, { episodes, length, seed: 11 });
  const counts = new Float64Array(104 * 104);
  for (let episode = 0; episode < episodes; episode++) {
    for (let at = episode * (length + 1); at < (episode + 1) * (length + 1) - 1; at++) {
      counts[rollouts.states[at] * 104 + rollouts.states[at + 1]]++;
    }
  }
  const matrix = transitionMatrix(room4);
  for (let state = 0; state < 104; state++) {
    const row = (values: Float64Array) => values.subarray(state * 104, (state + 1) * 104);
    expect(chiSquareSigmas(row(counts), row(matrix))).toBeLessThan(6.5);
  }
  const visits = visitCounts(rollouts);
  expect(visits.reduce((sum, count) => sum + count, 0)).toBe(episodes * (length + 1));
  for (const count of visits) expect(Math.abs((count * 104) / (episodes * (length + 1)) - 1)).toBeLessThan(0.15);
});

test("a seed and an episode's number decide its data, not the chunks that they come in", () => {
  const options = { episodes: 25000, length: 50, seed: 42 };
  const whole = collectRollouts(room4, options).states;
  expect(collectRollouts(room4, options).states).toEqual(whole);
  let at = 0;
  let chunks = 0;
  for (const { states } of rolloutChunks(room4, options)) {
    expect(states).toEqual(whole.subarray(at, at + states.length));
    at += states.length;
    chunks++;
  }
  expect([at, chunks > 1]).toEqual([whole.length, true]);
  const later = collectRollouts(room4, { ...options, episodes: 3, firstEpisode: 700 }).states;
  expect(later).toEqual(whole.slice(700 * 51, 703 * 51));
  const other = collectRollouts(room4, { ...options, episodes: 100, seed: 43 }).states;
  const equal = other.reduce((count, state, index) => count + (state === whole[index] ? 1 : 0), 0);
  expect(equal / other.length).toBeLessThan(0.03); // one in 104 by chance
});

test("counts outside their range are refused", () => {
  for (const options of [
    { episodes: 0 },
    { episodes: 1.5 },
    { episodes: 2 ** 32 },
    { length: 0 },
    { firstEpisode: -1 },
    { seed: 0.5 },
  ]) {
    const full = { episodes: 2, length: 3, seed: 1, ...options };
    expect(() => collectRollouts(room4, full)).toThrow(DataError);
    expect(() => [...rolloutChunks(room4, full)]).toThrow(DataError);
  }
  expect(() => collectRollouts(room4, { episodes: 2 ** 30, length: 50, seed: 1 })).toThrow("rolloutChunks");
});

test("even starts: every run of n episodes starts once in each state, however the data are cut", () => {
  for (const name of ["room4", "GridMaze-7", "open:1x1", "open:1x2", "GridRoom-16"]) {
    const world = createGridworld(namedLayout(name));
    const n = world.stateCount;
    const options = { episodes: 2 * n, length: 3, seed: 8, starts: "even" } as const;
    const whole = collectRollouts(world, options);
    for (const firstEpisode of [0, Math.floor(n / 3), n]) {
      const run = collectRollouts(world, { ...options, episodes: n, firstEpisode });
      const starts = Array.from({ length: n }, (_, episode) => run.states[episode * 4]);
      expect(starts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, state) => state));
      expect(run.states).toEqual(whole.states.slice(firstEpisode * 4, (firstEpisode + n) * 4));
    }
  }
});
