// Gradients of broadcasting kernels that tfjs returns in the wrong shape, and then refuses itself.
import * as tf from "@tensorflow/tfjs-core";

const kernelNames = ["BatchMatMul", "Maximum", "Minimum", "SquaredDifference"];

/** Makes those gradients add up over the axes along which an operand was repeated. */
export function reduceBroadcastGradients(): void {
  for (const kernelName of kernelNames) {
    const original = tf.getGradient(kernelName);
    tf.unregisterGradient(kernelName);
    tf.registerGradient({
      ...original,
      gradFunc: (dy, saved, attributes) => {
        const [a, b] = saved;
        const gradients = original.gradFunc(dy, saved, attributes);
        return { a: () => sumTo(gradients.a(), a.shape), b: () => sumTo(gradients.b(), b.shape) };
      },
    });
  }
}

function sumTo(gradient: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, gradient.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(gradient, axes) : gradient, shape);
}
