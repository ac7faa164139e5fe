// Our parameters as the original's PyTorch state dict and back.
//
// | ours                                 | original                                       |
// |--------------------------------------|------------------------------------------------|
// | encoder.hidden                       | encoder.layers.0.0                             |
// | encoder.mean, encoder.logVar         | encoder.embedding, encoder.log_var             |
// | decoder.hidden, decoder.output       | decoder.layers.0.0, decoder.layers.1.0         |
// | flows.t.blocks.b.layers.0            | flows.t.net.b.context_input_layer              |
// | flows.t.blocks.b.layers.1, .2, .3    | flows.t.net.b.net.0, .net.2, .net.4            |
//
// The original reverses the latents before every block; we let blocks count their variables backwards instead (see
// `blockOrder`). In those blocks the columns of layer 0 and, within shift and within log scale, the rows of layer 3 are
// in reverse order. Weights are [out, in] on both sides.

import type { HostTensor } from "@cleanloop/compute";
import { ModelError } from "../errors.ts";
import type { RlvaeConfig } from "./config.ts";
import { blockOrder } from "./flows.ts";
import { MADE_LAYER_COUNT, madeMasks } from "./made.ts";
import { parameterShapes } from "./parameters.ts";

const FIXED_NAMES: Readonly<Record<string, string>> = {
  "encoder.hidden": "encoder.layers.0.0",
  "encoder.mean": "encoder.embedding",
  "encoder.logVar": "encoder.log_var",
  "decoder.hidden": "decoder.layers.0.0",
  "decoder.output": "decoder.layers.1.0",
};
const FLOW_LAYER_NAMES = ["context_input_layer", "net.0", "net.2", "net.4"];

/** The original's name of one of our parameters. */
export function originalName(name: string): string {
  const [, layer, kind] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
  const flow = /^flows\.(\d+)\.blocks\.(\d+)\.layers\.(\d+)$/.exec(layer ?? "");
  const original =
    flow === null ? FIXED_NAMES[layer] : `flows.${flow[1]}.net.${flow[2]}.${FLOW_LAYER_NAMES[Number(flow[3])]}`;
  if (original === undefined)
    throw new ModelError("MISSING_PARAMETER", `originalName: got ${name}, which is no parameter of the model`);
  return `${original}.${kind}`;
}

/** Our parameters as a state dict; masks are not written. */
export function toStateDict(
  config: RlvaeConfig,
  parameters: Readonly<Record<string, HostTensor>>,
): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.keys(parameterShapes(config)).map((name) => [
      originalName(name),
      reordered(config, name, parameters[name]),
    ]),
  );
}

/**
 * Our parameters from a state dict. Parts that are absent are left out, so that an encoder and a decoder can be
 * loaded without flows; entries that are no parameters of ours, such as masks, are passed over. Masked weights become
 * zero, whatever is stored. Throws BAD_SHAPE when an entry has another shape than the configuration asks for.
 */
export function fromStateDict(
  config: RlvaeConfig,
  stateDict: Readonly<Record<string, HostTensor | undefined>>,
): Record<string, HostTensor> {
  const parameters: Record<string, HostTensor> = {};
  for (const [name, shape] of Object.entries(parameterShapes(config))) {
    const found = stateDict[originalName(name)];
    if (found === undefined) continue;
    if (found.shape.join() !== shape.join()) {
      throw new ModelError(
        "BAD_SHAPE",
        `fromStateDict: got ${originalName(name)} with shape [${found.shape.join(", ")}], wanted [${shape.join(", ")}]`,
      );
    }
    parameters[name] = masked(config, name, reordered(config, name, found));
  }
  return parameters;
}

/** Which block and layer of a flow a parameter belongs to, if any. */
function flowLayer(config: RlvaeConfig, name: string) {
  const [, block, layer] = /^flows\.\d+\.blocks\.(\d+)\.layers\.(\d+)\./.exec(name) ?? [];
  if (block === undefined) return undefined;
  return { order: blockOrder(Number(block), config.flowBlockCount), layer: Number(layer) };
}

/** Reverses the variables of a parameter of a block that counts backwards; its own inverse. */
function reordered(config: RlvaeConfig, name: string, tensor: HostTensor): HostTensor {
  const place = flowLayer(config, name);
  if (place === undefined || place.order === "natural") return tensor;
  const { latentSize } = config;
  const isBias = tensor.shape.length === 1;
  const isInput = place.layer === 0 && !isBias;
  const isOutput = place.layer === MADE_LAYER_COUNT - 1;
  if (!isInput && !isOutput) return tensor;
  const columns = isBias ? 1 : tensor.shape[1];
  const data = tensor.data.map((_, i) => {
    const row = Math.floor(i / columns);
    const column = i % columns;
    if (isInput) return tensor.data[row * columns + (latentSize - 1 - column)];
    const half = row < latentSize ? 0 : latentSize; // shifts first, then log scales
    return tensor.data[(half + (latentSize - 1 - (row - half))) * columns + column];
  });
  return { shape: tensor.shape, data };
}

function masked(config: RlvaeConfig, name: string, tensor: HostTensor): HostTensor {
  const place = flowLayer(config, name);
  if (place === undefined || tensor.shape.length === 1) return tensor;
  const mask = madeMasks(config.latentSize, config.flowHiddenSize, place.order)[place.layer];
  return { shape: tensor.shape, data: tensor.data.map((value, i) => value * mask[i]) };
}
