// The WASM optimizer against torch.optim.Adam, and its passes against plain loops in float64.
import { describe, expect, test } from "bun:test";
import { assembleAdam } from "../../lib/compute/optimizer/build.ts";
import { adamScalars, adamSettings, loadAdamKernel, splitEvenly, type AdamVectors } from "../../lib/compute/optimizer/adam.ts";
import { ArenaPlan, floatView, paddedLength } from "../../lib/compute/memory.ts";
import { startAdamTeam } from "../../lib/compute/worker/adam-team.ts";
import golden from "./fixtures/adam_torch.json";

/** Four flat vectors of the given length in fresh shared memory. */
function vectorsOf(length: number) {
  const plan = new ArenaPlan();
  const regions = Array.from({ length: 4 }, () => plan.reserve(length));
  const memory = plan.allocate();
  const [parameters, firstMoment, secondMoment, gradients] = regions.map((region) => floatView(memory, region));
  const [p, m, v, g] = regions.map(({ byteOffset }) => byteOffset);
  const vectors: AdamVectors = { parameters: p, firstMoment: m, secondMoment: v, gradients: g, averages: p, length, denseLength: length };
  return { memory, vectors, parameters, firstMoment, secondMoment, gradients };
}

describe("Adam", () => {
  test("the committed bytes are what the source assembles to", async () => {
    const committed = await Bun.file(new URL("../../lib/compute/optimizer/adam.wasm", import.meta.url)).bytes();
    expect(Buffer.from(committed).equals(Buffer.from(await assembleAdam()))).toBe(true);
  });

  for (const threads of [1, 2, 3]) {
    test(`follows torch.optim.Adam with L2 decay and clipping through five updates, ${threads} thread(s)`, async () => {
      const lengths = golden.start.map((values) => values.length);
      const offsets = [0, paddedLength(lengths[0])];
      const arena = vectorsOf(offsets[1] + paddedLength(lengths[1]));
      const settings = adamSettings({ weightDecay: golden.weightDecay, clipNorm: golden.clipNorm });
      const team = await startAdamTeam({ memory: arena.memory, vectors: arena.vectors, streams: [], scratch: [], threads }, settings);
      const place = (target: Float32Array, tensors: number[][]) => tensors.forEach((values, i) => target.set(values, offsets[i]));
      place(arena.parameters, golden.start);
      golden.steps.forEach((step, t) => {
        place(arena.gradients, step.gradients);
        const norm = team.gradNorm();
        expect(Math.abs(norm - step.norm)).toBeLessThan(1e-6 * step.norm);
        team.update(golden.learningRate, t + 1, norm);
        for (const kind of ["parameters", "firstMoment", "secondMoment"] as const) {
          step[kind].forEach((values, i) => values.forEach((wanted, k) => {
            expect(Math.abs(arena[kind][offsets[i] + k] - wanted)).toBeLessThan(2e-7 + 2e-6 * Math.abs(wanted));
          }));
        }
      });
      team.close();
    });
  }

  test("the padding between tensors stays zero", async () => {
    const arena = vectorsOf(32);
    arena.parameters.subarray(0, 5).fill(1);
    arena.gradients.subarray(0, 5).fill(0.5);
    const kernel = await loadAdamKernel(arena.memory);
    kernel.update(arena.vectors, 0, 32, adamScalars(adamSettings({ weightDecay: 0.1 }), 1e-3, 1, 1));
    expect(arena.parameters.subarray(5).every((value) => value === 0)).toBe(true);
    expect(arena.parameters[0]).toBeLessThan(1);
  });

  test("the squared norm of a million entries of mixed size agrees with float64 to 1e-6", async () => {
    const length = 1_000_000 - (1_000_000 % 16);
    const arena = vectorsOf(length);
    let exact = 0;
    for (let i = 0; i < length; i++) {
      arena.gradients[i] = Math.sin(i) * 10 ** ((i % 9) - 4);
      exact += arena.gradients[i] ** 2;
    }
    const kernel = await loadAdamKernel(arena.memory);
    expect(Math.abs(kernel.squaredNorm(arena.vectors, 0, length) / exact - 1)).toBeLessThan(1e-6);
  });

  test("shares cover everything once, on cache lines", () => {
    for (const [length, parts] of [[16, 3], [1600, 3], [4096, 7], [14_927_392, 2]]) {
      const shares = splitEvenly(length, parts);
      expect(shares[0][0]).toBe(0);
      expect(shares.at(-1)![1]).toBe(length);
      shares.slice(1).forEach(([begin], i) => expect(begin).toBe(shares[i][1]));
      expect(shares.every(([begin]) => begin % 16 === 0)).toBe(true);
    }
  });
});
