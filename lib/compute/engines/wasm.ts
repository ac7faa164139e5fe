// tfjs's WebAssembly backend: faster than the JavaScript one, without kernels for convolution gradients.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { DeviceError } from "../device.ts";

export async function openWasm(): Promise<string> {
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  setWasmPaths(join(dirname(fileURLToPath(import.meta.resolve("@tensorflow/tfjs-backend-wasm"))), "/"));
  registerRefusals();
  return "wasm";
}

/** Kernels that the backend lacks say what to do instead of only that they are missing. */
function registerRefusals(): void {
  for (const [name, value] of Object.entries(tf)) {
    if (value !== name || tf.getKernel(name, "wasm")) continue;
    tf.registerKernel({
      kernelName: name,
      backendName: "wasm",
      kernelFunc: () => {
        const convolution = /Conv.*Backprop/.test(name) ? " (it cannot train convolutions)" : "";
        throw new DeviceError(
          "mismatch",
          `tfjs on wasm has no kernel '${name}'${convolution}: use --device cpu or --engine onnx`,
        );
      },
    });
  }
}
