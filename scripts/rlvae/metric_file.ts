// Reads a metric file of ours (.safetensors) or of the original program (.pt) into a validated metric.
import { extname } from "node:path";
import type { NdArray } from "@cleanloop/artifacts";
import { openTorch, readSafetensors, TorchTensor } from "@cleanloop/artifacts";
import { UsageError } from "@cleanloop/cli";
import type { Metric, MetricOverrides, NamedTensor, NamedTensors } from "@cleanloop/geometry";
import { metricFromTensors } from "@cleanloop/geometry";

/**
 * The metric in a file, for latents of `dimension` values. Throws UsageError for an unknown kind of file or another
 * dimension, ArtifactError for a damaged file, MetricError for tensors that are no metric.
 */
export function loadMetric(path: string, dimension: number, overrides: MetricOverrides): Metric {
  const metric = metricFromTensors(namedTensors(path), overrides);
  if (metric.dimension !== dimension) {
    throw new UsageError(`--metric ${path}: got a metric of ${metric.dimension} dimensions, wanted ${dimension} as the latents have`);
  }
  return metric;
}

function namedTensors(path: string): NamedTensors {
  const extension = extname(path).toLowerCase();
  if (extension === ".safetensors") {
    return Object.fromEntries([...readSafetensors(path).tensors].map(([name, array]) => [name, toTensor(array)]));
  }
  if (extension === ".pt" || extension === ".pth") return torchTensors(path);
  throw new UsageError(`--metric ${path}: got a file named *${extension}, wanted .safetensors (ours) or .pt (the original's)`);
}

function torchTensors(path: string): NamedTensors {
  using file = openTorch(path);
  if (!(file.root instanceof Map)) throw new UsageError(`--metric ${path}: got a torch file without a dict, wanted one of named tensors`);
  const named: Record<string, NamedTensor | number> = {};
  for (const [name, value] of file.root) {
    if (value instanceof TorchTensor) named[String(name)] = toTensor(value.read());
    else if (typeof value === "number") named[String(name)] = value;
  }
  return named;
}

function toTensor({ shape, data }: NdArray): NamedTensor {
  return { shape, data: Float64Array.from(data as ArrayLike<number>) };
}
