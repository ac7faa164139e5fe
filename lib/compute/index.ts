// Table of contents: training sessions, export, devices.
export { createTrainingSession } from "./training/session.ts";
export type {
  CompileOptions, Device, Engine, Evaluator, HostTensor, InputArray, LossFunction, LossTerms, SessionStats, StateKind, StateSource, StepResult, TensorFunction,
  TensorSpec, TrainingOptions, TrainingSession, TrainingState, Tree,
} from "./training/types.ts";
export type { AdamOptions } from "./optimizer/adam.ts";
export type { AveragingOptions } from "./optimizer/averaging.ts";
export { exportOnnx, verifyOnnx } from "./export.ts";
export { DeviceError, resolveDevice } from "./device.ts";
export { ComputeError, type ComputeErrorCode } from "./errors.ts";
export { TraceError } from "./trace/errors.ts";
