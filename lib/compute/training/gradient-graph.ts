// From a loss in plain tfjs to one traced program: loss, metrics and gradients.
import * as tf from "@tensorflow/tfjs-core";
import { ComputeError } from "../errors.ts";
import type { Program } from "../trace/ir.ts";
import { trace } from "../trace/trace.ts";
import type { LossFunction, TensorSpec, Tree } from "./types.ts";

/** Names of the program's outputs; its inputs carry the names of the parameters and inputs. */
export const gradientName = (name: string): string => `gradient:${name}`;
export const metricName = (name: string): string => `metric:${name}`;
export const LOSS = "loss";

export interface GradientGraph {
  program: Program;
  /** Parameters that the loss depends on, in the given order. The others are left alone, as by torch (no gradient, no decay). */
  trainable: string[];
  metrics: string[];
}

export interface LossAndGradients {
  loss: tf.Scalar;
  metrics: Record<string, tf.Tensor>;
  /** Null where the loss does not depend on the parameter. */
  gradients: Record<string, tf.Tensor | null>;
}

/** Value, metrics and gradients of a loss; works on eager and on traced tensors alike. */
export function lossAndGradients(loss: LossFunction, params: Tree, inputs: Tree): LossAndGradients {
  const names = Object.keys(params);
  let metrics: Record<string, tf.Tensor> = {};
  const { value, grads } = tf.engine().gradients(
    () => {
      const terms = loss(params, inputs);
      // gradients() disposes of everything but the loss when it ends; metrics are wanted afterwards
      metrics = Object.fromEntries(Object.entries(terms.metrics ?? {}).map(([name, metric]) => [name, tf.keep(metric)]));
      return terms.loss;
    },
    names.map((name) => params[name]),
    undefined,
    true,
  );
  const gradients = Object.fromEntries(names.map((name, i) => [name, grads[i] ?? null]));
  return { loss: value as tf.Scalar, metrics, gradients };
}

/** Traces loss and gradients once. Throws TraceError for what cannot be compiled, ComputeError when nothing is trainable. */
export function traceGradients(
  loss: LossFunction, params: Record<string, TensorSpec>, inputs: Record<string, TensorSpec>,
): GradientGraph {
  let trainable: string[] = [];
  let metricNames: string[] = [];
  const program = trace((tensors) => {
    const result = lossAndGradients(loss, pick(tensors, params), pick(tensors, inputs));
    trainable = Object.keys(params).filter((name) => result.gradients[name]);
    metricNames = Object.keys(result.metrics);
    if (trainable.length === 0) throw nothingToTrain();
    return {
      [LOSS]: result.loss,
      ...Object.fromEntries(metricNames.map((name) => [metricName(name), result.metrics[name]])),
      ...Object.fromEntries(trainable.map((name) => [gradientName(name), result.gradients[name]!])),
    };
  }, mergeSpecs(params, inputs));
  return { program, trainable, metrics: metricNames };
}

export const nothingToTrain = (): ComputeError =>
  new ComputeError("nothing-to-train", "createTrainingSession: the loss depends on none of the parameters");

/** The tensors that a record of specs names. */
export const pick = (tensors: Tree, specs: Record<string, unknown>): Tree =>
  Object.fromEntries(Object.keys(specs).map((name) => [name, tensors[name]]));

/** Parameters and inputs as one set of named inputs. Throws when a name stands for both. */
export function mergeSpecs(params: Record<string, TensorSpec>, inputs: Record<string, TensorSpec>): Record<string, TensorSpec> {
  const twice = Object.keys(inputs).find((name) => name in params);
  if (twice !== undefined) throw new Error(`"${twice}" names a parameter and an input; rename one of them`);
  return { ...params, ...inputs };
}
