// All mapped kernels, by tfjs name.
import { elementwiseKernels } from "./elementwise";
import type { Kernel } from "./kernel";
import { linearAlgebraKernels } from "./linear-algebra";
import { reductionKernels } from "./reduction";
import { shapeKernels } from "./shape";

/** The kernel families in the order of the reference table. */
export const kernelFamilies = {
  elementwise: elementwiseKernels,
  reduction: reductionKernels,
  "linear algebra": linearAlgebraKernels,
  shape: shapeKernels,
};

/** How each mapped tfjs kernel is written in ONNX operators. */
export const mappedKernels: ReadonlyMap<string, Kernel<never>> = new Map(
  Object.values(kernelFamilies).flatMap((family) => Object.entries(family)),
);
