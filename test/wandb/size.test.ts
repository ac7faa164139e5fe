// How much disk a run takes: small runs must not be drowned in what the tracker adds.

import { expect, test } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { Plotly, init } from "@cleanloop/wandb";
import { historyOf, temporaryDirectory } from "./run-log.ts";

const root = temporaryDirectory();
const CONFIG_KEYS = 30;
const SCALARS = 20;

/** Logs a training run as the trainers do: config, scalars per epoch, a progress bar, samples, figures. */
async function trainingRun(epochs: number, figureBytes: number): Promise<{ sizeBytes: number; mediaBytes: number }> {
  const config = Object.fromEntries(Array.from({ length: CONFIG_KEYS }, (_, index) => [`option_${index}`, index / 7]));
  const run = init({
    mode: "offline",
    project: "p",
    dir: root,
    config,
    stepMetric: "epoch",
    console: false,
    systemMetrics: { intervalMs: 1_000_000 },
  });
  for (let epoch = 0; epoch < epochs; epoch++) {
    const scalars = Array.from({ length: SCALARS }, (_, index) => [`train/metric_${index}`, Math.sin(epoch + index)]);
    const figure = new Plotly({ data: [{ text: String(epoch).padEnd(figureBytes, "x") }] });
    run.log({ ...Object.fromEntries(scalars), ...(figureBytes > 0 && { figure }) }, { step: epoch });
  }
  await run.finish();
  expect(historyOf(run)).toHaveLength(epochs);
  const directory = run.directory ?? "";
  const media = figureBytes > 0 ? directorySize(join(directory, "files", "media")) : 0;
  return { sizeBytes: directorySize(directory), mediaBytes: media };
}

function directorySize(directory: string): number {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" });
  const files = names.map((name) => statSync(join(directory, name))).filter((entry) => entry.isFile());
  return files.reduce((sum, { size }) => sum + size, 0);
}

test("one epoch without figures takes less than 10 KB", async () => {
  expect((await trainingRun(1, 0)).sizeBytes).toBeLessThan(10_000);
});

test("25 epochs take less than 60 KB besides their figures", async () => {
  const { sizeBytes, mediaBytes } = await trainingRun(25, 5_000);
  expect(mediaBytes).toBeGreaterThan(25 * 5_000);
  expect(sizeBytes - mediaBytes).toBeLessThan(60_000);
});
