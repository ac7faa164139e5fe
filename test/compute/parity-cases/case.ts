// A parity case: a small tfjs function with inputs, whose values and derivatives every engine must agree on.
import * as tf from "@tensorflow/tfjs-core";
import type { TensorSpec } from "../../../lib/compute/trace/ir.ts";

export interface InputSpec extends TensorSpec {
  readonly data: readonly number[];
}

export type CaseInputs = Record<string, tf.Tensor>;

export interface ParityCase {
  readonly name: string;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly run: (inputs: CaseInputs) => tf.Tensor | tf.Tensor[];
  /** How often the outputs are differentiated with respect to the float inputs. */
  readonly order: 0 | 1 | 2;
}

/** Distinct, evenly scattered numbers in (low, high): the golden-ratio sequence, so that nothing is tied or on a kink. */
export function scattered(shape: readonly number[], low = -2, high = 2): InputSpec {
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  const offset = 0.137 * shape.length + 0.05 * low;
  const data = Array.from({ length: count }, (_, index) => {
    const position = (offset + (index + 1) * 0.6180339887498949) % 1;
    return low + (high - low) * (position < 0 ? position + 1 : position);
  });
  return { shape, data };
}

export function integers(data: readonly number[], shape: readonly number[] = [data.length]): InputSpec {
  return { shape, dtype: "int32", data };
}

export function booleans(data: readonly number[], shape: readonly number[] = [data.length]): InputSpec {
  return { shape, dtype: "bool", data };
}

export function parityCase(
  name: string,
  order: 0 | 1 | 2,
  inputs: Record<string, InputSpec>,
  run: ParityCase["run"],
): ParityCase {
  return { name, order, inputs, run };
}

/** Runs the case and its derivatives; `out0`, `grad:x`, `nested:x` ... */
export function evaluate({ inputs: specs, order, run }: ParityCase, inputs: CaseInputs): Record<string, tf.Tensor> {
  const differentiable = Object.keys(specs).filter((name) => (specs[name].dtype ?? "float32") === "float32");
  const outputsOf = (values: tf.Tensor[]) => {
    const replaced = Object.fromEntries(differentiable.map((name, index) => [name, values[index]]));
    const outputs = run({ ...inputs, ...replaced });
    return Array.isArray(outputs) ? outputs : [outputs];
  };
  // A fixed pattern of weights gives every output element a gradient of its own.
  const weigh = (output: tf.Tensor) => {
    const weights = tf.tensor(scattered([output.size], 0.5, 1.5).data as number[], output.shape);
    return tf.sum(tf.mul(output, weights));
  };
  const total = (tensors: tf.Tensor[]) => tensors.map(weigh).reduce((sum, term) => tf.add(sum, term)) as tf.Scalar;
  // An input that nothing depends on has no gradient: then it counts as zero.
  const differentiate = (scalar: (values: tf.Tensor[]) => tf.Scalar) => (values: tf.Tensor[]) => {
    const { grads } = tf.engine().gradients(() => scalar(values), values, undefined, true);
    return values.map((value, index) => (grads[index] as tf.Tensor | undefined) ?? tf.zerosLike(value));
  };
  const gradientsOf = differentiate((values) => total(outputsOf(values).filter(({ dtype }) => dtype === "float32")));
  const start = differentiable.map((name) => inputs[name]);

  const results: Record<string, tf.Tensor> = {};
  outputsOf(start).forEach((output, index) => (results[`out${index}`] = output));
  if (order >= 1)
    gradientsOf(start).forEach((gradient, index) => (results[`grad:${differentiable[index]}`] = gradient));
  if (order === 2) {
    const nested = differentiate((values) => total(gradientsOf(values).map((gradient) => tf.square(gradient))));
    nested(start).forEach((gradient, index) => (results[`nested:${differentiable[index]}`] = gradient));
  }
  return results;
}
