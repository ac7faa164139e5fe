// openEngine: makes one of tfjs's backends the current one, or says what is missing and how to get it.
import * as tf from "@tensorflow/tfjs-core";
import { DeviceError } from "../device.ts";
import { registerGradients } from "../gradients/index.ts";
import { openCpu } from "./cpu.ts";
import { openNodeGpu } from "./node-gpu.ts";
import { openWasm } from "./wasm.ts";
import { openWebgpu } from "./webgpu.ts";

export type EagerDevice = "cpu" | "wasm" | "webgpu" | "cuda";

export interface EagerEngine {
  readonly device: EagerDevice;
  /** Name of the tfjs backend that is current now. */
  readonly backend: string;
}

/** Each loads its packages, registers a tfjs backend and returns the backend's name. */
const openers: Record<EagerDevice, () => Promise<string>> = {
  cpu: openCpu,
  wasm: openWasm,
  webgpu: openWebgpu,
  cuda: openNodeGpu,
};

/** Makes tfjs compute on `device` from now on, with corrected gradients. Throws DeviceError when it cannot. */
export async function openEngine(engine: "tfjs", device: EagerDevice): Promise<EagerEngine> {
  if (!Object.hasOwn(openers, device)) {
    throw new DeviceError(
      "mismatch",
      `openEngine: ${engine} has no device '${device}'; choose one of ${Object.keys(openers).join(", ")}`,
    );
  }
  registerGradients();
  const backend = await openers[device]();
  const ready = await tf.setBackend(backend);
  // tfjs falls back to another backend without a word when one does not start.
  if (!ready || tf.getBackend() !== backend) {
    throw new DeviceError(
      "unavailable",
      `openEngine: tfjs backend '${backend}' did not start on this machine; use --device cpu`,
    );
  }
  return { device, backend };
}
