// Linear layers: plain, and masked for autoregressive networks. Weights are [out, in], as
// torch keeps them: a row is one unit, and the compiler can stream a large matrix through a product as it lies.

import type { Tree } from "@cleanloop/compute";
import * as tf from "@tensorflow/tfjs-core";
import { ModelError } from "./errors.ts";

/** x [n, in] times the transpose of `${name}.weight` [out, in], plus `${name}.bias` [out]. */
export function linear(params: Tree, name: string, x: tf.Tensor2D): tf.Tensor2D {
  const weight = parameter(params, `${name}.weight`) as tf.Tensor2D;
  return tf.add(tf.matMul(x, weight, false, true), parameter(params, `${name}.bias`));
}

/**
 * A linear layer whose weight is zero wherever `mask` [out, in] is zero. The mask is not applied here but once, when
 * the parameters are made; the gradient of the weight is masked, so masked entries stay exactly zero under any
 * optimizer that moves a zero weight with a zero gradient nowhere (Adam, with or without weight decay). This saves a
 * pass over the weights in every forward and is otherwise equal to multiplying by the mask.
 */
export function maskedLinear(params: Tree, name: string, x: tf.Tensor2D, mask: tf.Tensor2D): tf.Tensor2D {
  const weight = parameter(params, `${name}.weight`) as tf.Tensor2D;
  return tf.add(maskedMatMul(x, weight, mask), parameter(params, `${name}.bias`));
}

function maskedMatMul(x: tf.Tensor2D, weight: tf.Tensor2D, mask: tf.Tensor2D): tf.Tensor2D {
  const product = tf.customGrad((...args) => {
    const [input, kernel, save] = args as unknown as [tf.Tensor2D, tf.Tensor2D, tf.GradSaveFunc];
    save([input, kernel, mask]);
    return {
      value: tf.matMul(input, kernel, false, true),
      gradFunc: (dy, saved) => {
        const [savedInput, savedKernel, savedMask] = saved as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
        const dOut = dy as tf.Tensor2D;
        return [tf.matMul(dOut, savedKernel), tf.mul(tf.matMul(dOut, savedInput, true, false), savedMask)];
      },
    };
  });
  return product(x, weight) as tf.Tensor2D;
}

function parameter(params: Tree, name: string): tf.Tensor {
  const found = params[name];
  if (found === undefined) {
    throw new ModelError(
      "MISSING_PARAMETER",
      `model: got no parameter ${name}; load a checkpoint of this configuration`,
    );
  }
  return found;
}
