// The trained model for others: encoder and decoder as ONNX files that were reopened and compared, and all weights.
import type { TensorFunction, TrainingSession } from "@cleanloop/compute";
import { encodeSafetensors } from "@cleanloop/artifacts";
import type { SpriteSet } from "@cleanloop/data";
import { fillFrames } from "@cleanloop/data";
import type { RlvaeConfig } from "@cleanloop/models";
import { decode, encode } from "@cleanloop/models";
import type * as tf from "@tensorflow/tfjs-core";
import type { ModelFile } from "../shared/model_files.ts";
import { verifiedModel, WEIGHTS_FILE } from "../shared/model_files.ts";
import { arraysOf, averagedWeights } from "../shared/training_state.ts";

/**
 * encoder.onnx (frame [1, 12288] -> mean, logVar [1, 16]) and decoder.onnx (z [1, 16] -> frame [1, 12288]) of the averaged
 * parameters. Each is opened again and run on a frame of `set`; throws ComputeError when it differs from the session.
 * Closes the session first and gives one file at a time: all at once would be the peak of a run's memory.
 */
export async function* exportModels(session: TrainingSession, config: RlvaeConfig, set: SpriteSet): AsyncGenerator<ModelFile> {
  const { frameSize, latentSize } = config;
  const frames = { shape: [1, frameSize] };
  const latents = { shape: [1, latentSize] };
  const runEncoder: TensorFunction = (params, { frame }) => ({ ...encode(params, frame as tf.Tensor2D) });
  const runDecoder: TensorFunction = (params, { z }) => ({ frame: decode(params, z as tf.Tensor2D) });
  const averaged = { weights: "averaged" } as const;
  const frame = fillFrames(set, [0], new Float32Array(frameSize));
  const encoded = await (await session.compile(runEncoder, { frame: frames }, averaged))({ frame });
  const decoded = await (await session.compile(runDecoder, { z: latents }, averaged))({ z: encoded.mean });
  const params = averagedWeights(session);
  await session.close();

  yield await verifiedModel("encoder.onnx", runEncoder, params, { frame: { ...frames, data: frame } }, encoded);
  yield await verifiedModel("decoder.onnx", runDecoder, params, { z: { ...latents, data: encoded.mean } }, decoded);
}

/** All averaged weights as one safetensors file. */
export function weightsFile(session: TrainingSession, metadata: Record<string, string>): ModelFile {
  return { name: WEIGHTS_FILE, bytes: encodeSafetensors(arraysOf(averagedWeights(session)), metadata) };
}
