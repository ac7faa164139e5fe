// All mapped kernels, by tfjs name.
import { convolutionKernels } from "./convolution.ts";
import { elementwiseKernels } from "./elementwise.ts";
import { indexingKernels } from "./indexing.ts";
import type { Kernel } from "./kernel.ts";
import { linearAlgebraKernels } from "./linear-algebra.ts";
import { poolingKernels } from "./pooling.ts";
import { reductionKernels } from "./reduction.ts";
import { shapeKernels } from "./shape.ts";

/** The kernel families in the order of the reference table. */
export const kernelFamilies = {
  elementwise: elementwiseKernels,
  reduction: reductionKernels,
  "linear algebra": linearAlgebraKernels,
  shape: shapeKernels,
  indexing: indexingKernels,
  convolution: convolutionKernels,
  "pooling and resizing": poolingKernels,
};

/** How each mapped tfjs kernel is written in ONNX operators. */
export const mappedKernels: ReadonlyMap<string, Kernel<never>> = new Map(
  Object.values(kernelFamilies).flatMap((family) => Object.entries(family)),
);
