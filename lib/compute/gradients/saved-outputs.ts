// Second derivatives through kernels whose gradient uses their own output.
//
// tfjs records the saved copy of an output on the tape before the kernel that made it. Going backwards, the kernel is
// therefore finished before the contribution that arrives through the saved copy, and that contribution is lost: the
// second derivative of tanh, exp, softmax ... is wrong without any error. Here the gradient of such a kernel keeps its
// inputs too and, when it is itself being differentiated, computes the output again from them, on the tape.
import * as tf from "@tensorflow/tfjs-core";
import { isBeingDifferentiated } from "./tape.ts";

/** Every tfjs kernel whose registered gradient saves outputs, with the names of its inputs. */
export const outputSavingKernels: Readonly<Record<string, readonly string[]>> = {
  Elu: ["x"],
  Exp: ["x"],
  LogSoftmax: ["logits"],
  LRN: ["x"],
  Max: ["x"],
  MaxPool: ["x"],
  MaxPool3D: ["x"],
  Min: ["x"],
  Pow: ["a", "b"],
  Sigmoid: ["x"],
  Softmax: ["logits"],
  Tanh: ["x"],
};

/** Replaces the registered gradients of `outputSavingKernels`. */
export function recomputeSavedOutputs(): void {
  for (const [kernelName, inputNames] of Object.entries(outputSavingKernels)) {
    const original = tf.getGradient(kernelName);
    tf.unregisterGradient(kernelName);
    tf.registerGradient({
      kernelName,
      inputsToSave: [...inputNames],
      outputsToSave: [true],
      gradFunc: (dy, saved, attributes) => {
        const inputs = Object.fromEntries(inputNames.map((name, index) => [name, saved[index]]));
        const output: tf.Tensor = isBeingDifferentiated()
          ? tf.engine().runKernel(kernelName, inputs, attributes)
          : saved[inputNames.length];
        const expected = (original.inputsToSave ?? []).map((name) => inputs[name]);
        return original.gradFunc(dy, [...expected, output], attributes);
      },
    });
  }
}
