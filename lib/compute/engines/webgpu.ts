// tfjs's WebGPU backend, when its package and a WebGPU implementation are installed.
import { DeviceError } from "../device.ts";
import { importOptional } from "./optional.ts";

const cure = "bun add @tensorflow/tfjs-backend-webgpu webgpu, and a Vulkan driver (Mesa 25 or newer)";

interface WebgpuPackage {
  readonly create: (options: string[]) => unknown;
  readonly globals: object;
}

export async function openWebgpu(): Promise<string> {
  if (!("gpu" in globalThis.navigator)) {
    const { create, globals } = await importOptional<WebgpuPackage>("webgpu", "--device webgpu", cure);
    Object.assign(globalThis, globals);
    Object.defineProperty(globalThis.navigator, "gpu", { value: create([]), configurable: true });
  }
  const gpu: { requestAdapter(): Promise<unknown> } = (globalThis.navigator as never)["gpu"];
  if (!(await gpu.requestAdapter())) {
    throw new DeviceError(
      "unavailable",
      `--device webgpu: no adapter found. Install a Vulkan driver (Mesa 25 or newer), or use --device cpu`,
    );
  }
  await importOptional("@tensorflow/tfjs-backend-webgpu", "--device webgpu", cure);
  return "webgpu";
}
