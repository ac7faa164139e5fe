// Exit codes of every command, so that a shell loop can tell "failed" from "you typed it wrong" from "stopped by you".

export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  refused: 3,
} as const;

/** Signals that end a command in an orderly way, with the number the shell adds to 128. */
export const STOP_SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
export type StopSignal = keyof typeof STOP_SIGNALS;

/** Exit code of a command that was stopped by `signal`: 128 + its number, as shells do (130 for Ctrl-C). */
export function signalExitCode(signal: StopSignal): number {
  return 128 + STOP_SIGNALS[signal];
}

/** Why a command's AbortSignal is aborted: the user or the system asked it to stop. */
export class StopRequest extends Error {
  override readonly name = "AbortError";
  constructor(readonly signal: StopSignal) {
    super(`stopped by ${signal}`);
  }
}

/** The signal that aborted `signal`; SIGINT when something else did. */
export function stopSignalOf(signal: AbortSignal): StopSignal {
  return signal.reason instanceof StopRequest ? signal.reason.signal : "SIGINT";
}
