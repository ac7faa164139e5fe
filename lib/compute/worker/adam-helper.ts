// A thread that owns one share of the parameters: it sleeps until the generation moves, does the task, and reports.
import { loadAdamKernel, type AdamScalars } from "../optimizer/adam.ts";
import { flushDenormals } from "./denormals.ts";
import { Control, controlViews, Task, type HelperStart } from "./adam-team.ts";

declare const self: Worker;

self.onmessage = async ({ data }: MessageEvent<HelperStart>) => {
  const { memory, control, vectors, begin, end, slot } = data;
  flushDenormals();
  const kernel = await loadAdamKernel(memory);
  const { words, scalars, partialSums } = controlViews(control);
  let generation = Atomics.load(words, Control.generation);
  self.postMessage("ready");
  for (;;) {
    Atomics.wait(words, Control.generation, generation);
    const current = Atomics.load(words, Control.generation);
    if (current === generation) continue;
    generation = current;
    const task = words[Control.task];
    if (task === Task.squaredNorm) partialSums[slot] = kernel.squaredNorm(vectors, begin, end);
    if (task === Task.update) kernel.update(vectors, begin, end, Array.from(scalars) as unknown as AdamScalars);
    if (task === Task.average) kernel.average(vectors, begin, end, scalars[0]);
    if (Atomics.sub(words, Control.pending, 1) === 1) Atomics.notify(words, Control.pending);
    if (task === Task.stop) return;
  }
};
