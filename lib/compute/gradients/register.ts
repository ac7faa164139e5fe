// Registers tfjs's gradients with the corrections of this folder; after that, second derivatives are right.
import "@tensorflow/tfjs-core/dist/register_all_gradients";
// The gradients of Prod and GatherV2 call these as methods, which tfjs-core alone does not define.
import "@tensorflow/tfjs-core/dist/public/chained_ops/reshape";
import "@tensorflow/tfjs-core/dist/public/chained_ops/slice";
import "@tensorflow/tfjs-core/dist/public/chained_ops/split";
import { registerAxisGradients } from "./along-axis.ts";
import { registerDifferentiableGradients } from "./backward-kernels.ts";
import { reduceBroadcastGradients } from "./broadcasting.ts";
import { recomputeCustomGradients } from "./custom-gradient.ts";
import { registerEinsumGradient } from "./einsum.ts";
import { recomputeSavedOutputs } from "./saved-outputs.ts";
import { registerWindowGradients } from "./windows.ts";
import { registerZeroGradients } from "./zero-gradients.ts";

let registered = false;

/** Corrects tfjs's gradients, once per process; every way into this package does it. */
export function registerGradients(): void {
  if (registered) return;
  registered = true;
  recomputeSavedOutputs();
  recomputeCustomGradients();
  registerZeroGradients();
  reduceBroadcastGradients();
  registerAxisGradients();
  registerDifferentiableGradients();
  registerWindowGradients();
  registerEinsumGradient();
}
