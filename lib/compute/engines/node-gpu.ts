// TensorFlow's own CUDA kernels through @tensorflow/tfjs-node-gpu, when the package and its binary are installed.
import { importOptional } from "./optional.ts";

const packageName = "@tensorflow/tfjs-node-gpu";
const cure = `bun add ${packageName} && bun pm trust ${packageName} (its install script fetches the native binary), and CUDA`;

export async function openNodeGpu(): Promise<string> {
  await importOptional(packageName, "--device cuda", cure);
  return "tensorflow";
}
