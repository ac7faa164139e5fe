// Corrected gradients of tfjs.
export { registerGradients } from "./register.ts";
export { outputSavingKernels } from "./saved-outputs.ts";
