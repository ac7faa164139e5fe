// All parity cases.
import type { ParityCase } from "./case.ts";
import { convolutionCases } from "./convolution.ts";
import { elementwiseCases } from "./elementwise.ts";
import { indexingCases } from "./indexing.ts";
import { linearAlgebraCases } from "./linear-algebra.ts";
import { poolingCases } from "./pooling.ts";
import { reductionCases } from "./reduction.ts";
import { shapeCases } from "./shape.ts";

export const parityCases: readonly ParityCase[] = [
  ...elementwiseCases,
  ...reductionCases,
  ...linearAlgebraCases,
  ...shapeCases,
  ...indexingCases,
  ...convolutionCases,
  ...poolingCases,
];
