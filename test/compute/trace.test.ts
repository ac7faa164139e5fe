// Tracing: what it records, what it refuses, and that eager tfjs is left as it was.
import { beforeAll, describe, expect, test } from "bun:test";
import * as tf from "@tensorflow/tfjs-core";
import { openEngine } from "../../lib/compute/engines/index.ts";
import { TraceError } from "../../lib/compute/trace/errors.ts";
import type { TensorSpec } from "../../lib/compute/trace/ir.ts";
import { toOnnx } from "../../lib/compute/trace/lower.ts";
import { optimize } from "../../lib/compute/trace/rewrite.ts";
import { type TensorFunction, trace } from "../../lib/compute/trace/trace.ts";
import { runModel } from "./onnx-session.ts";

const vector: Record<string, TensorSpec> = { x: { shape: [3] } };

beforeAll(async () => {
  await openEngine("tfjs", "cpu");
});

/** The error of tracing `fn`. */
function refusal(fn: TensorFunction, specs = vector): TraceError {
  try {
    trace(fn, specs);
  } catch (error) {
    if (error instanceof TraceError) return error;
    throw error;
  }
  throw new Error("trace accepted it");
}

/** Line of this file on which the text stands. */
async function lineOf(text: string): Promise<number> {
  const source = await Bun.file(import.meta.path).text();
  return source.split("\n").findIndex((line) => line.includes(text)) + 1;
}

describe("what is recorded", () => {
  test("inputs and outputs keep their names and order", () => {
    const program = trace(({ a, b }) => ({ sum: tf.add(a, b), "with space": tf.mul(a, b) }), {
      b: { shape: [2] },
      a: { shape: [2] },
    });
    expect([...program.inputs.keys()]).toEqual(["b", "a"]);
    expect([...program.outputs.keys()]).toEqual(["sum", "with space"]);
  });

  test("nodes know their kernel and the model line", async () => {
    const program = trace(({ x }) => {
      const doubled = tf.mul(x, 2); // the marked line
      return { y: tf.exp(doubled) };
    }, vector);
    expect(program.nodes.map(({ op, kernel }) => [op, kernel])).toEqual([
      ["Mul", "Multiply"],
      ["Exp", "Exp"],
    ]);
    expect(program.nodes[0].source).toBe(`${import.meta.path}:${await lineOf("// the marked line")}`);
  });

  test("an expression written twice is computed once", () => {
    const program = trace(({ x }) => ({ y: tf.add(tf.exp(tf.neg(x)), tf.exp(tf.neg(x))) }), vector);
    expect(program.nodes.map(({ op }) => op)).toEqual(["Neg", "Exp", "Add"]);
  });

  test("an eager tensor that the function captures becomes a constant", async () => {
    const captured = tf.tensor1d([10, 20, 30]);
    const { y } = await runModel(toOnnx(trace(({ x }) => ({ y: tf.add(x, captured) }), vector)), {
      x: { shape: [3], data: [1, 2, 3] },
    });
    expect([...y.data]).toEqual([11, 22, 33]);
    expect([...captured.dataSync()]).toEqual([10, 20, 30]);
  });

  test("grad, valueAndGrads, variableGrads, customGrad and tidy work inside", async () => {
    const weight = tf.variable(tf.tensor1d([2, 2, 2]));
    const doubledGradient = tf.customGrad((...args) => ({
      value: tf.square(args[0] as tf.Tensor),
      gradFunc: (dy: tf.Tensor) => tf.mul(dy, 7),
    }));
    const program = trace(({ x }) => {
      const { grads } = tf.variableGrads(() => tf.sum(tf.mul(weight, x)));
      const both = tf.valueAndGrads((a, b) => tf.sum(tf.mul(a, b)));
      return {
        cube: tf.grad((t) => tf.sum(tf.pow(t, 3)))(x),
        variable: grads[weight.name],
        value: both([x, x]).value,
        custom: tf.grad((t) => tf.sum(doubledGradient(t)))(x),
        tidied: tf.tidy(() => tf.add(x, 1)),
      };
    }, vector);
    weight.dispose();
    const results = await runModel(toOnnx(optimize(program)), { x: { shape: [3], data: [1, 2, 3] } });
    expect([...results.cube.data]).toEqual([3, 12, 27]);
    expect([...results.variable.data]).toEqual([1, 2, 3]);
    expect([...results.value.data]).toEqual([14]);
    expect([...results.custom.data]).toEqual([7, 7, 7]);
    expect([...results.tidied.data]).toEqual([2, 3, 4]);
  });
});

describe("lowering", () => {
  test("an output may be an input, a constant, or another output", async () => {
    const program = optimize(
      trace(({ x }) => {
        const y = tf.neg(x);
        return { same: x, ones: tf.onesLike(x), y, again: y };
      }, vector),
    );
    const results = await runModel(toOnnx(program), { x: { shape: [3], data: [1, 2, 3] } });
    expect(Object.keys(results).sort()).toEqual(["again", "ones", "same", "y"]);
    expect([...results.same.data]).toEqual([1, 2, 3]);
    expect([...results.ones.data]).toEqual([1, 1, 1]);
    expect([...results.again.data]).toEqual([-1, -2, -3]);
  });

  test("initializers become part of the model", async () => {
    const program = trace(({ x, w }) => ({ y: tf.mul(x, w) }), { ...vector, w: { shape: [3] } });
    const model = toOnnx(program, { initializers: { w: { shape: [3], data: Float32Array.of(2, 3, 4) } } });
    const { y } = await runModel(model, { x: { shape: [3], data: [1, 1, 1] } });
    expect([...y.data]).toEqual([2, 3, 4]);
  });

  test("an initializer that is no input is refused", () => {
    const program = trace(({ x }) => ({ y: tf.neg(x) }), vector);
    expect(() => toOnnx(program, { initializers: { v: { shape: [1], data: Float32Array.of(1) } } })).toThrow(
      "'v' is not an input",
    );
  });

  test("names that the program uses are not taken twice", async () => {
    const program = trace(({ Mul_2: a }) => ({ Add_3: tf.add(tf.mul(a, a), 1) }), { Mul_2: { shape: [2] } });
    const { Add_3: y } = await runModel(toOnnx(program), { Mul_2: { shape: [2], data: [2, 3] } });
    expect([...y.data]).toEqual([5, 10]);
  });
});

describe("refusals", () => {
  test("an unmapped kernel is named with the model line", async () => {
    const error = refusal(({ x }) => {
      const spectrum = tf.image.flipLeftRight(tf.reshape(x, [1, 1, 3, 1]) as tf.Tensor4D); // unmapped
      return { y: spectrum };
    });
    expect(error.code).toBe("kernel-unmapped");
    expect(error.message).toContain("'FlipLeftRight'");
    expect(error.source).toBe(`${import.meta.path}:${await lineOf("// unmapped")}`);
    expect(error.message).toContain(error.source as string);
  });

  test("complex numbers and strings", () => {
    expect(refusal(({ x }) => ({ y: tf.complex(x, x) })).code).toBe("kernel-unmapped");
    expect(refusal(() => ({ y: tf.tensor(["a", "b"]) })).code).toBe("dtype-unsupported");
  });

  test("reading a traced value", () => {
    for (const read of [(x: tf.Tensor) => x.dataSync(), (x: tf.Tensor) => x.arraySync(), (x: tf.Tensor) => x.print()]) {
      const error = refusal(({ x }) => {
        read(tf.exp(x));
        return { x };
      });
      expect(error.code).toBe("value-read");
      expect(error.message).toContain("tf.where instead of if");
    }
  });

  test("random numbers, with the way out", () => {
    const draws: TensorFunction[] = [
      ({ x }) => ({ y: tf.add(x, tf.randomNormal([3])) }),
      ({ x }) => ({ y: tf.add(x, tf.randomUniform([3])) }),
      ({ x }) => ({ y: tf.dropout(x, 0.5) }),
      ({ x }) => ({ y: tf.mul(x, Math.random()) }),
      ({ x }) => ({ y: tf.multinomial(x as tf.Tensor1D, 2, 1) }),
    ];
    for (const draw of draws) {
      const error = refusal(draw);
      expect(error.code).toBe("random-in-trace");
      expect(error.message).toMatch(/as an argument/);
    }
  });

  test("variables created or assigned", () => {
    expect(refusal(({ x }) => ({ y: tf.variable(x) })).code).toBe("variable-created");
    const counter = tf.variable(tf.scalar(1));
    const error = refusal(({ x }) => {
      counter.assign(tf.sum(x) as tf.Scalar);
      return { x };
    });
    expect(error.code).toBe("variable-assigned");
    expect(counter.dataSync()[0]).toBe(1);
    counter.dispose();
  });

  test("outputs that are no tensors, and async functions", () => {
    expect(refusal((() => ({ y: 3 })) as never).code).toBe("output-invalid");
    expect(refusal((({ x }: Record<string, tf.Tensor>) => ({ y: Promise.resolve(x) })) as never).message).toContain(
      "async",
    );
  });

  test("shapes that are not whole numbers", () => {
    expect(refusal(({ x }) => ({ x }), { x: { shape: [2.5] } }).code).toBe("input-invalid");
    expect(refusal(({ x }) => ({ x }), { x: { shape: [-1] } }).message).toContain("'x' has shape [-1]");
  });

  test("a trace inside a trace", () => {
    expect(refusal(({ x }) => (trace(() => ({}), {}), { x })).code).toBe("nested-trace");
  });

  test("channels-first convolutions", () => {
    const error = refusal(({ x }) => ({
      y: tf.conv2d(tf.reshape(x, [1, 3, 1, 1]) as tf.Tensor4D, tf.ones([1, 1, 3, 1]) as tf.Tensor4D, 1, "same", "NCHW"),
    }));
    expect(error.code).toBe("kernel-option");
  });
});

describe("eager tfjs afterwards", () => {
  const functions: [string, TensorFunction][] = [
    ["a trace", ({ x }) => ({ y: tf.grad((t) => tf.sum(tf.tanh(t)))(x) })],
    ["a refused trace", ({ x }) => ({ y: tf.grad((t) => tf.sum(tf.mul(tf.tanh(t), Math.random())))(x) })],
  ];

  test.each(functions)("%s leaves backend, random numbers, variables and tensors as they were", (_, fn) => {
    const { random } = Math;
    const { assign } = tf.Variable.prototype;
    const before = { backend: tf.getBackend(), variables: Object.keys(tf.engine().registeredVariables) };
    try {
      trace(fn, vector);
    } catch (error) {
      expect(error).toBeInstanceOf(TraceError);
    }
    expect({ backend: tf.getBackend(), variables: Object.keys(tf.engine().registeredVariables) }).toEqual(before);
    expect(Math.random).toBe(random);
    expect(tf.Variable.prototype.assign).toBe(assign);
    expect([...tf.tanh(tf.tensor1d([0])).dataSync()]).toEqual([0]);
    expect(tf.variable(tf.scalar(3)).dataSync()[0]).toBe(3);
  });

  test("no tensors are left behind", () => {
    const count = tf.memory().numTensors;
    trace(functions[0][1], vector);
    expect(tf.memory().numTensors).toBe(count);
  });

  test("before any backend was chosen, tfjs still chooses its own", async () => {
    const script = `
      import * as tf from "@tensorflow/tfjs-core";
      import "@tensorflow/tfjs-backend-cpu";
      import { trace } from "${new URL("../../lib/compute/trace/trace.ts", import.meta.url).pathname}";
      trace(({ x }) => ({ y: tf.neg(x) }), { x: { shape: [1] } });
      console.log(tf.neg(tf.scalar(2)).dataSync()[0], tf.getBackend());`;
    const child = Bun.spawn([process.execPath, "-e", script], {
      cwd: new URL("../../lib/compute", import.meta.url).pathname,
      stderr: "ignore",
    });
    expect((await new Response(child.stdout).text()).trim().split("\n").at(-1)).toBe("-2 cpu");
  });
});
