// Kernels that are constant almost everywhere: their gradient is zero, where tfjs has none and throws.
import * as tf from "@tensorflow/tfjs-core";

const inputNames: Readonly<Record<string, readonly string[]>> = {
  Equal: ["a", "b"],
  Greater: ["a", "b"],
  GreaterEqual: ["a", "b"],
  Less: ["a", "b"],
  LessEqual: ["a", "b"],
  LogicalAnd: ["a", "b"],
  LogicalNot: ["x"],
  LogicalOr: ["a", "b"],
  NotEqual: ["a", "b"],
};

/** Registers zero gradients for comparisons and logic, as float32 whatever the operands are. */
export function registerZeroGradients(): void {
  for (const [kernelName, names] of Object.entries(inputNames)) {
    if (tf.getGradient(kernelName)) tf.unregisterGradient(kernelName);
    tf.registerGradient({
      kernelName,
      inputsToSave: [...names],
      gradFunc: (_, saved) =>
        Object.fromEntries(names.map((name, index) => [name, () => tf.zeros(saved[index].shape)])),
    });
  }
}
