// TensorFlow's own CUDA kernels through @tensorflow/tfjs-node-gpu, when the package and its binary are installed.
import { importOptional } from "./optional.ts";

const packageName = "@tensorflow/tfjs-node-gpu";
// Bun runs no install scripts unless told to, and this package's script is what fetches its native binary.
const cure = `bun add ${packageName} && bun pm trust ${packageName}, and CUDA`;

export async function openNodeGpu(): Promise<string> {
  await importOptional(packageName, "--device cuda", cure);
  return "tensorflow";
}
