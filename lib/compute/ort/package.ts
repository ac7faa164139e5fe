// The onnxruntime-node package, loaded late and with its telemetry off.
import { disableTelemetry } from "./telemetry.ts";

/** The package's own binding. */
export function openPackage(): Promise<typeof import("onnxruntime-node")> {
  disableTelemetry();
  return import("onnxruntime-node");
}
