// The gradient of tf.einsum, which tfjs lacks.
import * as tf from "@tensorflow/tfjs-core";

/**
 * Registers it. The gradient for an operand is the Einstein sum of dy and the other operands onto the operand's labels;
 * labels that only this operand has were summed away, so their gradient is repeated along them.
 */
export function registerEinsumGradient(): void {
  tf.registerGradient({
    kernelName: "Einsum",
    saveAllInputs: true,
    gradFunc: (dy, operands, attributes) => {
      const [left, output] = (attributes.equation as string).replaceAll(" ", "").split("->");
      const labels = left.split(",");
      return Object.fromEntries(
        operands.map((operand, position) => [
          String(position),
          () => operandGradient(dy as tf.Tensor, operands, labels, output, operand, position),
        ]),
      );
    },
  });
}

function operandGradient(
  dy: tf.Tensor,
  operands: tf.Tensor[],
  labels: readonly string[],
  output: string,
  operand: tf.Tensor,
  position: number,
): tf.Tensor {
  const others = operands.filter((_, index) => index !== position);
  const otherLabels = labels.filter((_, index) => index !== position);
  const own = [...labels[position]];
  const known = own.filter((label) => output.includes(label) || otherLabels.some((other) => other.includes(label)));
  const gradient = tf.einsum(`${[output, ...otherLabels].join()}->${known.join("")}`, dy, ...others);
  const spread = operand.shape.map((size, axis) => (known.includes(own[axis]) ? size : 1));
  return tf.broadcastTo(tf.reshape(gradient, spread), operand.shape);
}
