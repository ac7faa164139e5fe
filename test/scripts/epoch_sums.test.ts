// Epoch means and the guard against steps that are not finite.
import { expect, test } from "bun:test";
import { addStep, emptySums, epochMeans } from "../../scripts/rlvae/epoch_sums.ts";

const step = (loss: number, updated = true) => ({ loss, gradNorm: 2 * loss, updated, metrics: { recon: loss - 1 } });

test("means are over the finite steps; the others are counted", () => {
  const sums = emptySums();
  for (const result of [step(3), step(Number.NaN, false), step(5), step(Infinity, false)]) addStep(sums, result);
  expect(epochMeans(sums, 0)).toEqual({ loss: 4, gradNorm: 8, recon: 3 });
  expect(sums.nonFiniteSteps).toBe(2);
});

test("an epoch without one finite step ends the run with the way out", () => {
  const sums = emptySums();
  addStep(sums, step(Number.NaN, false));
  expect(() => epochMeans(sums, 7)).toThrow("all 1 steps of epoch 7 gave a loss or gradient that is not finite; lower --learning_rate");
});
