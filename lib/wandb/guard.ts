// Keeps the tracker's troubles away from the program that is tracked.

import { WandbError } from "./errors.ts";

/**
 * Runs the tracker's work. What the caller gave wrongly becomes a warning, once per subject; anything else ends the
 * tracking: it is told on stderr once, kept in `failure`, and all later work is skipped.
 */
export class Guard {
  failure: WandbError | undefined;
  readonly warnings: WandbError[] = [];
  private readonly warned = new Set<string>();
  private ended = false;

  /** `location` says in messages where the log is; `onFailure` frees what the tracker holds. */
  constructor(
    private readonly location: string,
    private readonly onFailure: () => void,
  ) {}

  /** Does the work unless tracking is over; never throws. `subject` names the work in the once-only rule. */
  attempt(subject: string, work: () => void): void {
    if (this.ended) return;
    try {
      this.tolerate(subject, work);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Does a part of some work that may be left out: throws only what ends the tracking. */
  tolerate(subject: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof WandbError)) throw error;
      this.warn(subject, new WandbError(error.code, `${subject}: ${error.message}`, { cause: error }));
    }
  }

  /** Skips all work from now on. */
  end(): void {
    this.ended = true;
  }

  private warn(subject: string, error: WandbError): void {
    const reason = `${error.code} ${subject}`;
    if (this.warned.has(reason)) return;
    this.warned.add(reason);
    this.warnings.push(error);
    process.stderr.write(`wandb: ${error.message}\n`);
  }

  private fail(cause: unknown): void {
    // Work inside other work: the innermost has told the reason.
    if (this.ended) return;
    this.ended = true;
    const why = cause instanceof Error ? cause.message : String(cause);
    this.failure = new WandbError("tracker-failed", `${why} (run directory: ${this.location})`, { cause });
    process.stderr.write(`wandb: recording has stopped, the program goes on: ${this.failure.message}\n`);
    try {
      this.onFailure();
    } catch {
      // Freeing is best effort: the reason for the failure has been told.
    }
  }
}
