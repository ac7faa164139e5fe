// The parameters of the ALLO network and the first values of what its loss carries from step to step.

import type { HostTensor } from "@cleanloop/compute";
import type { UniformSource } from "../uniform-source.ts";
import type { AlloConfig, AlloObjective } from "./config.ts";

/** Standard deviation of a standard normal that is cut at two standard deviations. */
const TRUNCATED_DEVIATION = 0.87962566103423978;

/** Names of the layers, in order; weights are [out, in]. */
export const layerNames = ({ hiddenLayerCount }: AlloConfig): string[] =>
  Array.from({ length: hiddenLayerCount + 1 }, (_, layer) => `encoder.layers.${layer}`);

/**
 * Fresh parameters: biases zero, weights normal, cut at two standard deviations, with the deviation 1/sqrt(fan-in)
 * after (flax) or before (haiku) cutting.
 */
export function initialAlloParameters(config: AlloConfig, random: UniformSource): Record<string, HostTensor> {
  const parameters: Record<string, HostTensor> = {};
  const { featureCount, hiddenSize, hiddenLayerCount, initialisation } = config;
  let fanIn = 2;
  for (const [layer, name] of layerNames(config).entries()) {
    const fanOut = layer === hiddenLayerCount ? featureCount : hiddenSize;
    const deviation = 1 / Math.sqrt(fanIn) / (initialisation === "flax" ? TRUNCATED_DEVIATION : 1);
    const weight = Float32Array.from({ length: fanOut * fanIn }, () => deviation * truncatedNormal(random));
    parameters[`${name}.weight`] = { shape: [fanOut, fanIn], data: weight };
    parameters[`${name}.bias`] = { shape: [fanOut], data: new Float32Array(fanOut) };
    fanIn = fanOut;
  }
  return parameters;
}

/** A standard normal within two standard deviations: Box-Muller, drawn again when outside. */
function truncatedNormal(random: UniformSource): number {
  for (;;) {
    const radius = Math.sqrt(-2 * Math.log(1 - random.uniform()));
    const value = radius * Math.cos(2 * Math.PI * random.uniform());
    if (Math.abs(value) <= 2) return value;
  }
}

/**
 * First values of the carry, see {@link alloLoss}: multipliers, and the last step's terms as observed by metrics. With
 * d features: duals [d, d] lower triangular, barrier [], error and secondError [d, d], graph [d]; and, where the
 * objective uses them, errorIntegral [d, d], penaltyAverage [d, d] with isFirstPenalty [], and perturbation [d].
 */
export function initialAlloCarry(config: AlloConfig, objective: AlloObjective): Record<string, HostTensor> {
  const d = config.featureCount;
  const { initialDual, initialDualsDiagonal, initialBarrier, integralRate, constraints, perturbation } = objective;
  const duals = Float32Array.from({ length: d * d }, (_, at) => {
    const [row, column] = [Math.floor(at / d), at % d];
    return column === row || (column < row && !initialDualsDiagonal) ? initialDual : 0;
  });
  const zeros = (...shape: number[]): HostTensor => {
    return { shape, data: new Float32Array(shape.reduce((product, size) => product * size, 1)) };
  };
  const scalar = (value: number): HostTensor => ({ shape: [], data: Float32Array.of(value) });
  return {
    duals: { shape: [d, d], data: duals },
    barrier: scalar(initialBarrier),
    error: zeros(d, d),
    secondError: zeros(d, d),
    graph: zeros(d),
    ...(integralRate === 0 ? {} : { errorIntegral: zeros(d, d) }),
    ...(constraints === "two-sided" ? { penaltyAverage: zeros(d, d), isFirstPenalty: scalar(1) } : {}),
    ...(perturbation === "none" ? {} : { perturbation: zeros(d) }),
  };
}
