// Kernels along one axis whose tfjs gradients are wrong: cumulative sums, and splitting into a single part.
import * as tf from "@tensorflow/tfjs-core";

/** Replaces the gradients of Cumsum, SplitV and Unpack. */
export function registerAxisGradients(): void {
  for (const kernelName of ["Cumsum", "SplitV", "Unpack"]) tf.unregisterGradient(kernelName);
  tf.registerGradient({
    kernelName: "Cumsum",
    gradFunc: (dy, _, attributes) => {
      // tfjs transposes the result once more, which mixes up every axis but the last.
      const { axis, exclusive, reverse } = attributes as unknown as tf.CumsumAttrs;
      return { x: () => tf.cumsum(dy as tf.Tensor, axis, exclusive, !reverse) };
    },
  });
  tf.registerGradient({
    kernelName: "SplitV",
    gradFunc: (dys, _, { axis }) => ({ x: () => tf.concat(allOf(dys), axis as number) }),
  });
  tf.registerGradient({
    kernelName: "Unpack",
    gradFunc: (dys, _, { axis }) => ({ value: () => tf.stack(allOf(dys), axis as number) }),
  });
}

/** tfjs hands over a bare tensor instead of a list of one. */
function allOf(dys: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
  return Array.isArray(dys) ? dys : [dys];
}
