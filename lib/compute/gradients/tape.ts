// The one question that the corrections ask tfjs's tape.
import * as tf from "@tensorflow/tfjs-core";

/** Whether the gradient being computed is inside another differentiation, so that its own operations are recorded. */
export function isBeingDifferentiated(): boolean {
  return tf.engine().state.gradientDepth > 0;
}
