// The errors a command may end with on purpose, and the one line a user sees for each.
import { EXIT } from "./exit-codes.ts";

/** The command line is wrong: nothing was started. Exit code 2. */
export class UsageError extends Error {
  readonly code = "usage";
  override readonly name = "UsageError";
}

/** The command is well formed but declines to act (nothing to do, not confirmed, would overwrite). Exit code 3. */
export class RefusedError extends Error {
  readonly code = "refused";
  override readonly name = "RefusedError";
}

/** The work was done and missed the goal the user set (`--target_...`), or could not be done. Exit code 1. */
export class FailedError extends Error {
  readonly code = "failed";
  override readonly name = "FailedError";
}

/** Exit code for an error thrown by a command. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof RefusedError) return EXIT.refused;
  return EXIT.failed;
}

/**
 * The text shown for an error. An error with a string `code` was meant for the user: its message alone. Any other one is
 * a bug of ours: said so, with the way to see the stack. With `debug` the stack is always shown.
 */
export function describeError(error: unknown, debug: boolean): string {
  if (!(error instanceof Error)) return `error: ${String(error)}`;
  if (debug) return `error: ${error.stack ?? error.message}`;
  if ("code" in error && typeof error.code === "string") return `error: ${error.message}`;
  return `error: ${error.name}: ${error.message}\nThis is a bug in the command, not in your input; CLEANLOOP_DEBUG=1 shows where.`;
}
