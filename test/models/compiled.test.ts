// The compiled training step against the same model run eagerly, for every part of the objective that has its own code.

import { expect, test } from "bun:test";
import { createTrainingSession, type Engine } from "@cleanloop/compute";
import {
  initialParameters,
  resolveObjective,
  rlvaeLoss,
  trainedParameterNames,
  type RlvaeModel,
} from "@cleanloop/models";
import { normals, randomMetric, seededUniform, tinyConfig } from "./eager.ts";

const random = seededUniform(4);
const x = Float32Array.from({ length: 5 * 48 }, () => random.uniform());
const noise = normals(6, [5, 4]).dataSync();

test.each([
  ["faithful", "diagonal", { loopMode: "closed" }],
  ["fixed", "diagonal", {}],
  ["fixed", "full", { kl: "gaussian_prior" }],
  ["fixed", "diagonal", { posterior: "gaussian" }],
] as const)("%s, %s metric, %o: three steps", async (preset, kind, changes) => {
  const objective = resolveObjective(preset, changes);
  const model: RlvaeModel = { config: tinyConfig, objective, metric: randomMetric(kind, 4, 6) };
  const compiled = await train("onnx", model);
  const eager = await train("tfjs", model);
  expect(compiled.length).toBe(eager.length);
  compiled.forEach((value, i) =>
    expect(Math.abs(value - eager[i])).toBeLessThan(1e-4 * Math.max(1, Math.abs(eager[i]))),
  );
});

/** Loss, gradient norm and terms of three steps on the same batch. */
async function train(engine: Engine, model: RlvaeModel): Promise<number[]> {
  const initial = initialParameters(model.config, seededUniform(1));
  const session = await createTrainingSession({
    loss: (params, inputs) => rlvaeLoss(params, { x: inputs.x, noise: inputs.noise }, model),
    params: Object.fromEntries(
      trainedParameterNames(model.config, model.objective).map((name) => [name, initial[name]]),
    ),
    inputs: { x: { shape: [5, 4, 12] }, noise: { shape: [5, 4] } },
    optimizer: { weightDecay: 1e-5, clipNorm: 1 },
    engine,
  });
  const numbers: number[] = [];
  for (let step = 0; step < 3; step++) {
    session.inputs.x.set(x);
    session.inputs.noise.set(noise);
    const { loss, gradNorm, updated, metrics } = await session.step({ learningRate: 1e-3 });
    expect(updated).toBe(true);
    numbers.push(loss, gradNorm, ...Object.values(metrics));
  }
  await session.close();
  return numbers;
}
