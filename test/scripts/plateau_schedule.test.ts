// The plateau schedule against rates printed by torch 1.13's ReduceLROnPlateau(factor=.8, patience=8, threshold=.01, min_lr=1e-7).
import { expect, test } from "bun:test";
import type { PlateauState } from "../../scripts/rlvae/plateau_schedule.ts";
import { afterEpoch } from "../../scripts/rlvae/plateau_schedule.ts";

function rates(first: number, losses: number[]): number[] {
  let state: PlateauState = { learningRate: first, best: null, badEpochs: 0 };
  return losses.map((loss) => (state = afterEpoch(state, loss)).learningRate);
}

const repeat = (value: number, times: number) => Array.from({ length: times }, () => value);

test("falls, stalls, NaN and a late improvement give torch's rates", () => {
  const slow = [248, 247.9, 247.8, 247.7, 247.6, 247.5, 247.4, 247.3];
  const losses = [300, 250, 249, ...slow, 246, 240, ...repeat(Number.NaN, 3), ...repeat(241, 30), ...repeat(100, 11)];
  const wanted = [
    ...repeat(3e-4, 21), ...repeat(0.00023999999999999998, 9), ...repeat(0.000192, 9), ...repeat(0.00015360000000000002, 16),
    ...repeat(0.00012288000000000002, 2),
  ];
  expect(rates(3e-4, losses)).toEqual(wanted);
});

test("stops at the smallest rate", () => {
  const got = rates(1.4e-7, repeat(1, 40));
  expect([8, 17, 26, 35].map((epoch) => got[epoch])).toEqual([1.4e-7, 1.1200000000000001e-7, 1e-7, 1e-7]);
});

test("a state that went through JSON goes on the same", () => {
  const losses = [5, 4.99, 4.98, ...repeat(5, 20)];
  let state: PlateauState = { learningRate: 1e-3, best: null, badEpochs: 0 };
  const got = losses.map((loss) => (state = JSON.parse(JSON.stringify(afterEpoch(state, loss))) as PlateauState).learningRate);
  expect(got).toEqual(rates(1e-3, losses));
});
