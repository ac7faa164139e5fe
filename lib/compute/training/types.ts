// The public shapes of a training session.
import type * as tf from "@tensorflow/tfjs-core";
import type { AdamOptions } from "../optimizer/adam.ts";
import type { AveragingOptions } from "../optimizer/averaging.ts";
import type { BindingKind } from "../worker/protocol.ts";

/** Tensors by name; a parameter's name is also its name in checkpoints. */
export type Tree = Record<string, tf.Tensor>;

export interface TensorSpec {
  readonly shape: readonly number[];
  /** Default float32. */
  readonly dtype?: "float32" | "int32";
}

/** A float32 tensor in host memory, row-major. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export type InputArray = Float32Array | Int32Array;

/** What is minimised, scalars to be reported with it, and what the next step finds in its carry. */
export interface LossTerms {
  loss: tf.Scalar;
  metrics?: Record<string, tf.Tensor>;
  /** New values, by name, of carried tensors; those that are left out stay as they are. */
  carry?: Record<string, tf.Tensor>;
}

/**
 * Plain tfjs: (parameters, inputs, carry) -> loss. Traced once, so shapes are static and noise comes in as an input. No
 * gradient flows into the carry.
 */
export type LossFunction = (params: Tree, inputs: Tree, carry: Tree) => LossTerms;

/** Plain tfjs: (parameters, inputs) -> named tensors. */
export type TensorFunction = (params: Tree, inputs: Tree) => Tree;

export type Engine = "onnx" | "tfjs";
export type Device = "auto" | "cpu" | "wasm" | "webgpu" | "cuda";

export interface TrainingOptions {
  loss: LossFunction;
  params: Record<string, HostTensor>;
  inputs: Record<string, TensorSpec>;
  /** Tensors that the loss itself hands from step to step, such as multipliers of constraints, with their first values. */
  carry?: Record<string, HostTensor>;
  /** Sets of staged inputs, that is the most steps that one call of steps() takes. Default 1. */
  stepsPerCall?: number;
  optimizer?: AdamOptions;
  /** Keeps a running average of the parameters beside them. Default: none. */
  averaging?: AveragingOptions;
  /** onnx (default): compiled; tfjs: eager, the reference. */
  engine?: Engine;
  device?: Device;
  /** Threads of the CPU engine, default 1. */
  threads?: number;
  binding?: BindingKind;
  /** Prefix of an onnxruntime trace file, for profiling. */
  profilePrefix?: string;
}

export interface StepResult {
  loss: number;
  /** Global L2 norm of the gradient before clipping. */
  gradNorm: number;
  /** False when the loss or the gradient was not finite: parameters, moments, carry and step count are then untouched. */
  updated: boolean;
  metrics: Record<string, number>;
}

/** Everything an optimizer needs to go on bit for bit. The arrays are live views: write or copy them before the next step. */
export interface TrainingState {
  params: Record<string, HostTensor>;
  firstMoment: Record<string, HostTensor>;
  secondMoment: Record<string, HostTensor>;
  /** Running average of the trainable parameters; empty where none is kept. */
  average: Record<string, HostTensor>;
  /** What the loss carries from step to step; empty where it carries nothing. */
  carry: Record<string, HostTensor>;
  stepCount: number;
}

export type StateKind = "params" | "firstMoment" | "secondMoment" | "average" | "carry";

/** A state that is read tensor by tensor, so that a large checkpoint is never in memory twice. */
export interface StateSource {
  stepCount: number;
  /** Undefined where there is no such tensor. */
  read(kind: StateKind, name: string): HostTensor | undefined;
}

/** Which values of the parameters a compiled function reads. */
export interface CompileOptions {
  /** averaged: the running average; the live values where none is kept. Default live. */
  weights?: "live" | "averaged";
}

export interface SessionStats {
  engine: Engine;
  device: string;
  threads: number;
  /** How onnxruntime is called (native, package), or the tfjs backend. */
  binding: string;
  version: string;
  traceMs: number;
  compileMs: number;
  /** Operators of the compiled step. */
  nodes: number;
  parameters: number;
}

/** A compiled function of the session's live parameters. Outputs are copies, in row-major order. */
export type Evaluator = (inputs: Record<string, InputArray>) => Promise<Record<string, Float32Array>>;

export interface TrainingSession {
  /**
   * Staging buffers of the next step. As soon as step() has been called they belong to the step after it, and may be
   * filled while the first one runs.
   */
  readonly inputs: Record<string, InputArray>;
  /** Staging buffers of the next call of steps(), one set per step: the first is `inputs`. */
  readonly staged: readonly Record<string, InputArray>[];
  /** Live parameters; stable while no step is in flight. */
  readonly params: Record<string, Float32Array>;
  /** As params, with the running average in place of every parameter that has one. */
  readonly averagedParams: Record<string, Float32Array>;
  /** Live carry; stable while no step is in flight. */
  readonly carry: Record<string, Float32Array>;
  readonly stepCount: number;
  readonly stats: SessionStats;
  step(options: { learningRate: number }): Promise<StepResult>;
  /**
   * As many steps as there are learning rates, one after the other on the staged inputs, in one call of the compute thread:
   * what a small step costs beside its arithmetic is paid once.
   */
  steps(options: { learningRates: readonly number[] }): Promise<StepResult[]>;
  compile(fn: TensorFunction, inputs: Record<string, TensorSpec>, options?: CompileOptions): Promise<Evaluator>;
  exportState(): TrainingState;
  /** Throws RangeError at the first tensor that is missing or has another size; the session is then to be closed. */
  importState(state: TrainingState | StateSource): void;
  close(): Promise<void>;
}
