// The parameters of the model: names, shapes, initial values, and which of them a training run moves.

import type { HostTensor } from "@cleanloop/compute";
import { ModelError } from "../errors.ts";
import type { UniformSource } from "../uniform-source.ts";
import type { RlvaeConfig } from "./config.ts";
import { blockName, blockOrder } from "./flows.ts";
import { madeLayerShapes, madeMasks } from "./made.ts";
import { usesMetric, type Objective } from "./objective.ts";

interface Layer {
  name: string;
  /** [out, in]. */
  shape: [number, number];
  mask?: Float32Array;
  /** Last layer of an autoregressive network: shift and log scale come out of it. */
  isFlowOutput?: boolean;
}

/**
 * Factor on the last layer of each flow network when log scales are limited, so that every flow starts near the
 * identity.
 */
const NEAR_IDENTITY = 0.01;

/** Shapes of all parameters by name, weights as [out, in], in the order in which they are drawn. */
export function parameterShapes(config: RlvaeConfig): Record<string, number[]> {
  const entries = layers(config).flatMap(({ name, shape }): [string, number[]][] => [
    [`${name}.weight`, [...shape]],
    [`${name}.bias`, [shape[0]]],
  ]);
  return Object.fromEntries(entries);
}

/** Number of trainable values; weights that a mask holds at zero are counted, as the original does. */
export function parameterCount(config: RlvaeConfig): number {
  return Object.values(parameterShapes(config)).reduce((sum, shape) => sum + elementCount(shape), 0);
}

/**
 * Fresh parameters: weights and biases uniform in ±1/√fan_in (the default of PyTorch's linear layers), masked weights
 * zero.
 */
export function initialParameters(config: RlvaeConfig, random: UniformSource): Record<string, HostTensor> {
  const parameters: Record<string, HostTensor> = {};
  for (const { name, shape, mask, isFlowOutput } of layers(config)) {
    const nearIdentity = isFlowOutput === true && config.logScaleLimit !== null ? NEAR_IDENTITY : 1;
    const bound = nearIdentity / Math.sqrt(shape[1]);
    const draw = (length: number) => Float32Array.from({ length }, () => (2 * random.uniform() - 1) * bound);
    const weight = draw(shape[0] * shape[1]);
    parameters[`${name}.weight`] = {
      shape,
      data: mask === undefined ? weight : weight.map((value, i) => value * mask[i]),
    };
    parameters[`${name}.bias`] = { shape: [shape[0]], data: draw(shape[0]) };
  }
  return parameters;
}

/**
 * Names of the parameters that the gradient of an objective reaches. The others keep their values, as in the
 * original, whose optimizer passes over parameters without a gradient: the flows beyond frame T - 1, and the
 * log-variance head when the posterior comes from the metric. They stay in checkpoints.
 */
export function trainedParameterNames(config: RlvaeConfig, objective: Pick<Objective, "posterior">): string[] {
  const isUnusedFlow = (name: string) => Number(/^flows\.(\d+)\./.exec(name)?.[1] ?? -1) >= config.frameCount - 1;
  const isUnusedHead = (name: string) => usesMetric(objective) && name.startsWith("encoder.logVar.");
  return Object.keys(parameterShapes(config)).filter((name) => !isUnusedFlow(name) && !isUnusedHead(name));
}

/** Names of the encoder's and the decoder's parameters: what pre-training moves. */
export function vanillaParameterNames(config: RlvaeConfig): string[] {
  return Object.keys(parameterShapes(config)).filter((name) => !name.startsWith("flows."));
}

/** Throws MISSING_PARAMETER or BAD_SHAPE unless `parameters` has every parameter of this configuration. */
export function checkParameters(config: RlvaeConfig, parameters: Readonly<Record<string, HostTensor>>): void {
  for (const [name, shape] of Object.entries(parameterShapes(config))) {
    const found = parameters[name];
    if (found === undefined) {
      throw new ModelError(
        "MISSING_PARAMETER",
        `checkParameters: got no ${name}, wanted it with shape [${shape.join(", ")}]`,
      );
    }
    if (found.shape.join() !== shape.join() || found.data.length !== elementCount(shape)) {
      throw new ModelError(
        "BAD_SHAPE",
        `checkParameters: got ${name} with shape [${found.shape.join(", ")}] and ${found.data.length} values, ` +
          `wanted [${shape.join(", ")}]; the checkpoint belongs to another configuration`,
      );
    }
  }
}

function layers(config: RlvaeConfig): Layer[] {
  const { frameSize, hiddenSize, latentSize, flowCount, flowBlockCount, flowHiddenSize } = config;
  const list: Layer[] = [
    { name: "encoder.hidden", shape: [hiddenSize, frameSize] },
    { name: "encoder.mean", shape: [latentSize, hiddenSize] },
    { name: "encoder.logVar", shape: [latentSize, hiddenSize] },
    { name: "decoder.hidden", shape: [hiddenSize, latentSize] },
    { name: "decoder.output", shape: [frameSize, hiddenSize] },
  ];
  const shapes = madeLayerShapes(latentSize, flowHiddenSize);
  const masks = {
    natural: madeMasks(latentSize, flowHiddenSize, "natural"),
    reversed: madeMasks(latentSize, flowHiddenSize, "reversed"),
  };
  for (let flow = 0; flow < flowCount; flow++) {
    for (let block = 0; block < flowBlockCount; block++) {
      const blockMasks = masks[blockOrder(block, flowBlockCount)];
      shapes.forEach((shape, layer) => {
        const name = `${blockName(flow, block)}.layers.${layer}`;
        list.push({ name, shape, mask: blockMasks[layer], isFlowOutput: layer === shapes.length - 1 });
      });
    }
  }
  return list;
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
