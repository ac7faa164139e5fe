// What the thread that owns a session and the thread that computes say to each other.
import type { AdamSettings, AdamVectors } from "../optimizer/adam.ts";
import type { AveragingOptions } from "../optimizer/averaging.ts";
import type { ElementType } from "../ort/bound-session.ts";

/** A tensor of a model and its place in shared memory. */
export interface SharedBinding {
  name: string;
  dtype: ElementType;
  shape: readonly number[];
  buffer: SharedArrayBuffer;
  byteOffset: number;
}

export interface BindingPlan {
  inputs: SharedBinding[];
  outputs: SharedBinding[];
}

/** native: the C API with bound buffers; package: onnxruntime-node's own binding; auto: native where it loads. */
export type BindingKind = "auto" | "native" | "package";

/** A gradient that is multiplied block by block while the optimizer consumes it; see training/streamed-gradients.ts. */
export interface StreamPlan {
  blockModel: Uint8Array;
  left: SharedBinding;
  right: SharedBinding;
  rows: number;
  columns: number;
  blockRows: number;
  /** Where the parameter begins in the flat vectors, in elements. */
  offset: number;
  /** Byte offset in the arena of the float32 squared norm that the step program writes. */
  squaredNorm: number;
}

export interface OptimizerPlan {
  vectors: AdamVectors;
  settings: AdamSettings;
  averaging: AveragingOptions | undefined;
  streams: StreamPlan[];
  /** Byte offsets in the arena of room for one block per thread. */
  scratch: number[];
}

export interface StartRequest {
  kind: "start";
  memory: WebAssembly.Memory;
  threads: number;
  binding: BindingKind;
  optimizer: OptimizerPlan;
  profilePrefix?: string;
}

export interface OpenRequest {
  kind: "open";
  program: number;
  model: Uint8Array;
  plans: BindingPlan[];
}

export interface RunRequest {
  kind: "run";
  program: number;
  plan: number;
}

/** New values of a carried tensor and the place where the next step reads them: byte offsets in the arena. */
export interface CarryMove {
  from: number;
  to: number;
  /** Elements. */
  length: number;
}

/**
 * Per learning rate: runs the gradient program on the next binding plan, then updates parameters and carry unless the loss or the
 * gradient norm is not finite.
 */
export interface StepRequest {
  kind: "step";
  program: number;
  firstPlan: number;
  learningRates: readonly number[];
  /** Byte offsets in the arena of the float32 losses that the program writes. */
  losses: readonly number[];
  carries: readonly CarryMove[];
  /** Updates so far. */
  stepCount: number;
}

export interface CloseRequest {
  kind: "close";
}

export type Request = StartRequest | OpenRequest | RunRequest | StepRequest | CloseRequest;

export interface StartReply {
  binding: "native" | "package";
  version: string;
}

export interface StepReply {
  outcomes: { gradNorm: number; updated: boolean }[];
}

export type Reply =
  | { id: number; value: StartReply | StepReply | null }
  | { id: number; failure: { name: string; message: string } };
