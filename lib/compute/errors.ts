// Errors of this package that a user can meet; programming mistakes (wrong shapes, wrong lengths) are RangeErrors.

export type ComputeErrorCode =
  /** The runtime or its thread failed; the message names the original error. */
  | "runtime-failed"
  /** The session was closed. */
  | "closed"
  /** Parameters, moments and batches do not fit into one session's memory. */
  | "too-large"
  /** The loss depends on none of the parameters. */
  | "nothing-to-train"
  /** The loss returns a carry that the session was not given, or with another shape. */
  | "carry-invalid"
  /** A saved model cannot be run or gives other outputs than the one it was saved from. */
  | "export-differs";

export class ComputeError extends Error {
  override name = "ComputeError";
  constructor(readonly code: ComputeErrorCode, message: string) {
    super(message);
  }
}
