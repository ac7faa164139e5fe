// Which engine and device a session runs on: what was asked for, or a clear error that names the cure.
import type { Device, Engine } from "./training/types.ts";

/** A device or engine that was asked for and cannot be used here. */
export class DeviceError extends Error {
  override name = "DeviceError";
  constructor(readonly code: "unavailable" | "mismatch", message: string) {
    super(message);
  }
}

export interface ResolvedDevice {
  engine: Engine;
  /** onnx: cpu. tfjs: cpu, wasm, webgpu, or cuda (tfjs-node-gpu). */
  device: "cpu" | "wasm" | "webgpu" | "cuda";
  /** One line for the log: what was chosen and why. */
  reason: string;
}

/** Resolves `auto` and refuses combinations that do not exist. Throws DeviceError. */
export function resolveDevice(engine: Engine, device: Device): ResolvedDevice {
  if (engine === "tfjs") {
    if (device === "auto") return { engine, device: "cpu", reason: "tfjs on its cpu backend: the reference; name wasm, webgpu or cuda for another" };
    return { engine, device, reason: `tfjs on ${device}, as asked` };
  }
  if (device === "wasm") {
    throw new DeviceError("mismatch", "--device wasm is a tfjs backend: add --engine tfjs, or use --device cpu with the compiled engine");
  }
  if (device === "webgpu" || device === "cuda") {
    throw new DeviceError(
      "unavailable",
      `--device ${device} is not yet available for the compiled engine: use --device cpu, or --engine tfjs --device ${device}`,
    );
  }
  const asked = device === "cpu" ? "as asked" : "the only device of the compiled engine in this version";
  return { engine, device: "cpu", reason: `compiled for the CPU, ${asked}` };
}
