// Gradients of kernels that appear only in gradients: without them tfjs cannot differentiate twice.
import * as tf from "@tensorflow/tfjs-core";

/** Registers the gradients of EluGrad and Conv2DBackpropFilter, which tfjs lacks. */
export function registerDifferentiableGradients(): void {
  tf.registerGradient({
    kernelName: "EluGrad",
    inputsToSave: ["dy", "y"],
    gradFunc: (dx, [dy, y]) => {
      const upstream = dx as tf.Tensor;
      return {
        dy: () => tf.engine().runKernel("EluGrad", { dy: upstream, y }),
        // The slope is 1 for y >= 0 and y + 1 below, so it changes with y only there.
        y: () => tf.mul(tf.mul(upstream, dy), tf.cast(tf.less(y, 0), "float32")),
      };
    },
  });
  tf.registerGradient({
    kernelName: "Conv2DBackpropFilter",
    inputsToSave: ["x", "dy"],
    gradFunc: (dFilter, [x, dy], attributes) => {
      const { filterShape: _, ...window } = attributes;
      const filter = dFilter as tf.Tensor4D;
      return {
        x: () => tf.engine().runKernel("Conv2DBackpropInput", { dy, filter }, { ...window, inputShape: x.shape }),
        dy: () => tf.engine().runKernel("Conv2D", { x, filter }, { ...window, dilations: 1 }),
      };
    },
  });
}
