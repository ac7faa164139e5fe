// Rules around activations and sums of squares: forms that the runtime fuses or computes in one pass.
import type { Rule } from "../builder.ts";
import { cast, withScalar } from "../ops.ts";
import { producedBy } from "./match.ts";

/**
 * x > 0, where relu(x) exists -> relu(x) as truth values; where a leaky relu exists -> that > 0.
 * The gradient then reads the output instead of x, so that the product before the activation can be fused with it.
 */
export const maskFromOutput: Rule = ({ op, inputs: [x, bound], outputs: [output] }, g) => {
  if (op !== "Greater" || bound.uniform !== 0 || x.dtype !== "float32") return undefined;
  const rectified = g.find("Relu", [x], { shape: x.shape, dtype: x.dtype });
  if (rectified) return [cast(g, rectified, output.dtype)];
  const leaky = g.nodes.find((node) => node.op === "LeakyRelu" && node.inputs[0] === x);
  const alpha = leaky?.attributes.alpha;
  if (!leaky || !alpha || !("float" in alpha) || alpha.float <= 0) return undefined;
  return [withScalar(g, "Greater", leaky.outputs[0], 0, "bool")];
};

/**
 * float(bool(relu(x))) -> HardSigmoid(relu(x)) with a slope so steep that every positive number reaches 1: the mask of a
 * relu's gradient in one pass instead of two. Exact for all normal numbers, and the runtime flushes the others to zero.
 */
export const maskInOnePass: Rule = ({ op, inputs: [truth], outputs: [output] }, g) => {
  if (op !== "Cast" || output.dtype !== "float32") return undefined;
  const rectified = producedBy(truth, "Cast")?.inputs[0];
  if (!rectified || !producedBy(rectified, "Relu")) return undefined;
  return [g.emitOne("HardSigmoid", [rectified], output.shape, { alpha: { float: STEEPEST }, beta: { float: 0 } })];
};

/** 1 / the smallest normal float32. */
const STEEPEST = 2 ** 126;

/** sum(x * x) -> ReduceSumSquare(x), one pass over the elements; only when nothing else reads the squares. */
export const sumOfSquares: Rule = ({ op, inputs: [squares, axes], outputs: [output], attributes }, g) => {
  if (op !== "ReduceSum" || output.dtype !== "float32") return undefined;
  const node = producedBy(squares, "Mul");
  if (!node || node.inputs[0] !== node.inputs[1] || g.useCount(squares) !== 1) return undefined;
  return [g.emitOne("ReduceSumSquare", [node.inputs[0], axes], output.shape, attributes)];
};
