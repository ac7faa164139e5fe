// One measurement of the ALLO step:  bun test/bench/workloads/allo.ts <seed|paper> <distinct|rows> <threads> <seconds>
// room4; batches are drawn while the steps of the call before run, as in training.
import { createTrainingSession, type TrainingOptions } from "@cleanloop/compute";
import { collectRollouts, createGridworld, namedLayout, pairLaw, Random } from "@cleanloop/data";
import { ALLO_PRESETS, alloInputs, alloLoss, alloOffsets, initialAlloCarry, initialAlloParameters } from "@cleanloop/models";
import { countBatches, rowBatches } from "../../../scripts/allo/batches.ts";
import { stepsPerCall } from "../../../scripts/allo/cadence.ts";
import { matrixProductsMs } from "../matrix-products.ts";

const preset = (process.argv[2] ?? "seed") as "seed" | "paper";
const evaluation = (process.argv[3] ?? "distinct") as "distinct" | "rows";
const threads = Number(process.argv[4] ?? 1);
const seconds = Number(process.argv[5] ?? 8);

const { config, objective, training, sampling, coordinates } = ALLO_PRESETS[preset];
const { batchSize, learningRate } = training;
const world = createGridworld(namedLayout("room4"));
const { gamma, horizon } = alloOffsets(sampling, world.stateCount);
const rollouts = collectRollouts(world, { episodes: Math.floor(sampling.transitions / horizon), length: horizon, seed: 0 });
const draws = { batchSize, constraints: objective.constraints, random: new Random(1).state() };
const batches = evaluation === "rows" ? rowBatches(rollouts, gamma, draws) : countBatches(pairLaw([rollouts], gamma), draws);

const model = { config, objective, evaluation, coordinates: world.coordinates(coordinates) };
const inputs = alloInputs(model, batchSize);
const perCall = stepsPerCall(inputs);
const options: TrainingOptions = {
  loss: (params, batch, carry) => alloLoss(params, batch, carry, model),
  params: initialAlloParameters(config, new Random(0)),
  carry: initialAlloCarry(config, objective),
  inputs, stepsPerCall: perCall, threads,
};
const productsMs = matrixProductsMs(options, Math.min(1, seconds / 4));
const session = await createTrainingSession(options);

const learningRates = Array.from({ length: perCall }, () => learningRate);
const stage = () => {
  for (const staged of session.staged) batches.fill(staged);
};
const warmUpCalls = 3;
stage();
let [calls, measuredFrom, drawMs] = [0, 0, 0];
let lastLoss = NaN;
for (let call = 0; call < warmUpCalls + 5 || performance.now() - measuredFrom < seconds * 1000; call++) {
  if (call === warmUpCalls) [calls, measuredFrom, drawMs] = [0, performance.now(), 0];
  const running = session.steps({ learningRates });
  const drawStartMs = performance.now();
  stage();
  drawMs += performance.now() - drawStartMs;
  lastLoss = (await running).at(-1)!.loss;
  calls++;
}
const stepMs = (performance.now() - measuredFrom) / (calls * perCall);
const share = productsMs === null ? "unknown" : (productsMs / stepMs).toFixed(2);
console.log(
  `ALLO cleanloop preset=${preset} evaluation=${evaluation} threads=${threads} steps/s=${(1000 / stepMs).toFixed(1)} ` +
  `products/step=${share} (${perCall} steps per call, ${((1000 * drawMs) / (calls * perCall)).toFixed(0)} us of drawing per step; ` +
  `${session.stats.nodes} operators; last loss ${lastLoss.toFixed(4)})`,
);
await session.close();
