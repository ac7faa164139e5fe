// Where a training session keeps its tensors: parameters, moments, gradients and, if asked for, averages as flat
// vectors of one shared memory.
import { ArenaPlan, floatView, intView, paddedLength, type Region } from "../memory.ts";
import type { AdamVectors } from "../optimizer/adam.ts";
import { sizeOf } from "../trace/ir.ts";
import type { StreamedGradient } from "./streamed-gradients.ts";
import type { HostTensor, InputArray, TensorSpec } from "./types.ts";

export interface TrainingLayout {
  memory: WebAssembly.Memory;
  vectors: AdamVectors;
  /** Regions of each trainable tensor in the flat vectors. */
  parameters: Record<string, Region>;
  firstMoment: Record<string, Region>;
  secondMoment: Record<string, Region>;
  gradients: Record<string, Region>;
  /** The running average; the regions of the parameters where none is kept. */
  averages: Record<string, Region>;
  /** Parameters that the loss does not read: kept for evaluation and checkpoints, never updated. */
  frozen: Record<string, Region>;
  /** What the loss carries from step to step, and where a step writes its new values. */
  carry: Record<string, Region>;
  nextCarry: Record<string, Region>;
  /** Staged steps of two calls: one call's are filled while the other's are read. */
  stages: [StagedStep[], StagedStep[]];
  /** Squared norms of streamed gradients. */
  norms: Record<string, Region>;
  /** Factors of streamed gradients, by the names of the program's outputs. */
  factors: Record<string, Region>;
  /** Room for one block of a streamed gradient per thread. */
  scratch: Region[];
}

/** Inputs of one step, and the scalars that it reports. */
export interface StagedStep {
  inputs: Record<string, Region>;
  scalars: Record<string, Region>;
}

interface LayoutPlan {
  params: Record<string, HostTensor>;
  trainable: readonly string[];
  inputs: Record<string, TensorSpec>;
  carry: Record<string, HostTensor>;
  stepsPerCall: number;
  scalars: readonly string[];
  averaged: boolean;
  streamed: readonly StreamedGradient[];
  threads: number;
}

/** Plans and allocates the memory of a session and copies the initial parameters into it. */
export function layOut(request: LayoutPlan): TrainingLayout {
  const { params, trainable, inputs, carry, stepsPerCall, scalars, averaged, streamed, threads } = request;
  const plan = new ArenaPlan();
  const streamedNames = streamed.map(({ parameter }) => parameter);
  const denseNames = trainable.filter((name) => !streamedNames.includes(name));
  const lengthOf = (name: string): number => sizeOf(params[name].shape);
  const flatLengthOf = (names: readonly string[]): number => names.reduce((total, name) => total + paddedLength(lengthOf(name)), 0);
  const ordered = [...denseNames, ...streamedNames]; // the gradient vector covers the dense ones in front
  const flatLength = flatLengthOf(ordered);
  const denseLength = flatLengthOf(denseNames);

  const [parameterBase, firstBase, secondBase] = Array.from({ length: 3 }, () => plan.reserve(flatLength));
  const gradientBase = plan.reserve(denseLength);
  const averageBase = averaged ? plan.reserve(flatLength) : parameterBase;
  const subdivide = (base: Region, names: readonly string[]): Record<string, Region> => {
    let byteOffset = base.byteOffset;
    return Object.fromEntries(names.map((name) => {
      const region = { byteOffset, length: lengthOf(name) };
      byteOffset += paddedLength(region.length) * 4;
      return [name, region];
    }));
  };
  const reserveAll = (names: readonly string[], length: (name: string) => number): Record<string, Region> =>
    Object.fromEntries(names.map((name) => [name, plan.reserve(length(name))]));

  const isTrainable = new Set(trainable);
  const frozenNames = Object.keys(params).filter((name) => !isTrainable.has(name));
  const stage = (): StagedStep[] => Array.from({ length: stepsPerCall }, () => ({
    inputs: reserveAll(Object.keys(inputs), (name) => sizeOf(inputs[name].shape)),
    scalars: reserveAll(scalars, () => 1),
  }));
  const reserveCarry = () => reserveAll(Object.keys(carry), (name) => sizeOf(carry[name].shape));
  const layout: Omit<TrainingLayout, "memory"> = {
    vectors: {
      parameters: parameterBase.byteOffset,
      firstMoment: firstBase.byteOffset,
      secondMoment: secondBase.byteOffset,
      gradients: gradientBase.byteOffset,
      averages: averageBase.byteOffset,
      length: flatLength,
      denseLength,
    },
    parameters: subdivide(parameterBase, ordered),
    firstMoment: subdivide(firstBase, ordered),
    secondMoment: subdivide(secondBase, ordered),
    gradients: subdivide(gradientBase, denseNames),
    averages: subdivide(averageBase, ordered),
    frozen: reserveAll(frozenNames, lengthOf),
    carry: reserveCarry(),
    nextCarry: reserveCarry(),
    stages: [stage(), stage()],
    norms: reserveAll(streamed.map(({ squaredNorm }) => squaredNorm), () => 1),
    factors: Object.fromEntries(
      streamed.flatMap(({ left, right }) => [left, right].map(({ name, shape }) => [name, plan.reserve(sizeOf(shape))])),
    ),
    scratch: streamed.length === 0 ? [] : Array.from({ length: threads }, () => plan.reserve(largestBlock(streamed))),
  };
  const memory = plan.allocate();
  for (const regions of [layout.parameters, layout.averages, layout.frozen]) {
    for (const [name, region] of Object.entries(regions)) floatView(memory, region).set(params[name].data);
  }
  for (const [name, region] of Object.entries(layout.carry)) floatView(memory, region).set(carry[name].data);
  return { memory, ...layout };
}

const largestBlock = (streamed: readonly StreamedGradient[]): number =>
  Math.max(...streamed.map(({ blockRows, right }) => blockRows * right.shape[1]));

/** Typed views of named regions. */
export const floatViews = (memory: WebAssembly.Memory, regions: Record<string, Region>): Record<string, Float32Array> =>
  Object.fromEntries(Object.entries(regions).map(([name, region]) => [name, floatView(memory, region)]));

export const inputViews = (
  memory: WebAssembly.Memory, regions: Record<string, Region>, specs: Record<string, TensorSpec>,
): Record<string, InputArray> =>
  Object.fromEntries(Object.entries(regions).map(([name, region]) => {
    const view = specs[name].dtype === "int32" ? intView(memory, region) : floatView(memory, region);
    return [name, view];
  }));
