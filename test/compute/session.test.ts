// Training sessions: against closed forms, against the eager engine, through both bindings, and at their limits.
import { describe, expect, test } from "bun:test";
import * as tf from "@tensorflow/tfjs-core";
import { createTrainingSession, type LossFunction, type TrainingOptions, type TrainingSession } from "@cleanloop/compute";
import { closingSessions } from "./sessions.ts";
import { snapshot } from "./snapshot.ts";

const sessionOf = closingSessions();

/** Deterministic values in (-1, 1). */
const wave = (length: number, phase = 0): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(1.7 * i + phase));

/** A two-layer network on four samples; "spare" is a parameter that the loss does not read. */
const network: LossFunction = (params, { x, y }) => {
  const hidden = tf.tanh(tf.add(tf.matMul(x as tf.Tensor2D, params.w1 as tf.Tensor2D), params.b1));
  const residual = tf.sub(tf.matMul(hidden as tf.Tensor2D, params.w2 as tf.Tensor2D), y);
  const loss = tf.mean(tf.square(residual)) as tf.Scalar;
  return { loss, metrics: { largest: tf.max(tf.abs(residual)) } };
};
const networkOptions = (): TrainingOptions => ({
  loss: network,
  params: {
    w1: { shape: [3, 5], data: wave(15) },
    b1: { shape: [5], data: wave(5, 1) },
    w2: { shape: [5, 2], data: wave(10, 2) },
    spare: { shape: [2, 2], data: wave(4, 3) },
  },
  inputs: { x: { shape: [4, 3] }, y: { shape: [4, 2] } },
  optimizer: { weightDecay: 1e-3, clipNorm: 0.5 },
});
const fill = (session: TrainingSession, seed: number): void => {
  (session.inputs.x as Float32Array).set(wave(12, seed));
  (session.inputs.y as Float32Array).set(wave(8, seed + 0.5));
};
async function trainNetwork(options: Partial<TrainingOptions>, steps: number) {
  const session = await sessionOf({ ...networkOptions(), ...options });
  const results = [];
  for (let t = 0; t < steps; t++) {
    fill(session, t);
    results.push(await session.step({ learningRate: 1e-2 }));
  }
  return { session, results };
}

describe("a training session", () => {
  test("takes the first Adam step that algebra gives: p - lr * sign(gradient)", async () => {
    const session = await sessionOf({
      loss: ({ p }, { a }) => ({ loss: tf.sum(tf.mul(tf.square(p), a)) as tf.Scalar }),
      params: { p: { shape: [3], data: Float32Array.of(1, -2, 0.5) } },
      inputs: { a: { shape: [3] } },
    });
    (session.inputs.a as Float32Array).set([1, 0.25, -3]);
    const { loss, gradNorm, updated } = await session.step({ learningRate: 0.1 });
    expect(loss).toBeCloseTo(1 + 1 - 0.75, 6);
    expect(gradNorm).toBeCloseTo(Math.hypot(2, -1, -3), 5);
    expect(updated).toBe(true);
    expect(session.stepCount).toBe(1);
    [0.9, -1.9, 0.6].forEach((wanted, i) => expect(session.params.p[i]).toBeCloseTo(wanted, 6));
  });

  test("native and package bindings agree bit for bit", async () => {
    const [native, packaged] = [await trainNetwork({ binding: "native" }, 6), await trainNetwork({ binding: "package" }, 6)];
    expect(native.session.stats.binding).toBe("native");
    expect(packaged.session.stats.binding).toBe("package");
    expect(native.results).toEqual(packaged.results);
    expect(native.session.params).toEqual(packaged.session.params);
  });

  test("compiled and eager engines agree over ten steps", async () => {
    const [compiled, eager] = [await trainNetwork({}, 10), await trainNetwork({ engine: "tfjs", device: "cpu" }, 10)];
    compiled.results.forEach((result, t) => {
      expect(Math.abs(result.loss - eager.results[t].loss)).toBeLessThan(1e-6);
      expect(Math.abs(result.metrics.largest - eager.results[t].metrics.largest)).toBeLessThan(1e-5);
      expect(Math.abs(result.gradNorm - eager.results[t].gradNorm)).toBeLessThan(1e-5);
    });
    for (const [name, values] of Object.entries(compiled.session.params)) {
      values.forEach((value, i) => expect(Math.abs(value - eager.session.params[name][i])).toBeLessThan(2e-5));
    }
  });

  test("leaves a parameter alone that the loss does not read", async () => {
    const { session } = await trainNetwork({}, 3);
    expect(session.params.spare).toEqual(wave(4, 3));
    expect(Object.keys(session.exportState().firstMoment)).toEqual(["w1", "b1", "w2"]);
  });

  test("goes on bit for bit from an exported state", async () => {
    const whole = await trainNetwork({}, 6);
    const { session: first } = await trainNetwork({}, 3);
    const state = snapshot(first.exportState());
    const second = await sessionOf(networkOptions());
    second.importState(state);
    for (let t = 3; t < 6; t++) {
      fill(second, t);
      await second.step({ learningRate: 1e-2 });
    }
    expect(second.exportState()).toEqual(whole.session.exportState());
  });

  for (const engine of ["onnx", "tfjs"] as const) {
    test(`skips the update when loss or gradient is not finite (${engine})`, async () => {
      const { session } = await trainNetwork({ engine }, 2);
      const before = snapshot(session.exportState());
      fill(session, 9);
      (session.inputs.x as Float32Array)[0] = Number.NaN;
      expect((await session.step({ learningRate: 1e-2 })).updated).toBe(false);
      expect(session.exportState()).toEqual(before);
      fill(session, 9);
      expect((await session.step({ learningRate: 1e-2 })).updated).toBe(true);
    });
  }

  test("lends the other staging buffer while a step runs", async () => {
    const { session } = await trainNetwork({}, 1);
    const staged = session.inputs.x;
    fill(session, 1);
    const running = session.step({ learningRate: 0 });
    expect(session.inputs.x).not.toBe(staged);
    session.inputs.x.fill(Number.NaN); // must not reach the step in flight
    expect((await running).updated).toBe(true);
  });

  test("evaluates live parameters, calls in turn", async () => {
    const session = await sessionOf(networkOptions());
    const evaluate = await session.compile(({ w1 }, { v }) => ({ product: tf.matMul(v as tf.Tensor2D, w1 as tf.Tensor2D) }), { v: { shape: [1, 3] } });
    const [a, b] = await Promise.all([evaluate({ v: Float32Array.of(1, 0, 0) }), evaluate({ v: Float32Array.of(0, 0, 1) })]);
    expect(a.product).toEqual(session.params.w1.slice(0, 5));
    expect(b.product).toEqual(session.params.w1.slice(10, 15));
  });

  test("two threads give what one gives", async () => {
    const [one, two] = [await trainNetwork({ threads: 1 }, 4), await trainNetwork({ threads: 2 }, 4)];
    expect(two.session.params).toEqual(one.session.params);
  });
});

describe("the running average", () => {
  test.each(["onnx", "tfjs"] as const)("follows its recurrence, is evaluated on request, and resumes (%s)", async (engine) => {
    const decay = 0.9;
    const interval = 2;
    const { session } = await trainNetwork({ engine, averaging: { decay, interval } }, 0);
    const expected = Float64Array.from(session.params.w1);
    for (let t = 1; t <= 8; t++) {
      fill(session, t);
      await session.step({ learningRate: 1e-2 });
      if (t % interval !== 0 && t > interval) continue;
      const n = t / interval;
      const kept = t < interval ? 0 : Math.min(decay ** interval, (1 + n) / (10 + n)); // at first it follows every step
      session.params.w1.forEach((value, i) => (expected[i] = kept * expected[i] + (1 - kept) * value));
    }
    expected.forEach((value, i) => expect(Math.abs(session.averagedParams.w1[i] - value)).toBeLessThan(1e-6));
    expect(session.averagedParams.w1).not.toEqual(session.params.w1);
    expect(session.averagedParams.spare).toEqual(session.params.spare);
    const read = await session.compile(({ w1 }) => ({ copy: tf.mul(w1, 1) }), { unused: { shape: [1] } }, { weights: "averaged" });
    expect((await read({ unused: new Float32Array(1) })).copy).toEqual(session.averagedParams.w1);

    const state = snapshot(session.exportState());
    const resumed = await sessionOf({ ...networkOptions(), engine, averaging: { decay, interval } });
    resumed.importState(state);
    expect(resumed.averagedParams).toEqual(session.averagedParams);
  });

  test("is never the untrained start: until the first averaging it follows every step", async () => {
    const { session } = await trainNetwork({ averaging: { decay: 0.99, interval: 8 } }, 3);
    expect(session.averagedParams).toEqual(session.params);
    expect(session.params.w1).not.toEqual(wave(15));
  });

  test("is the live parameters where none is kept", async () => {
    const { session } = await trainNetwork({}, 2);
    expect(session.averagedParams).toEqual(session.params);
    expect(session.exportState().average).toEqual({});
  });
});

describe("a training session refuses", () => {
  const refusal = async (change: Partial<TrainingOptions>): Promise<string> =>
    createTrainingSession({ ...networkOptions(), ...change }).then(() => "accepted", (error: Error) => error.message);

  test("parameters whose data does not fit their shape", async () => {
    const params = { ...networkOptions().params, w1: { shape: [3, 5], data: wave(14) } };
    expect(await refusal({ params })).toBe('createTrainingSession: parameter "w1" has 14 values, its shape [3, 5] wants 15');
  });
  test("a device that is absent, and says what to use", async () => {
    expect(await refusal({ device: "cuda" })).toContain("use --device cpu");
    expect(await refusal({ device: "wasm" })).toContain("--engine tfjs");
  });
  test("a loss without parameters", async () => {
    expect(await refusal({ loss: (_, { x }) => ({ loss: tf.sum(x) as tf.Scalar }) })).toContain("depends on none of the parameters");
  });
  test("a name that stands for a parameter and an input", async () => {
    expect(await refusal({ inputs: { w1: { shape: [1] } } })).toContain('"w1" names a parameter and an input');
  });
  test("a batch of the wrong length in evaluate", async () => {
    const session = await sessionOf(networkOptions());
    const evaluate = await session.compile((_, { v }) => ({ twice: tf.mul(v, 2) }), { v: { shape: [2] } });
    expect(evaluate({ v: new Float32Array(3) })).rejects.toThrow('input "v" is Float32Array of length 3; wanted Float32Array of length 2 (shape [2])');
  });
  test("a second step before the first has ended", async () => {
    const session = await sessionOf(networkOptions());
    fill(session, 0);
    const running = session.step({ learningRate: 0 });
    expect(session.step({ learningRate: 0 })).rejects.toThrow("await it first");
    await running;
  });
  test("a state of another model", async () => {
    const session = await sessionOf(networkOptions());
    const state = snapshot(session.exportState());
    delete state.secondMoment.w2;
    expect(() => session.importState(state)).toThrow('importState: secondMoment of "w2" is missing; wanted [5, 2]');
  });
});

test("closed sessions give their memory and threads back", async () => {
  const length = 2_000_000; // 32 MB in the four vectors, and two batches
  const cycle = async (): Promise<void> => {
    const session = await createTrainingSession({
      loss: ({ p }, { a }) => ({ loss: tf.sum(tf.mul(tf.square(p), a)) as tf.Scalar }),
      params: { p: { shape: [length], data: new Float32Array(length).fill(1) } },
      inputs: { a: { shape: [length] } },
      threads: 2,
    });
    session.inputs.a.fill(1);
    await session.step({ learningRate: 1e-3 });
    await session.close();
    Bun.gc(true);
  };
  for (let i = 0; i < 3; i++) await cycle();
  const before = process.memoryUsage.rss();
  for (let i = 0; i < 8; i++) await cycle();
  expect(process.memoryUsage.rss() - before).toBeLessThan(150e6); // eight leaked sessions would be about 400 MB
});

describe("large gradients are streamed through the optimizer", () => {
  // a gradient of 1024 x 1028 from a batch of 6 has the inner extent 6, so the native binding never makes it whole
  const wide = (binding: "native" | "package", threads: number): TrainingOptions => ({
    loss: ({ w }, { x, y }) => ({ loss: tf.mean(tf.square(tf.sub(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D, false, true), y))) as tf.Scalar }),
    params: { w: { shape: [1024, 1028], data: wave(1024 * 1028) } },
    inputs: { x: { shape: [6, 1028] }, y: { shape: [6, 1024] } },
    optimizer: { weightDecay: 1e-2, clipNorm: 0.1 },
    binding, threads,
  });
  const train = async (binding: "native" | "package", threads: number) => {
    const session = await sessionOf(wide(binding, threads));
    const norms: number[] = [];
    for (let t = 0; t < 3; t++) {
      (session.inputs.x as Float32Array).set(wave(6 * 1028, t));
      (session.inputs.y as Float32Array).set(wave(6 * 1024, t + 0.5));
      norms.push((await session.step({ learningRate: 1e-3 })).gradNorm);
    }
    return { session, norms };
  };

  test("and give the update of the whole gradient, for one thread and for three", async () => {
    const whole = await train("package", 1);
    for (const threads of [1, 3]) {
      const streamed = await train("native", threads);
      streamed.norms.forEach((norm, t) => expect(Math.abs(norm / whole.norms[t] - 1)).toBeLessThan(1e-5));
      const { w } = streamed.session.params;
      let largest = 0;
      whole.session.params.w.forEach((value, i) => (largest = Math.max(largest, Math.abs(value - w[i]))));
      expect(largest).toBeLessThan(2e-6);
    }
  });
});
