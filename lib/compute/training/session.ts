// createTrainingSession: a loss in plain tfjs becomes a training step.
import { resolveDevice } from "../device.ts";
import { checkOptions } from "./checks.ts";
import { createCompiledSession } from "./compiled-session.ts";
import type { TrainingOptions, TrainingSession } from "./types.ts";

/**
 * Compiles loss, gradients and Adam into one training step, or prepares their eager execution (engine tfjs).
 * Throws TraceError for a loss that cannot be compiled, DeviceError for a device that is absent, ComputeError.
 */
export async function createTrainingSession(options: TrainingOptions): Promise<TrainingSession> {
  checkOptions(options);
  const device = resolveDevice(options.engine ?? "onnx", options.device ?? "auto");
  if (device.engine === "onnx") return createCompiledSession(options);
  const { createEagerSession } = await import("./eager-session.ts"); // keeps the eager backends out of compiled runs
  return createEagerSession(options, device);
}
