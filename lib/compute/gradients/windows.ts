// Average pooling and mirrored padding, whose tfjs gradients are wrong at the border of the image.
import * as tf from "@tensorflow/tfjs-core";

type PoolAttrs = Pick<tf.AvgPoolAttrs, "filterSize" | "strides" | "pad" | "dimRoundingMode">;
type Shape4D = [number, number, number, number];

/** How many elements of the image each window covers, over the window area: [1,outHeight,outWidth,1]. */
function coverage(inputShape: number[], { filterSize, strides, pad, dimRoundingMode }: PoolAttrs): tf.Tensor4D {
  const info = tf.backend_util.computePool2DInfo(inputShape as Shape4D, filterSize, strides, 1, pad, dimRoundingMode);
  const inside = (out: number, stride: number, before: number, window: number, size: number) =>
    Array.from({ length: out }, (_, index) => {
      const start = index * stride - before;
      return (Math.min(start + window, size) - Math.max(start, 0)) / window;
    });
  const rows = inside(info.outHeight, info.strideHeight, info.padInfo.top, info.filterHeight, info.inHeight);
  const columns = inside(info.outWidth, info.strideWidth, info.padInfo.left, info.filterWidth, info.inWidth);
  return tf.tensor4d(
    rows.flatMap((row) => columns.map((column) => row * column)),
    [1, rows.length, columns.length, 1],
  );
}

/** Adjoint of mirrored padding along one axis: what was copied outwards comes back in reverse. */
function foldBack(dy: tf.Tensor, axis: number, [before, after]: [number, number], edge: number): tf.Tensor {
  const length = dy.shape[axis] - before - after;
  const part = (start: number, count: number) =>
    tf.slice(
      dy,
      dy.shape.map((_, i) => (i === axis ? start : 0)),
      dy.shape.map((size, i) => (i === axis ? count : size)),
    );
  const placed = (start: number, count: number, at: number) => {
    const paddings = dy.shape.map((_, i): [number, number] => (i === axis ? [at, length - at - count] : [0, 0]));
    return tf.pad(tf.reverse(part(start, count), axis), paddings);
  };
  let folded = part(before, length);
  if (before > 0) folded = tf.add(folded, placed(0, before, edge));
  if (after > 0) folded = tf.add(folded, placed(before + length, after, length - after - edge));
  return folded;
}

/** Replaces the gradients of AvgPool and MirrorPad and adds that of AvgPoolGrad. */
export function registerWindowGradients(): void {
  for (const kernelName of ["AvgPool", "MirrorPad"]) tf.unregisterGradient(kernelName);
  tf.registerGradient({
    kernelName: "AvgPool",
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attributes) => ({
      // AvgPoolGrad divides by the whole window, AvgPool by the part inside the image.
      x: () =>
        tf
          .engine()
          .runKernel(
            "AvgPoolGrad",
            { dy: tf.div(dy as tf.Tensor, coverage(x.shape, attributes as never)), input: x },
            attributes,
          ),
    }),
  });
  tf.registerGradient({
    kernelName: "AvgPoolGrad",
    inputsToSave: ["input"],
    gradFunc: (dx, [input], attributes) => ({
      dy: () =>
        tf.mul(
          tf.engine().runKernel("AvgPool", { x: dx as tf.Tensor }, attributes) as tf.Tensor,
          coverage(input.shape, attributes as never),
        ),
      input: () => tf.zerosLike(input),
    }),
  });
  tf.registerGradient({
    kernelName: "MirrorPad",
    gradFunc: (dy, _, attributes) => {
      const { paddings, mode } = attributes as unknown as tf.MirrorPadAttrs;
      const edge = mode === "reflect" ? 1 : 0;
      return {
        x: () => paddings.reduce((folded, padding, axis) => foldBack(folded, axis, padding, edge), dy as tf.Tensor),
      };
    },
  });
}
