// Every mapped kernel, values and derivatives, on every engine at hand, against eager tfjs on its cpu backend.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import * as tf from "@tensorflow/tfjs-core";
import { openEngine } from "../../lib/compute/engines/index.ts";
import { backendName, registerTraceBackend } from "../../lib/compute/trace/backend.ts";
import type { Program } from "../../lib/compute/trace/ir.ts";
import { mappedKernels } from "../../lib/compute/trace/kernels/index.ts";
import { toOnnx } from "../../lib/compute/trace/lower.ts";
import { optimize } from "../../lib/compute/trace/rewrite.ts";
import { trace } from "../../lib/compute/trace/trace.ts";
import { runModel } from "./onnx-session.ts";
import { evaluate, type ParityCase, parityCase, scattered } from "./parity-cases/case.ts";
import { parityCases } from "./parity-cases/index.ts";

/** Largest difference over largest magnitude, per tensor. */
const tolerance = 1e-5;

/** What tfjs's wasm backend gets wrong, so that its answers are not compared. */
const wrongOnWasm: Readonly<Record<string, string>> = {
  "log1p near zero": "computes log(1 + x), which rounds x away",
  floorDiv: "returns float32 where the other backends return int32",
  "maxPool 2x2 stride 2": "sends the gradient to the wrong positions",
  "maxPool 3x3 stride 2 same, overlapping": "sends the gradient to the wrong positions",
  "maxPool 3x3 stride 2 padded by 1": "sends the gradient to the wrong positions",
  cast: "keeps the numbers when it casts them to bool",
  "dot and outer product": "multiplies a column by a row wrongly",
  "truth values are moved too": "reads four bytes per bool, and damages its own memory",
};

/** How the backend says that it lacks something. */
const wasmLacks = /tfjs on wasm has no kernel/;

type Results = Record<string, { shape: readonly number[]; dtype: string; data: ArrayLike<number> }>;

function eager(subject: ParityCase): Results {
  const results: Results = {};
  tf.tidy(() => {
    const inputs = Object.fromEntries(
      Object.entries(subject.inputs).map(([name, { shape, dtype, data }]) => [
        name,
        tf.tensor([...data], [...shape], dtype ?? "float32"),
      ]),
    );
    for (const [name, tensor] of Object.entries(evaluate(subject, inputs))) {
      results[name] = { shape: tensor.shape, dtype: tensor.dtype, data: tensor.dataSync() };
    }
  });
  return results;
}

const references = new Map<string, Results>();

/** The eager results on the cpu backend, computed once. */
function reference(subject: ParityCase): Results {
  const known = references.get(subject.name);
  if (known) return known;
  const backend = tf.getBackend();
  tf.setBackend("cpu");
  const results = eager(subject);
  tf.setBackend(backend);
  references.set(subject.name, results);
  return results;
}

function compareWithReference(subject: ParityCase, actual: Results): void {
  const expected = reference(subject);
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, { shape, dtype, data }] of Object.entries(expected)) {
    expect([name, actual[name].dtype, [...actual[name].shape]]).toEqual([name, dtype, [...shape]]);
    const values = Array.from(data, Number);
    const scale = Math.max(...values.filter(Number.isFinite).map(Math.abs)) || 1;
    const error = Math.max(
      ...values.map((value, index) => {
        const other = Number(actual[name].data[index]);
        return Object.is(value, other) ? 0 : Math.abs(value - other) / scale;
      }),
      0,
    );
    if (!(error <= tolerance))
      throw new Error(`${subject.name}, ${name}: relative error ${error}, at most ${tolerance} wanted`);
  }
}

const hit = new Set<string>();

/** Counts which kernels the traces reach. */
function watchKernels(): void {
  registerTraceBackend();
  for (const config of tf.getKernelsForBackend(backendName)) {
    const { kernelFunc } = config;
    config.kernelFunc = (call) => {
      hit.add(config.kernelName);
      return kernelFunc(call);
    };
  }
}

beforeAll(async () => {
  watchKernels();
  await openEngine("tfjs", "cpu");
});

afterAll(async () => {
  await openEngine("tfjs", "cpu");
});

const compiled: [string, (program: Program) => Program][] = [
  ["onnx, as recorded", (program) => program],
  ["onnx, optimised", optimize],
];

describe.each(compiled)("%s", (_, transform) => {
  test.each(parityCases.map((subject) => [subject.name, subject] as const))("%s", async (_name, subject) => {
    const program = transform(trace((inputs) => evaluate(subject, inputs), subject.inputs));
    compareWithReference(subject, await runModel(toOnnx(program), subject.inputs));
  });
});

test("the cases reach exactly the mapped kernels", () => {
  const unreached = [...mappedKernels.keys()].filter((kernel) => !hit.has(kernel));
  const unmapped = [...hit].filter((kernel) => !mappedKernels.has(kernel));
  expect({ unreached, unmapped }).toEqual({ unreached: [], unmapped: [] });
});

// Linear maps A, so that <A x, w> = <x, gradient> for every x and w whatever eager tfjs says.
const resizing: [string, number[], (x: tf.Tensor4D) => tf.Tensor][] = [
  ["nearest neighbour in a batch", [2, 4, 4, 3], (x) => tf.image.resizeNearestNeighbor(x, [8, 6])],
  ["bilinear, not square", [2, 4, 6, 3], (x) => tf.image.resizeBilinear(x, [7, 5])],
  ["bilinear with half-pixel centres", [1, 4, 6, 2], (x) => tf.image.resizeBilinear(x, [9, 5], false, true)],
  [
    "nearest neighbour with half-pixel centres",
    [2, 5, 4, 2],
    (x) => tf.image.resizeNearestNeighbor(x, [3, 11], false, true),
  ],
];

test.each(resizing)(
  "the compiled gradient of resizing is the adjoint where eager tfjs is wrong: %s",
  async (_, shape, resize) => {
    const image = { x: scattered(shape) };
    const program = trace(
      ({ x }) =>
        evaluate(
          parityCase("resize", 1, image, (inputs) => resize(inputs.x as tf.Tensor4D)),
          { x },
        ),
      image,
    );
    const { out0, "grad:x": gradient } = await runModel(toOnnx(optimize(program)), image);
    const inner = (a: ArrayLike<number>, b: ArrayLike<number>) =>
      Array.from(a, (value, index) => value * b[index]).reduce((sum, term) => sum + term, 0);
    const weights = scattered([out0.data.length], 0.5, 1.5).data;
    expect(inner(gradient.data, image.x.data)).toBeCloseTo(inner(out0.data, weights), 4);
  },
);

describe("tfjs wasm", () => {
  const refused: string[] = [];
  beforeAll(async () => {
    await openEngine("tfjs", "wasm");
  });

  const comparable = parityCases.filter(({ name }) => !(name in wrongOnWasm));
  test.each(comparable.map((subject) => [subject.name, subject] as const))("%s", (name, subject) => {
    let results: Results;
    try {
      results = eager(subject);
    } catch (error) {
      expect(String(error)).toMatch(wasmLacks);
      refused.push(name);
      return;
    }
    compareWithReference(subject, results);
  });

  test("most cases run", () => {
    expect(refused.length).toBeLessThan(parityCases.length / 2);
  });
});
