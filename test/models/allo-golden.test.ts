// Three training steps of a tiny ALLO against float64 PyTorch (fixtures/allo_torch.py): loss, gradients, multipliers,
// records; both evaluations, both engines.

import { describe, expect, test } from "bun:test";
import { createTrainingSession } from "@cleanloop/compute";
import {
  alloInputs, alloLoss, alloRecord, initialAlloCarry, type AlloModel, type AlloObjective,
} from "@cleanloop/models";
import { stage } from "./allo-inputs.ts";
import golden from "./fixtures/allo_torch.json";

const { featureCount, hiddenSize, hiddenLayerCount, batchSize, learningRate, batches } = golden;
const config = { featureCount, hiddenSize, hiddenLayerCount, initialisation: "flax" } as const;
const params = Object.fromEntries(
  Object.entries(golden.parameters).map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]),
);
type Result = (typeof golden.results)[number];

for (const engine of ["onnx", "tfjs"] as const) {
  for (const evaluation of ["distinct", "rows"] as const) {
    describe(`${engine}, ${evaluation}`, () => {
      test.each(golden.results.map((result) => [title(result), result] as const))("%s", async (_title, result) => {
        const objective = { ...result.objective, dualLimit: result.objective.dualLimit ?? Infinity } as AlloObjective;
        const model: AlloModel = { config, objective, evaluation, coordinates: Float32Array.from(golden.coordinates) };
        const carry = initialAlloCarry(config, objective);
        const session = await createTrainingSession({
          loss: (p, inputs, carried) => alloLoss(p, inputs, carried, model),
          params, inputs: alloInputs(model, batchSize), carry, engine, device: "cpu",
        });
        const step = async (number: number) => {
          const before = copied(session.carry);
          stage(session.inputs, batches[number], model);
          return { before, ...(await session.step({ learningRate })) };
        };

        const { loss } = await step(0);
        expectClose("loss", [loss], [result.loss]);
        for (const [name, { data }] of Object.entries(session.exportState().firstMoment)) {
          const gradient = result.gradients[name as keyof typeof result.gradients];
          expectClose(`gradient of ${name}`, data.map((value) => value / 0.1), gradient); // the first of Adam's moments
        }
        expectCarry(session.carry, result.carry.one);
        await step(1);
        const { before, gradNorm } = await step(2);
        expectCarry(session.carry, result.carry.three);

        if (result.record !== null) {
          const zeros = new Float32Array(featureCount ** 2);
          const { error, secondError, graph, perturbation = zeros.subarray(0, featureCount) } = session.carry;
          const { duals, barrier, errorIntegral = zeros } = before;
          const observation = {
            duals, barrier: barrier[0], errorIntegral, error, secondError, graph, perturbation,
            networkGradNorm: gradNorm,
          };
          const { lagrangian, ...record } = alloRecord(observation, objective);
          const { allo, dual_loss, barrier_loss, graph_loss } = result.record;
          expectClose("lagrangian", [lagrangian], [graph_loss + dual_loss + barrier_loss]);
          // what cancels to zero is as exact as its parts
          const parts = Math.abs(dual_loss) + Math.abs(barrier_loss) + graph_loss;
          expect(Math.abs(record.allo - allo)).toBeLessThan(1e-5 * parts);
          const wanted: Record<string, number> = result.record;
          expect(Object.keys(record)).toEqual(Object.keys(wanted).sort());
          for (const [name, value] of Object.entries(record)) {
            if (name !== "allo") expectClose(name, [value], [wanted[name]]);
          }
        }
        await session.close();
      });
    });
  }
}

function title({ objective }: Result): string {
  const base = golden.results.find((result) => result.objective.constraints === objective.constraints)!.objective;
  const changes = Object.entries(objective).filter(([name, value]) => value !== base[name as keyof typeof base]);
  return [objective.constraints, ...changes.map(([name, value]) => `${name} ${value}`)].join(", ");
}

/** The session's own arrays change with the next step. */
const copied = (arrays: Record<string, Float32Array>): Record<string, Float32Array> =>
  Object.fromEntries(Object.entries(arrays).map(([name, data]) => [name, Float32Array.from(data)]));

function expectCarry(carry: Record<string, Float32Array>, wanted: Result["carry"]["one"]): void {
  const { isFirstPenalty, ...values } = carry;
  expect(isFirstPenalty?.[0] ?? 0).toBe(0);
  const expected: Record<string, number[] | undefined> = wanted;
  expect(Object.keys(values).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, data] of Object.entries(values)) expectClose(name, data, expected[name]!);
}

/** Within 1e-5 of the largest entry. */
function expectClose(name: string, got: ArrayLike<number>, wanted: readonly number[]): void {
  expect(got.length).toBe(wanted.length);
  const scale = Math.max(...wanted.map(Math.abs));
  const difference = Math.max(...wanted.map((value, i) => Math.abs(got[i] - value)));
  if (!(difference <= 1e-5 * scale)) throw new Error(`${name}: differs by ${difference}, largest entry ${scale}`);
}
