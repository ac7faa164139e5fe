// From a loss in plain tfjs to one traced program: loss, metrics and gradients.
import * as tf from "@tensorflow/tfjs-core";
import { ComputeError } from "../errors.ts";
import { type Program, sameShape } from "../trace/ir.ts";
import { trace } from "../trace/trace.ts";
import type { LossFunction, TensorSpec, Tree } from "./types.ts";

/** Names of the program's outputs; its inputs carry the names of the parameters and inputs. */
export const gradientName = (name: string): string => `gradient:${name}`;
export const metricName = (name: string): string => `metric:${name}`;
/** The carry as the step finds it, and as it leaves it. */
export const carryName = (name: string): string => `carry:${name}`;
export const nextCarryName = (name: string): string => `next:${name}`;
export const LOSS = "loss";

export interface GradientGraph {
  program: Program;
  /** Parameters that the loss depends on, in the given order. The others are left alone, as by torch (no gradient, no decay). */
  trainable: string[];
  metrics: string[];
  /** Names of the carried tensors to which the loss gives new values. */
  carried: string[];
}

export interface LossAndGradients {
  loss: tf.Scalar;
  metrics: Record<string, tf.Tensor>;
  carry: Record<string, tf.Tensor>;
  /** Null where the loss does not depend on the parameter. */
  gradients: Record<string, tf.Tensor | null>;
}

/** Value, metrics, new carry and gradients of a loss; works on eager and on traced tensors alike. */
export function lossAndGradients(loss: LossFunction, params: Tree, inputs: Tree, carry: Tree): LossAndGradients {
  const names = Object.keys(params);
  let metrics: Record<string, tf.Tensor> = {};
  let nextCarry: Record<string, tf.Tensor> = {};
  const { value, grads } = tf.engine().gradients(
    () => {
      const terms = loss(params, inputs, carry);
      // gradients() disposes of everything but the loss when it ends; the others are wanted afterwards
      metrics = kept(terms.metrics);
      nextCarry = kept(terms.carry);
      return terms.loss;
    },
    names.map((name) => params[name]),
    undefined,
    true,
  );
  const gradients = Object.fromEntries(names.map((name, i) => [name, grads[i] ?? null]));
  return { loss: value as tf.Scalar, metrics, carry: nextCarry, gradients };
}

const kept = (tensors: Record<string, tf.Tensor> = {}): Record<string, tf.Tensor> =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tf.keep(tensor)]));

interface TracedSpecs {
  params: Record<string, TensorSpec>;
  inputs: Record<string, TensorSpec>;
  carry: Record<string, TensorSpec>;
}

/**
 * Traces loss and gradients once. Throws TraceError for what cannot be compiled, ComputeError when nothing is trainable or when
 * the loss returns a carry that it was not given, or with another shape.
 */
export function traceGradients(loss: LossFunction, { params, inputs, carry }: TracedSpecs): GradientGraph {
  let trainable: string[] = [];
  let metricNames: string[] = [];
  let carried: string[] = [];
  const carrySpecs = Object.fromEntries(Object.entries(carry).map(([name, spec]) => [carryName(name), spec]));
  const program = trace((tensors) => {
    const found = Object.fromEntries(Object.keys(carry).map((name) => [name, tensors[carryName(name)]]));
    const result = lossAndGradients(loss, pick(tensors, params), pick(tensors, inputs), found);
    trainable = Object.keys(params).filter((name) => result.gradients[name]);
    metricNames = Object.keys(result.metrics);
    carried = Object.keys(result.carry);
    if (trainable.length === 0) throw nothingToTrain();
    checkCarry(result.carry, carry);
    return {
      [LOSS]: result.loss,
      ...Object.fromEntries(metricNames.map((name) => [metricName(name), result.metrics[name]])),
      ...Object.fromEntries(carried.map((name) => [nextCarryName(name), result.carry[name]])),
      ...Object.fromEntries(trainable.map((name) => [gradientName(name), result.gradients[name]!])),
    };
  }, mergeSpecs(mergeSpecs(params, inputs), carrySpecs));
  return { program, trainable, metrics: metricNames, carried };
}

/** Throws ComputeError unless every new value has the name and the shape of a carried tensor. */
export function checkCarry(next: Record<string, tf.Tensor>, carry: Record<string, TensorSpec>): void {
  for (const [name, { shape, dtype }] of Object.entries(next)) {
    const wanted = carry[name]?.shape;
    if (wanted && sameShape(shape, wanted) && dtype === "float32") continue;
    const want = wanted ? `float32 [${wanted.join(", ")}]` : `one of ${Object.keys(carry).join(", ") || "none (the session has no carry)"}`;
    throw new ComputeError("carry-invalid", `createTrainingSession: the loss returns the carry "${name}" as ${dtype} [${shape.join(", ")}]; wanted ${want}`);
  }
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
