// The trained network for others: its parameters with the multipliers as one safetensors file, and as an ONNX model.
import { encodeNpy, encodeSafetensors, ndarray } from "@cleanloop/artifacts";
import type { TensorFunction, TrainingSession } from "@cleanloop/compute";
import type { Spectrum } from "@cleanloop/data";
import type { AlloModel } from "@cleanloop/models";
import { alloFeatures } from "@cleanloop/models";
import type * as tf from "@tensorflow/tfjs-core";
import type { ModelFile } from "../shared/model_files.ts";
import { verifiedModel } from "../shared/model_files.ts";
import { arraysOf } from "../shared/training_state.ts";

const COORDINATES = "coordinates";

/** The network as a function of the coordinates [n, 2]. */
export function networkOf({ config }: AlloModel): TensorFunction {
  return (params, inputs) => ({ features: alloFeatures(params, inputs[COORDINATES] as tf.Tensor2D, config) });
}

/** A function of the session's live parameters that gives the features [n, d] of all states. */
export async function featureEvaluator(session: TrainingSession, model: AlloModel): Promise<() => Promise<Float32Array>> {
  const { coordinates } = model;
  const evaluate = await session.compile(networkOf(model), { [COORDINATES]: { shape: [coordinates.length / 2, 2] } });
  return async () => (await evaluate({ [COORDINATES]: coordinates })).features;
}

/**
 * encoder.onnx (coordinates [n, 2] -> features [n, d]), opened again and run on all states; throws ComputeError when it does not
 * give `features`.
 */
export function encoderFile(session: TrainingSession, model: AlloModel, features: Float32Array): Promise<ModelFile> {
  const { coordinates } = model;
  const inputs = { [COORDINATES]: { shape: [coordinates.length / 2, 2], data: coordinates } };
  return verifiedModel("encoder.onnx", networkOf(model), session.exportState().params, inputs, { features });
}

/**
 * What the original keeps at the end, as safetensors: the network, duals [d, d], barrier_coefs, error_integral where there is
 * one, gt_eigenvalues [d] and gt_eigenvectors [n, d]; the flags as JSON in the metadata `args`.
 */
export function modelFile(name: string, session: TrainingSession, exact: Spectrum, flags: object): ModelFile {
  const { params, carry } = session.exportState();
  const { duals, barrier, errorIntegral } = carry;
  const d = exact.eigenvalues.length;
  const multipliers = { duals, barrier_coefs: barrier, ...(errorIntegral && { error_integral: errorIntegral }) };
  const tensors = {
    ...arraysOf({ ...params, ...multipliers }),
    gt_eigenvalues: ndarray([d], Float32Array.from(exact.eigenvalues)),
    gt_eigenvectors: ndarray([exact.stateCount, d], Float32Array.from(exact.eigenvectors)),
  };
  return { name, bytes: encodeSafetensors(tensors, { args: JSON.stringify(flags) }) };
}

/** final_learned_eigenvectors.npy for the tracker's log. */
export function featuresFile(features: Float32Array, stateCount: number): ModelFile {
  return { name: "final_learned_eigenvectors.npy", bytes: encodeNpy(ndarray([stateCount, features.length / stateCount], features)) };
}
