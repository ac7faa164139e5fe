// The ALLO network: coordinates of states to features.

import type { Tree } from "@cleanloop/compute";
import * as tf from "@tensorflow/tfjs-core";
import { linear } from "../linear.ts";
import type { AlloConfig } from "./config.ts";
import { layerNames } from "./parameters.ts";

/** Features [rows, d] of the inputs [rows, 2]. */
export function alloFeatures(params: Tree, inputs: tf.Tensor2D, config: AlloConfig): tf.Tensor2D {
  const names = layerNames(config);
  return names.reduce((hidden, name, layer) => {
    const out = linear(params, name, hidden);
    return layer === names.length - 1 ? out : tf.relu(out);
  }, inputs);
}
