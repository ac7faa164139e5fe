// Eager engines: what opens, and what a user reads when it does not.
import { afterAll, describe, expect, test } from "bun:test";
import * as tf from "@tensorflow/tfjs-core";
import { DeviceError } from "../../lib/compute/device.ts";
import { type EagerDevice, openEngine } from "../../lib/compute/engines/index.ts";

afterAll(async () => {
  await openEngine("tfjs", "cpu");
});

async function refusal(device: string): Promise<DeviceError> {
  try {
    await openEngine("tfjs", device as EagerDevice);
  } catch (error) {
    if (error instanceof DeviceError) return error;
    throw error;
  }
  throw new Error(`${device} opened`);
}

/** Whether an optional package is installed: then its absence cannot be tested. */
const installed = (packageName: string): boolean => {
  try {
    import.meta.resolve(packageName);
    return true;
  } catch {
    return false;
  }
};

describe.each(["cpu", "wasm"] as const)("%s", (device) => {
  test("opens, becomes current and computes", async () => {
    expect(await openEngine("tfjs", device)).toEqual({ device, backend: device });
    expect(tf.getBackend()).toBe(device);
    const product = tf.matMul(
      tf.tensor2d([
        [1, 2],
        [3, 4],
      ]),
      tf.tensor2d([
        [5, 6],
        [7, 8],
      ]),
    );
    expect([...product.dataSync()]).toEqual([19, 22, 43, 50]);
  });

  test("has the corrected second derivatives", async () => {
    await openEngine("tfjs", device);
    const [value] = tf.grad(tf.grad(tf.tanh))(tf.scalar(0.3)).dataSync();
    expect(value).toBeCloseTo(-2 * Math.tanh(0.3) * (1 - Math.tanh(0.3) ** 2), 4);
  });

  test("can be opened twice", async () => {
    await openEngine("tfjs", device);
    expect((await openEngine("tfjs", device)).backend).toBe(device);
  });
});

test("wasm names the kernel it lacks and the way out: it cannot train convolutions", async () => {
  await openEngine("tfjs", "wasm");
  const train = () =>
    tf.grad((w: tf.Tensor) => tf.sum(tf.conv2d(tf.ones<tf.Rank.R4>([1, 4, 4, 1]), w as tf.Tensor4D, 2, "same")))(
      tf.ones([2, 2, 1, 1]),
    );
  expect(train).toThrow(DeviceError);
  expect(train).toThrow("'Conv2DBackpropFilter' (it cannot train convolutions): use --device cpu or --engine onnx");
});

test.if(!installed("@tensorflow/tfjs-node-gpu"))("cuda without its package names the cure", async () => {
  const error = await refusal("cuda");
  expect(error.code).toBe("unavailable");
  expect(error.message).toContain("package @tensorflow/tfjs-node-gpu is not installed");
  expect(error.message).toContain("bun add @tensorflow/tfjs-node-gpu && bun pm trust @tensorflow/tfjs-node-gpu");
});

test.if(!installed("webgpu"))("webgpu without its package names the cure", async () => {
  const error = await refusal("webgpu");
  expect(error.code).toBe("unavailable");
  expect(error.message).toContain("bun add @tensorflow/tfjs-backend-webgpu webgpu");
});

test("a refused device leaves the current one in place", async () => {
  await openEngine("tfjs", "cpu");
  await refusal("quantum");
  expect(tf.getBackend()).toBe("cpu");
});

test("an unknown device is answered with those that exist", async () => {
  const error = await refusal("tpu");
  expect(error.code).toBe("mismatch");
  expect(error.message).toContain("no device 'tpu'; choose one of cpu, wasm, webgpu, cuda");
});
