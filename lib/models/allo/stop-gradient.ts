// A tensor that gradients do not flow into.

import * as tf from "@tensorflow/tfjs-core";

/** x itself, as a constant for differentiation. */
export function stopGradient<T extends tf.Tensor>(x: T): T {
  const constant = tf.customGrad((...args) => {
    const [value] = args as unknown as [tf.Tensor];
    return { value: tf.clone(value), gradFunc: () => tf.zerosLike(value) };
  });
  return constant(x) as T;
}
