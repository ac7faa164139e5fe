// Carried tensors and several steps in one call: against recursions written out here, and against single steps.
import { describe, expect, test } from "bun:test";
import * as tf from "@tensorflow/tfjs-core";
import { createTrainingSession, type LossFunction, type TrainingOptions, type TrainingSession } from "@cleanloop/compute";
import { closingSessions } from "./sessions.ts";
import { snapshot } from "./snapshot.ts";

const sessionOf = closingSessions();

/** Minimises p^2 under the constraint p = a, with the multiplier in the carry: m += 0.5 (p - a). "idle" is never read. */
const constrained: LossFunction = ({ p }, { a }, { multiplier }) => {
  const violation = tf.sub(p, a);
  const loss = tf.sum(tf.add(tf.square(p), tf.mul(multiplier, violation))) as tf.Scalar;
  return { loss, carry: { multiplier: tf.add(multiplier, tf.mul(0.5, violation)) } };
};
const options = (more: Partial<TrainingOptions> = {}): TrainingOptions => ({
  loss: constrained,
  params: { p: { shape: [2], data: Float32Array.of(1, -2) } },
  inputs: { a: { shape: [2] } },
  carry: { multiplier: { shape: [2], data: Float32Array.of(0.25, 0) }, idle: { shape: [], data: Float32Array.of(7) } },
  ...more,
});
const stage = (inputs: TrainingSession["inputs"], step: number) => (inputs.a as Float32Array).set([Math.sin(step), 2 + Math.cos(step)]);

for (const variant of [{ binding: "native" }, { binding: "package" }, { engine: "tfjs", device: "cpu" }] as const) {
  describe(`the carry (${Object.values(variant).join(" ")})`, () => {
    test("follows the recursion that the loss defines", async () => {
      const session = await sessionOf(options(variant));
      const multiplier = [0.25, 0];
      for (let step = 0; step < 6; step++) {
        stage(session.inputs, step);
        const target = [...session.inputs.a];
        const before = [...session.params.p];
        const wanted = before.reduce((sum, p, i) => sum + p * p + multiplier[i] * (p - target[i]), 0);
        expect((await session.step({ learningRate: 0.1 })).loss).toBeCloseTo(wanted, 4);
        before.forEach((p, i) => (multiplier[i] += 0.5 * (p - target[i])));
        multiplier.forEach((value, i) => expect(session.carry.multiplier[i]).toBeCloseTo(value, 4));
      }
      expect([...session.carry.idle]).toEqual([7]);
    });

    test("does not move when the step is not finite, and the next steps of the call go on", async () => {
      const session = await sessionOf(options({ ...variant, stepsPerCall: 3 }));
      const twice = await sessionOf(options(variant));
      session.staged.forEach((inputs, step) => stage(inputs, step));
      session.staged[1].a[0] = Number.NaN;
      const results = await session.steps({ learningRates: [0.1, 0.1, 0.1] });
      expect(results.map(({ updated }) => updated)).toEqual([true, false, true]);
      for (const step of [0, 2]) {
        stage(twice.inputs, step);
        await twice.step({ learningRate: 0.1 });
      }
      expect(session.exportState()).toEqual(twice.exportState());
    });

    test("is part of the state that is exported and imported", async () => {
      const first = await sessionOf(options(variant));
      stage(first.inputs, 1);
      await first.step({ learningRate: 0.1 });
      const state = snapshot(first.exportState());
      expect(Object.keys(state.carry)).toEqual(["multiplier", "idle"]);
      const second = await sessionOf(options(variant));
      second.importState(state);
      expect(second.exportState()).toEqual(first.exportState());
      delete state.carry.idle;
      expect(() => second.importState(state)).toThrow('importState: carry of "idle" is missing; wanted []');
    });

    test("several steps in one call are the same steps", async () => {
      const averaging = { decay: 0.9, interval: 2 };
      const together = await sessionOf(options({ ...variant, stepsPerCall: 4, averaging }));
      const singly = await sessionOf(options({ ...variant, averaging }));
      for (const first of [0, 4]) {
        together.staged.forEach((inputs, index) => stage(inputs, first + index));
        const learningRates = [0.1, 0.2, 0.05, 0.1].slice(0, first === 0 ? 4 : 3);
        const results = await together.steps({ learningRates });
        for (const [index, learningRate] of learningRates.entries()) {
          stage(singly.inputs, first + index);
          expect(results[index]).toEqual(await singly.step({ learningRate }));
        }
      }
      expect(together.stepCount).toBe(7);
      expect(together.exportState()).toEqual(singly.exportState());
    });

    test("a carry of another name or shape is refused", async () => {
      const returning = (carry: Record<string, tf.Tensor>): LossFunction => ({ p }) => ({ loss: tf.sum(p) as tf.Scalar, carry });
      const opening = (carry: () => Record<string, tf.Tensor>) =>
        createTrainingSession(options({ ...variant, loss: (params, inputs, carried) => returning(carry())(params, inputs, carried) }));
      expect(opening(() => ({ other: tf.zeros([2]) }))).rejects.toThrow(/carry "other" as float32 \[2\]; wanted one of multiplier, idle/);
      expect(opening(() => ({ multiplier: tf.zeros([3]) }))).rejects.toThrow(/carry "multiplier" as float32 \[3\]; wanted float32 \[2\]/);
    });
  });
}

test("a call of no steps or of too many is refused", async () => {
  const session = await sessionOf(options({ stepsPerCall: 2 }));
  expect(session.steps({ learningRates: [] })).rejects.toThrow("this session takes 1 to 2 steps per call");
  expect(session.steps({ learningRates: [1, 1, 1] })).rejects.toThrow("got 3 learning rates");
});
