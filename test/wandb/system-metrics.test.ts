// Samples of the machine, and the answer of nvidia-smi as W&B's keys.

import { expect, test } from "bun:test";

import { SystemMonitor, parseGpuQuery } from "../../lib/wandb/system-metrics.ts";
import { itemsToObject, quietRun, recordsOf, temporaryDirectory } from "./run-log.ts";

const root = temporaryDirectory();

test("a monitor samples at its start and its end; percentages are percentages", () => {
  const samples: Record<string, number>[] = [];
  const monitor = new SystemMonitor(root, 60_000, (sample) => samples.push(sample));
  monitor.start();
  const end = performance.now() + 30;
  while (performance.now() < end);
  monitor.stop();
  expect(samples).toHaveLength(2);
  for (const sample of samples) {
    for (const key of ["cpu", "memory", "disk", "proc.memory.percent"]) {
      expect(sample[key]).toBeGreaterThanOrEqual(0);
      expect(sample[key]).toBeLessThanOrEqual(key === "cpu" ? 130 : 100);
    }
  }
  const rssMb = process.memoryUsage.rss() / 2 ** 20;
  expect(samples[1]["proc.memory.rssMB"]).toBeGreaterThan(rssMb * 0.5);
  expect(samples[1]["proc.memory.rssMB"]).toBeLessThan(rssMb * 1.5);
  expect(samples[1].cpu).toBeGreaterThan(0);
});

test("samples are stats records, also between start and end", async () => {
  const run = quietRun(root, { systemMetrics: { intervalMs: 20 } });
  await Bun.sleep(200);
  await run.finish();
  const stats = recordsOf(run).flatMap((record) => record.stats ?? []);
  expect(stats.length).toBeGreaterThanOrEqual(3);
  for (const { item, timestamp } of stats) {
    expect(Object.values(itemsToObject(item)).every((value) => typeof value === "number")).toBe(true);
    expect(Math.abs((timestamp?.seconds ?? 0) - Date.now() / 1000)).toBeLessThan(10);
  }
});

test("two GPUs, one of which reports neither power nor utilization", () => {
  // As `nvidia-smi --query-gpu=... --format=csv,noheader,nounits` prints it.
  const output = "0, 97, 41, 10240, 81920, 63, 412.35\n1, [N/A], [N/A], 512, 1024, 40, [Not Supported]\n";
  expect(parseGpuQuery(output)).toEqual({
    "gpu.0.gpu": 97,
    "gpu.0.memory": 41,
    "gpu.0.memoryAllocated": 12.5,
    "gpu.0.memoryAllocatedBytes": 10240 * 2 ** 20,
    "gpu.0.temp": 63,
    "gpu.0.powerWatts": 412.35,
    "gpu.1.memoryAllocated": 50,
    "gpu.1.memoryAllocatedBytes": 512 * 2 ** 20,
    "gpu.1.temp": 40,
  });
});
