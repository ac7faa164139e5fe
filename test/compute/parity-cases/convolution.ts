// Parity cases of convolutions and their gradients.
import * as tf from "@tensorflow/tfjs-core";
import { type ParityCase, parityCase, scattered } from "./case.ts";

type Padding = "same" | "valid" | number;

const convolution = (name: string, image: number[], filter: number[], stride: number, padding: Padding): ParityCase =>
  parityCase(`conv2d ${name}`, 1, { x: scattered(image), f: scattered(filter, -1, 1) }, ({ x, f }) =>
    tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, stride, padding),
  );

const transposed = (
  name: string,
  image: number[],
  filter: number[],
  shape: number[],
  stride: number,
  padding: Padding,
): ParityCase =>
  parityCase(`conv2dTranspose ${name}`, 1, { x: scattered(image), f: scattered(filter, -1, 1) }, ({ x, f }) =>
    tf.conv2dTranspose(x as tf.Tensor4D, f as tf.Tensor4D, shape as [number, number, number, number], stride, padding),
  );

const depthwise = (name: string, stride: number, padding: Padding, multiplier: number): ParityCase =>
  parityCase(
    `depthwiseConv2d ${name}`,
    1,
    { x: scattered([2, 6, 7, 3]), f: scattered([3, 3, 3, multiplier], -1, 1) },
    ({ x, f }) => tf.depthwiseConv2d(x as tf.Tensor4D, f as tf.Tensor4D, stride, padding),
  );

export const convolutionCases: readonly ParityCase[] = [
  convolution("4x4 stride 2 same", [2, 8, 8, 3], [4, 4, 3, 5], 2, "same"),
  convolution("4x4 stride 2 same, wide channels", [1, 4, 4, 10], [4, 4, 10, 3], 2, "same"),
  convolution("4x4 stride 2 valid", [2, 8, 8, 3], [4, 4, 3, 5], 2, "valid"),
  convolution("2x2 stride 2 on an odd image", [1, 7, 5, 2], [2, 2, 2, 3], 2, "valid"),
  convolution("3x3 stride 1 same", [2, 6, 5, 3], [3, 3, 3, 4], 1, "same"),
  convolution("3x3 stride 1 valid, wide channels", [1, 5, 5, 9], [3, 3, 9, 2], 1, "valid"),
  convolution("1x1", [2, 3, 4, 5], [1, 1, 5, 2], 1, "same"),
  convolution("1x1 stride 2", [1, 5, 6, 3], [1, 1, 3, 2], 2, "same"),
  convolution("3x3 stride 2 padded by 1", [2, 8, 8, 3], [3, 3, 3, 4], 2, 1),
  convolution("3x3 stride 2 same", [2, 8, 7, 3], [3, 3, 3, 4], 2, "same"),
  convolution("3x3 stride 2 valid", [2, 9, 8, 2], [3, 3, 2, 4], 2, "valid"),
  convolution("5x5 stride 2 same", [1, 8, 8, 2], [5, 5, 2, 3], 2, "same"),
  convolution("7x7 stride 2 padded by 3", [1, 9, 9, 2], [7, 7, 2, 3], 2, 3),
  convolution("3x5 stride 3", [1, 10, 11, 2], [3, 5, 2, 3], 3, "valid"),
  parityCase(
    "conv2d with unequal strides",
    1,
    { x: scattered([1, 7, 8, 2]), f: scattered([3, 3, 2, 3], -1, 1) },
    ({ x, f }) => tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, [1, 2], "same"),
  ),
  parityCase("conv2d dilated", 0, { x: scattered([1, 9, 9, 2]), f: scattered([3, 3, 2, 3], -1, 1) }, ({ x, f }) =>
    tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, 1, "same", "NHWC", 2),
  ),
  transposed("4x4 stride 2 same", [2, 4, 4, 5], [4, 4, 3, 5], [2, 8, 8, 3], 2, "same"),
  transposed("3x3 stride 2 same", [2, 4, 4, 5], [3, 3, 3, 5], [2, 8, 8, 3], 2, "same"),
  transposed("3x3 stride 2 padded by 1", [1, 4, 4, 3], [3, 3, 2, 3], [1, 7, 7, 2], 2, 1),
  transposed("5x5 stride 2 valid", [1, 3, 3, 2], [5, 5, 2, 2], [1, 9, 9, 2], 2, "valid"),
  parityCase(
    "conv2d differentiated twice",
    2,
    { x: scattered([1, 5, 5, 2]), f: scattered([3, 3, 2, 2], -1, 1) },
    ({ x, f }) => tf.tanh(tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, 2, "same")),
  ),
  ...(["linear", "relu", "relu6", "sigmoid", "elu", "leakyrelu"] as const).map((activation) =>
    parityCase(
      `fused conv2d with ${activation}`,
      0,
      { x: scattered([1, 6, 6, 2]), f: scattered([3, 3, 2, 3], -1, 1), bias: scattered([3]) },
      ({ x, f, bias }) =>
        tf.fused.conv2d({
          x: x as tf.Tensor4D,
          filter: f as tf.Tensor4D,
          strides: 2,
          pad: "same",
          bias,
          activation,
          leakyreluAlpha: 0.3,
        }),
    ),
  ),
  depthwise("stride 1 same", 1, "same", 1),
  depthwise("stride 2 valid, two per channel", 2, "valid", 2),
  depthwise("stride 2 same, two per channel", 2, "same", 2),
  parityCase(
    "fused depthwiseConv2d",
    0,
    { x: scattered([1, 6, 6, 2]), f: scattered([3, 3, 2, 1], -1, 1), bias: scattered([2]) },
    ({ x, f, bias }) =>
      tf.fused.depthwiseConv2d({
        x: x as tf.Tensor4D,
        filter: f as tf.Tensor4D,
        strides: 1,
        pad: "same",
        bias,
        activation: "relu",
      }),
  ),
];
