// One thread's share of the optimizer's passes: a range of the dense gradients, and blocks of the streamed ones.
import { loadAdamKernel, splitEvenly, type AdamScalars, type AdamVectors } from "../optimizer/adam.ts";
import { loadCApi } from "../ort/c-api.ts";
import { openGradientStream } from "./gradient-stream.ts";
import type { StreamPlan } from "./protocol.ts";

export interface AdamShare {
  /** Sum of the squares of this thread's dense gradients. */
  squaredNorm(): number;
  /** The same of all dense gradients. */
  wholeSquaredNorm(): number;
  update(scalars: AdamScalars): void;
  average(weight: number): void;
  close(): void;
}

/** What all threads of a session have in common. */
export interface SharedWork {
  memory: WebAssembly.Memory;
  vectors: AdamVectors;
  streams: readonly StreamPlan[];
  /** Byte offsets of one block's room per thread. */
  scratch: readonly number[];
  threads: number;
}

/** Opens share number `member` of `threads`. */
export async function openAdamShare({ memory, vectors, streams, scratch, threads }: SharedWork, member: number): Promise<AdamShare> {
  const kernel = await loadAdamKernel(memory);
  const [denseBegin, denseEnd] = splitEvenly(vectors.denseLength, threads)[member];
  const [begin, end] = splitEvenly(vectors.length, threads)[member];
  const api = streams.length > 0 ? loadCApi() : null;
  const own = streams.map((plan) => {
    const count = plan.rows / plan.blockRows;
    const bound = (part: number): number => Math.floor((count * part) / threads);
    return openGradientStream(plan, bound(member), bound(member + 1), { api: api!, memory, vectors, kernel, scratch: scratch[member] });
  });
  return {
    squaredNorm: () => kernel.squaredNorm(vectors, denseBegin, denseEnd),
    wholeSquaredNorm: () => kernel.squaredNorm(vectors, 0, vectors.denseLength),
    update(scalars) {
      kernel.update(vectors, denseBegin, denseEnd, scalars);
      for (const stream of own) stream.update(scalars);
    },
    average: (weight) => kernel.average(vectors, begin, end, weight),
    close: () => own.forEach((stream) => stream.close()),
  };
}
