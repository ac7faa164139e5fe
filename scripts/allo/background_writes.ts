// Files that are written beside the training: one write at a time, and none that fails unnoticed.

export class BackgroundWrites {
  #last: Promise<void> = Promise.resolve();

  /** Waits for the write before, then starts this one and returns. Throws what the write before threw. */
  async start(write: () => Promise<void>): Promise<void> {
    await this.#last;
    this.#last = write();
    this.#last.catch(() => {}); // thrown again where it is waited for
  }

  /** Waits for the last write. Throws what it threw. */
  async finish(): Promise<void> {
    await this.#last;
  }
}
