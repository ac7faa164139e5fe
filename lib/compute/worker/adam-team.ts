// Splits the optimizer's passes over several threads: they are bound by memory bandwidth, which one core cannot use up.
import { adamScalars, loadAdamKernel, splitEvenly, type AdamSettings, type AdamVectors } from "../optimizer/adam.ts";

/** What a helper thread is asked to do next. */
export const Task = { squaredNorm: 0, update: 1, average: 2, stop: 3 } as const;

/** Control words shared with the helpers: a counter that moves with every task, how many still work, and the task. */
export const Control = { generation: 0, pending: 1, task: 2, words: 4 } as const;
const SCALARS = 9;

/** What a helper thread is started with. */
export interface HelperStart {
  memory: WebAssembly.Memory;
  control: SharedArrayBuffer;
  vectors: AdamVectors;
  begin: number;
  end: number;
  /** Where among the partial sums this helper writes its own. */
  slot: number;
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
  /** Global L2 norm of the gradient vector. */
  gradNorm(): number;
  /** One update of all parameters. */
  update(learningRate: number, stepCount: number, gradNorm: number): void;
  /** Moves the running average towards the parameters. */
  average(weight: number): void;
  close(): void;
}

/** Starts threads - 1 helpers; the calling thread does the first share itself and waits for the others. */
export async function startAdamTeam(
  memory: WebAssembly.Memory, vectors: AdamVectors, settings: AdamSettings, threads: number,
): Promise<AdamTeam> {
  const kernel = await loadAdamKernel(memory);
  const [[begin, end], ...others] = splitEvenly(vectors.length, threads);
  const control = new SharedArrayBuffer(Control.words * 4 + (SCALARS + others.length) * 8);
  const { words, scalars, partialSums } = controlViews(control);
  const helpers = await Promise.all(
    others.map(([from, to], slot) => startHelper({ memory, control, vectors, begin: from, end: to, slot })),
  );

  const together = (task: number, ownShare: () => void): void => {
    if (helpers.length > 0) {
      words[Control.task] = task;
      Atomics.store(words, Control.pending, helpers.length);
      Atomics.add(words, Control.generation, 1);
      Atomics.notify(words, Control.generation);
    }
    ownShare();
    for (let pending; (pending = Atomics.load(words, Control.pending)) > 0; ) Atomics.wait(words, Control.pending, pending);
  };

  return {
    gradNorm() {
      let sum = 0;
      together(Task.squaredNorm, () => (sum = kernel.squaredNorm(vectors, begin, end)));
      return Math.sqrt(partialSums.reduce((total, part) => total + part, sum));
    },
    update(learningRate, stepCount, gradNorm) {
      const values = adamScalars(settings, learningRate, stepCount, gradNorm);
      scalars.set(values);
      together(Task.update, () => kernel.update(vectors, begin, end, values));
    },
    average(weight) {
      scalars[0] = weight;
      together(Task.average, () => kernel.average(vectors, begin, end, weight));
    },
    close() {
      together(Task.stop, () => {}); // a thread that sleeps in Atomics.wait cannot be terminated
      helpers.forEach((helper) => helper.terminate());
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
