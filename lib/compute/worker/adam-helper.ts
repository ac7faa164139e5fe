// A thread with one share of the optimizer's passes: it sleeps until the generation moves, does the task, and reports.
import type { AdamScalars } from "../optimizer/adam.ts";
import { openAdamShare } from "./adam-share.ts";
import { Control, controlViews, Task, type HelperStart } from "./adam-team.ts";
import { flushDenormals } from "./denormals.ts";

declare const self: Worker;

self.onmessage = async ({ data: { work, control, member } }: MessageEvent<HelperStart>) => {
  flushDenormals();
  const share = await openAdamShare(work, member);
  const { words, scalars, partialSums } = controlViews(control);
  let generation = Atomics.load(words, Control.generation);
  self.postMessage("ready");
  for (;;) {
    Atomics.wait(words, Control.generation, generation);
    const current = Atomics.load(words, Control.generation);
    if (current === generation) continue;
    generation = current;
    const task = words[Control.task];
    try {
      if (task === Task.squaredNorm) partialSums[member - 1] = share.squaredNorm();
      if (task === Task.update) share.update(Array.from(scalars) as unknown as AdamScalars);
      if (task === Task.average) share.average(scalars[0]);
      if (task === Task.stop) share.close();
    } catch {
      Atomics.store(words, Control.failed, member); // the waiting thread throws
    } finally {
      if (Atomics.sub(words, Control.pending, 1) === 1) Atomics.notify(words, Control.pending);
    }
    if (task === Task.stop) return;
  }
};
