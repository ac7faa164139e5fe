// Multiplies a streamed gradient block by block and lets Adam consume each block while it is in the cache.
import type { AdamKernel, AdamScalars, AdamVectors } from "../optimizer/adam.ts";
import { openNativeSession } from "../ort/bound-session.ts";
import type { CApi } from "../ort/c-api.ts";
import { toBinding } from "./binding.ts";
import type { StreamPlan } from "./protocol.ts";

export interface GradientStream {
  /** Computes this thread's blocks and updates their parameters and moments. */
  update(scalars: AdamScalars): void;
  close(): void;
}

export interface StreamContext {
  api: CApi;
  memory: WebAssembly.Memory;
  vectors: AdamVectors;
  kernel: AdamKernel;
  /** Byte offset of this thread's room for one block. */
  scratch: number;
}

/** Opens the blocks [first, last) of a stream for the calling thread. */
export function openGradientStream(plan: StreamPlan, first: number, last: number, context: StreamContext): GradientStream {
  const { api, memory, vectors, kernel, scratch } = context;
  const { blockRows, columns, offset } = plan;
  const length = blockRows * columns;
  const session = openNativeSession(api, plan.blockModel, { threads: 1 });
  const begin = new BigInt64Array(1);
  const end = new BigInt64Array(1);
  const block = new Float32Array(memory.buffer, scratch, length);
  const set = session.bind(
    [
      { ...toBinding(plan.left), name: "left" },
      { ...toBinding(plan.right), name: "right" },
      { name: "begin", dtype: "int64", shape: [1], data: begin },
      { name: "end", dtype: "int64", shape: [1], data: end },
    ],
    [{ name: "block", dtype: "float32", shape: [blockRows, columns], data: block }],
  );
  return {
    update(scalars) {
      for (let index = first; index < last; index++) {
        begin[0] = BigInt(index * blockRows);
        end[0] = BigInt((index + 1) * blockRows);
        void session.run(set);
        const from = offset + index * length;
        kernel.update(vectors, from, from + length, scalars, scratch);
      }
    },
    close: () => session.close(),
  };
}
