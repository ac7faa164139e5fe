// Second derivatives through tf.customGrad, and so through tf.logSoftmax, softmax cross entropy and fused operations.
//
// Operations inside the function given to customGrad are not recorded, and saved results are recorded too early (see
// saved-outputs.ts): differentiating such a gradient loses terms without any error. When that happens the function is run
// once more, recorded this time, and its fresh gradient is used.
import * as tf from "@tensorflow/tfjs-core";
import { isBeingDifferentiated } from "./tape.ts";

type CustomFunction = (...inputsAndSave: (tf.Tensor | tf.GradSaveFunc)[]) => {
  value: tf.Tensor;
  gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
};

/** Wraps the engine's customGrad; first derivatives are computed as before. */
export function recomputeCustomGradients(): void {
  const engine = tf.engine();
  const original = engine.customGrad.bind(engine);
  engine.customGrad = ((fn: CustomFunction) => original(recomputing(fn) as never)) as typeof engine.customGrad;
}

function recomputing(fn: CustomFunction): CustomFunction {
  return (...inputsAndSave) => {
    const inputs = inputsAndSave.slice(0, -1) as tf.Tensor[];
    const save = inputsAndSave.at(-1) as tf.GradSaveFunc;
    let own: tf.Tensor[] = [];
    const result = fn(...inputs, (tensors) => {
      own = tensors;
    });
    save([...own, ...inputs]);
    const ownCount = own.length;
    return {
      value: result.value,
      gradFunc: (dy, saved) => {
        if (!isBeingDifferentiated()) return result.gradFunc(dy, saved.slice(0, ownCount));
        let recorded: tf.Tensor[] = [];
        const again = fn(...saved.slice(ownCount), (tensors) => {
          recorded = tensors;
        });
        return again.gradFunc(dy, recorded);
      },
    };
  };
}
