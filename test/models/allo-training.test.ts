// Training with a network: both evaluations take the same path, and an open room is learned.

import { expect, test } from "bun:test";
import { createTrainingSession } from "@cleanloop/compute";
import {
  CountSampler, createGridworld, exactSpectrum, expectedPairLaw, openRoom, PairBatch, Random,
} from "@cleanloop/data";
import {
  alignment, ALLO_PRESETS, alloFeatures, alloInputs, alloLoss, alloOffsets, eigenvaluesFromDuals, initialAlloCarry,
  initialAlloParameters, type AlloModel,
} from "@cleanloop/models";
import * as tf from "@tensorflow/tfjs-core";
import { stage } from "./allo-inputs.ts";

const world = createGridworld(openRoom(4, 5));
const n = world.stateCount;

const open = (model: AlloModel, batchSize: number, stepsPerCall = 1) =>
  createTrainingSession({
    loss: (params, inputs, carry) => alloLoss(params, inputs, carry, model),
    params: initialAlloParameters(model.config, new Random(0)),
    inputs: alloInputs(model, batchSize),
    carry: initialAlloCarry(model.config, model.objective),
    stepsPerCall,
  });

test.each(["seed", "paper"] as const)("T10: 300 steps from distinct states and from rows, preset %s", async (preset) => {
  const { config, objective, coordinates } = ALLO_PRESETS[preset];
  const common = {
    config: { ...config, featureCount: 5, hiddenSize: 32 },
    objective: { ...objective, dualRate: 1e-2 },
    coordinates: world.coordinates(coordinates),
  };
  const models = (["distinct", "rows"] as const).map((evaluation): AlloModel => ({ ...common, evaluation }));
  const sessions = [await open(models[0], 64), await open(models[1], 64)];
  const random = new Random(1);
  for (let step = 0; step < 300; step++) {
    const draw = () => Array.from({ length: 64 }, () => random.int(n));
    const from = draw();
    const to = from.map((state) => world.next[4 * state + random.int(4)]);
    const batch = { from, to, first: draw(), second: draw() };
    sessions.forEach((session, i) => stage(session.inputs, batch, models[i]));
    const [distinct, rows] = await Promise.all(sessions.map((session) => session.step({ learningRate: 1e-3 })));
    expect(Math.abs(distinct.loss / rows.loss - 1)).toBeLessThan(1e-3);
  }
  const [distinct, rows] = sessions.map(({ carry }) => carry);
  rows.duals.forEach((dual, at) => expect(Math.abs(distinct.duals[at] - dual)).toBeLessThan(1e-4));
  const longestWay = Math.max(...rows.duals.map((dual) => Math.abs(dual - objective.initialDual)));
  expect(longestWay).toBeGreaterThan(0.5);
  expect(distinct.barrier[0]).toBeCloseTo(rows.barrier[0], 4);
  await Promise.all(sessions.map((session) => session.close()));
});

test("T11: an open 4x5 room, five features, preset paper with quick duals, 2000 steps", async () => {
  const { config, objective, sampling, coordinates, training } = ALLO_PRESETS.paper;
  const batchSize = 2048;
  const model: AlloModel = {
    config: { ...config, featureCount: 5 },
    objective: { ...objective, dualRate: 1e-2 },
    evaluation: "distinct",
    coordinates: world.coordinates(coordinates),
  };
  const session = await open(model, batchSize, 20);
  const sampler = new CountSampler(expectedPairLaw(world, alloOffsets(sampling, n)), new Random(2));
  const batch = new PairBatch(n, batchSize);
  const learningRates = Array.from({ length: 20 }, () => training.learningRate);
  while (session.stepCount < 2000) {
    for (const inputs of session.staged as Record<string, Float32Array>[]) {
      sampler.pairs(batch);
      inputs.laplacian.set(batch.laplacian);
      sampler.states(batchSize, inputs.first);
      sampler.states(batchSize, inputs.second);
    }
    await session.steps({ learningRates });
  }
  const evaluate = await session.compile((params) => {
    return { features: alloFeatures(params, tf.tensor2d(model.coordinates, [n, 2]), model.config) };
  }, {});
  const { features } = await evaluate({});
  const { cosines } = alignment(features, exactSpectrum(world, 5));
  expect(cosines.reduce((sum, cosine) => sum + cosine, 0) / 5).toBeGreaterThan(0.99);
  const eigenvalues = eigenvaluesFromDuals(session.carry.duals, 5, objective.graphScale);
  // of the operator that the sampler realises in episodes of 50 transitions with gamma 0.9
  const wanted = [0, 0.42909, 0.54793, 0.68973, 0.78386];
  eigenvalues.forEach((eigenvalue, i) => expect(Math.abs(eigenvalue - wanted[i])).toBeLessThan(0.01));
  await session.close();
});
