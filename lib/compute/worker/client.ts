// The main thread's end of the compute worker: requests as promises.
import { ComputeError } from "../errors.ts";
import type { Reply, Request, StartReply, StartRequest, StepReply, StepRequest } from "./protocol.ts";

type Answer = StartReply | StepReply | null;

export class ComputeClient {
  private readonly pending = new Map<number, { resolve: (value: Answer) => void; reject: (error: Error) => void }>();
  private readonly worker = new Worker(new URL("./compute-worker.ts", import.meta.url));
  private nextId = 0;
  private closed = false;

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<Reply>) => this.settle(data);
    this.worker.onerror = ({ message }) => this.abandon(new ComputeError("runtime-failed", `the compute thread stopped: ${message}`));
    this.worker.unref();
  }

  start(request: Omit<StartRequest, "kind">): Promise<StartReply> {
    return this.ask({ kind: "start", ...request }) as Promise<StartReply>;
  }

  step(request: Omit<StepRequest, "kind">): Promise<StepReply> {
    return this.ask({ kind: "step", ...request }) as Promise<StepReply>;
  }

  /** Sends any request; resolves with its answer. The process stays alive until then, and only until then. */
  ask(request: Request): Promise<Answer> {
    if (this.closed) return Promise.reject(new ComputeError("closed", "the session is closed"));
    const id = this.nextId++;
    if (this.pending.size === 0) this.worker.ref();
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.worker.postMessage({ id, ...request });
    });
  }

  /** Frees what the thread holds, then ends it. */
  async close(): Promise<void> {
    if (this.closed) return;
    try {
      await this.ask({ kind: "close" });
    } finally {
      this.terminate();
    }
  }

  /** Ends the thread at once; requests that are still open fail. */
  terminate(): void {
    this.abandon(new ComputeError("closed", "the session was closed while it was at work"));
    this.worker.terminate();
  }

  private settle(reply: Reply): void {
    const { resolve, reject } = this.pending.get(reply.id)!;
    this.pending.delete(reply.id);
    if (this.pending.size === 0) this.worker.unref();
    if ("failure" in reply) reject(new ComputeError("runtime-failed", `${reply.failure.name}: ${reply.failure.message}`));
    else resolve(reply.value);
  }

  private abandon(error: Error): void {
    this.closed = true;
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }
}
