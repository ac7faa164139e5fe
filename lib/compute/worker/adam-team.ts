// Splits the optimizer's passes over several threads: they are bound by memory bandwidth, which one core cannot use up.
import { adamScalars, type AdamSettings } from "../optimizer/adam.ts";
import { openAdamShare, type SharedWork } from "./adam-share.ts";

/** What a helper thread is asked to do next. */
export const Task = { squaredNorm: 0, update: 1, average: 2, stop: 3 } as const;

/** Words shared with the helpers: a counter that moves with every task, how many still work, the task, and who failed. */
export const Control = { generation: 0, pending: 1, task: 2, failed: 3, words: 4 } as const;
const SCALARS = 9;
/** Elements below which waking the helpers takes longer than they would save. */
const SHARED_NORM_LENGTH = 1 << 19;

/** What a helper thread is started with. */
export interface HelperStart {
  work: SharedWork;
  control: SharedArrayBuffer;
  /** Number of this thread among all, from 1; its partial sum lies at member - 1. */
  member: number;
}

/** Views of the control block: words, then the scalars of the task, then one partial sum per helper. */
export function controlViews(control: SharedArrayBuffer) {
  const scalarsAt = Control.words * 4;
  return {
    words: new Int32Array(control, 0, Control.words),
    scalars: new Float64Array(control, scalarsAt, SCALARS),
    partialSums: new Float64Array(control, scalarsAt + SCALARS * 8),
  };
}

export interface AdamTeam {
  /** Global L2 norm of all gradients. */
  gradNorm(): number;
  /** One update of all parameters. */
  update(learningRate: number, stepCount: number, gradNorm: number): void;
  /** Moves the running average towards the parameters. */
  average(weight: number): void;
  close(): void;
}

/** Starts threads - 1 helpers; the calling thread does the first share itself and waits for the others. */
export async function startAdamTeam(work: SharedWork, settings: AdamSettings): Promise<AdamTeam> {
  const share = await openAdamShare(work, 0);
  const helperCount = work.threads - 1;
  const control = new SharedArrayBuffer(Control.words * 4 + (SCALARS + helperCount) * 8);
  const { words, scalars, partialSums } = controlViews(control);
  const helpers = await Promise.all(
    Array.from({ length: helperCount }, (_, index) => startHelper({ work, control, member: index + 1 })),
  );
  const streamedNorms = work.streams.map(({ squaredNorm }) => new Float32Array(work.memory.buffer, squaredNorm, 1));

  const together = (task: number, ownShare: () => void): void => {
    if (helpers.length > 0) {
      words[Control.task] = task;
      Atomics.store(words, Control.pending, helpers.length);
      Atomics.add(words, Control.generation, 1);
      Atomics.notify(words, Control.generation);
    }
    try {
      ownShare();
    } finally {
      for (let pending; (pending = Atomics.load(words, Control.pending)) > 0; ) Atomics.wait(words, Control.pending, pending);
    }
    const failed = Atomics.load(words, Control.failed);
    if (failed !== 0) throw new Error(`optimizer thread ${failed} failed; the parameters are only partly updated`);
  };

  return {
    gradNorm() {
      // rounding may carry a vanishing norm below zero; what is not finite has to stay so
      const sum = streamedNorms.reduce((total, [norm]) => total + (norm < 0 ? 0 : norm), 0);
      if (work.vectors.denseLength < SHARED_NORM_LENGTH) return Math.sqrt(sum + share.wholeSquaredNorm());
      let shared = sum;
      together(Task.squaredNorm, () => (shared += share.squaredNorm()));
      return Math.sqrt(partialSums.reduce((total, part) => total + part, shared));
    },
    update(learningRate, stepCount, gradNorm) {
      const values = adamScalars(settings, learningRate, stepCount, gradNorm);
      scalars.set(values);
      together(Task.update, () => share.update(values));
    },
    average(weight) {
      scalars[0] = weight;
      together(Task.average, () => share.average(weight));
    },
    close() {
      try {
        together(Task.stop, () => share.close()); // a thread that sleeps in Atomics.wait cannot be terminated
      } finally {
        helpers.forEach((helper) => helper.terminate());
      }
    },
  };
}

async function startHelper(start: HelperStart): Promise<Worker> {
  const helper = new Worker(new URL("./adam-helper.ts", import.meta.url));
  await new Promise<void>((resolve, reject) => {
    helper.onmessage = () => resolve();
    helper.onerror = (event) => reject(new Error(`Adam helper thread: ${event.message}`));
    helper.postMessage(start);
  });
  helper.unref();
  return helper;
}
