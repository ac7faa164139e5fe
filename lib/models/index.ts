// Models as pure tfjs functions: what this package offers.

export { ModelError } from "./errors.ts";
export type { ModelErrorCode } from "./errors.ts";

export { DEFAULT_CONFIG, rlvaeConfig } from "./rlvae/config.ts";
export type { FlowDirection, RlvaeConfig } from "./rlvae/config.ts";
export { OBJECTIVE_PRESETS, resolveObjective, usesMetric } from "./rlvae/objective.ts";
export type { Divergence, LoopMode, Objective, ObjectivePreset, Posterior } from "./rlvae/objective.ts";

export {
  checkParameters,
  initialParameters,
  parameterCount,
  parameterShapes,
  trainedParameterNames,
  vanillaParameterNames,
} from "./rlvae/parameters.ts";
export type { UniformSource } from "./uniform-source.ts";
export { fromStateDict, originalName, toStateDict } from "./rlvae/state-dict.ts";

export { rlvaeEvaluation, rlvaeLoss, rlvaeReconstruction } from "./rlvae/loss.ts";
export type { EvaluationTerm, RlvaeInputs, RlvaeModel } from "./rlvae/loss.ts";
export { vanillaLoss } from "./rlvae/vanilla.ts";
export type { VanillaInputs } from "./rlvae/vanilla.ts";

export { encode, encodeMean } from "./rlvae/encoder.ts";
export type { Encoding } from "./rlvae/encoder.ts";
export { decode } from "./rlvae/decoder.ts";
export { flowChain, flowMasks, flowOnePass, flowSequential } from "./rlvae/flows.ts";
export type { FlowMasks, FlowStep } from "./rlvae/flows.ts";
export { made, madeDegrees, madeMasks, madeMaskTensors } from "./rlvae/made.ts";
export type { VariableOrder } from "./rlvae/made.ts";
export { samplePosterior } from "./rlvae/posterior.ts";
export type { PosteriorSample } from "./rlvae/posterior.ts";
export { exactKl, gaussianKl, gaussianPriorKl, legacyKl } from "./rlvae/kl.ts";
export {
  colourNoise,
  inverseMetric,
  logDetMetric,
  metricFromInverse,
  squaredLength,
  traceInverse,
} from "./rlvae/metric.ts";
export type { MetricValues } from "./rlvae/metric.ts";

export { ALLO_PRESETS, alloLearningRate, alloOffsets, checkAlloConfig } from "./allo/config.ts";
export type { AlloConfig, AlloObjective, AlloPreset, AlloPresetName, AlloSampling, AlloTraining, Initialisation, Perturbation } from "./allo/config.ts";
export { initialAlloCarry, initialAlloParameters } from "./allo/parameters.ts";
export { alloFeatures } from "./allo/encoder.ts";
export { alloInputs } from "./allo/batch.ts";
export type { AlloEvaluation, AlloModel } from "./allo/batch.ts";
export { alloLoss } from "./allo/loss.ts";
export { alloRecord } from "./allo/record.ts";
export type { AlloObservation } from "./allo/record.ts";
export { eigenvaluesFromDuals } from "./allo/eigenvalues.ts";
export { alignment, nearGroups, subspaceAlignment } from "./allo/alignment.ts";
export type { Alignment, ReferenceVectors } from "./allo/alignment.ts";
