// The main thread's end of the compute worker: requests as promises.
import type { Reply, Request, StartReply, StartRequest, StepReply, StepRequest } from "./protocol.ts";

/** A failure inside the compute thread, with the name of the original error in front. */
export class ComputeError extends Error {
  override name = "ComputeError";
}

type Answer = StartReply | StepReply | null;

export class ComputeClient {
  private readonly pending = new Map<number, { resolve: (value: Answer) => void; reject: (error: Error) => void }>();
  private readonly worker = new Worker(new URL("./compute-worker.ts", import.meta.url));
  private nextId = 0;
  private closed = false;

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<Reply>) => this.settle(data);
    this.worker.onerror = ({ message }) => this.abandon(new ComputeError(`the compute thread stopped: ${message}`));
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
    if (this.closed) return Promise.reject(new ComputeError("the session is closed"));
    const id = this.nextId++;
    if (this.pending.size === 0) this.worker.ref();
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.worker.postMessage({ id, ...request });
    });
  }

  async close(): Promise<void> {
    if (this.closed) return;
    await this.ask({ kind: "close" });
    this.closed = true;
    this.worker.terminate();
  }

  private settle(reply: Reply): void {
    const { resolve, reject } = this.pending.get(reply.id)!;
    this.pending.delete(reply.id);
    if (this.pending.size === 0) this.worker.unref();
    if ("failure" in reply) reject(new ComputeError(`${reply.failure.name}: ${reply.failure.message}`));
    else resolve(reply.value);
  }

  private abandon(error: Error): void {
    this.closed = true;
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }
}
