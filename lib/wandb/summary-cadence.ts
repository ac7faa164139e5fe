// When the summary goes into the log: it repeats what the history holds, so often enough for a run that is killed
// to have one, and seldom enough for the log to stay small.

const INTERVAL_MS = 5_000;

/** Lets a write through when the last one is five seconds back, and makes up for the others by a timer. */
export class SummaryCadence {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lastMs = -Infinity;

  constructor(private readonly write: () => void) {}

  /** The summary has changed: writes now, or soon. */
  changed(): void {
    const dueInMs = this.lastMs + INTERVAL_MS - performance.now();
    if (dueInMs <= 0) return this.flush();
    if (this.timer !== undefined) return;
    this.timer = setTimeout(() => this.flush(), dueInMs);
    this.timer.unref();
  }

  /** Writes now. */
  flush(): void {
    this.stop();
    this.lastMs = performance.now();
    this.write();
  }

  /** Forgets a write that is due. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
