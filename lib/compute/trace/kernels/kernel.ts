// The shape of a kernel: how one tfjs kernel is written in ONNX operators.
import type { GraphBuilder } from "../builder.ts";
import type { Value } from "../ir.ts";

/** tfjs's named inputs; list inputs are numbered "0", "1", ... */
export type KernelInputs = Readonly<Record<string, Value>>;

/** Emits the operators of one kernel call and returns its outputs. */
export type Kernel<Attributes> = (g: GraphBuilder, inputs: KernelInputs, attributes: Attributes) => Value | Value[];

/** A family of kernels by tfjs name; each states the attributes that it reads. */
export type KernelTable = Readonly<Record<string, Kernel<never>>>;
