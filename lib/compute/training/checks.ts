// Refuses wrong shapes, names and lengths before they reach native code, with what was got and what was wanted.
import { sizeOf } from "../trace/ir.ts";
import type { InputArray, TensorSpec, TrainingOptions } from "./types.ts";

const shapeText = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

export function checkOptions({ params, inputs, carry = {}, stepsPerCall = 1, threads = 1, optimizer = {}, averaging }: TrainingOptions): void {
  for (const [kind, tensors] of Object.entries({ parameter: params, carry })) {
    for (const [name, { shape, data }] of Object.entries(tensors)) {
      if (data.length !== sizeOf(shape)) {
        throw new RangeError(`createTrainingSession: ${kind} "${name}" has ${data.length} values, its shape ${shapeText(shape)} wants ${sizeOf(shape)}`);
      }
    }
  }
  if (!Number.isInteger(stepsPerCall) || stepsPerCall < 1) {
    throw new RangeError(`createTrainingSession: stepsPerCall is ${stepsPerCall}; it must be a positive integer`);
  }
  for (const [name, { shape }] of Object.entries(inputs)) {
    if (!shape.every((extent) => Number.isInteger(extent) && extent > 0)) {
      throw new RangeError(`createTrainingSession: input "${name}" has the shape ${shapeText(shape)}; every extent must be a positive integer`);
    }
  }
  if (!Number.isInteger(threads) || threads < 1) {
    throw new RangeError(`createTrainingSession: threads is ${threads}; it must be a positive integer`);
  }
  if (averaging && !(averaging.decay > 0 && averaging.decay < 1)) {
    throw new RangeError(`createTrainingSession: averaging.decay is ${averaging.decay}; it must lie between 0 and 1`);
  }
  if (optimizer.clipNorm !== undefined && !(optimizer.clipNorm > 0)) {
    throw new RangeError(`createTrainingSession: clipNorm is ${optimizer.clipNorm}; it must be positive (leave it out for no clipping)`);
  }
}

export function checkInputs(caller: string, specs: Record<string, TensorSpec>, arrays: Record<string, InputArray>): void {
  for (const [name, { shape, dtype = "float32" }] of Object.entries(specs)) {
    const array = arrays[name];
    const wanted = dtype === "int32" ? Int32Array : Float32Array;
    if (!(array instanceof wanted) || array.length !== sizeOf(shape)) {
      const got = array === undefined ? "nothing" : `${array.constructor.name} of length ${array.length}`;
      throw new RangeError(`${caller}: input "${name}" is ${got}; wanted ${wanted.name} of length ${sizeOf(shape)} (shape ${shapeText(shape)})`);
    }
  }
}
