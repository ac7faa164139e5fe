// Asking before something that cannot be undone: on a terminal a question, elsewhere only with --yes.
import { createInterface } from "node:readline/promises";
import { RefusedError } from "./errors.ts";

export interface ConfirmOptions {
  /** The --yes flag: the answer is given in advance. */
  yes: boolean;
  input?: NodeJS.ReadStream;
  output?: NodeJS.WriteStream;
  signal?: AbortSignal;
}

/**
 * Returns when the user agrees (y or yes, any case). Any other answer, an end of input, or a missing terminal without
 * `yes` throws RefusedError: silence is never consent.
 */
export async function confirm(question: string, options: ConfirmOptions): Promise<void> {
  if (options.yes) return;
  const { input = process.stdin, output = process.stderr } = options;
  if (!input.isTTY) throw new RefusedError(`${question} Not confirmed: no terminal to ask on; add --yes`);
  const terminal = createInterface({ input, output });
  try {
    const ended = new Promise<string>((resolve) => terminal.once("close", () => resolve("")));
    const signal = options.signal ? { signal: options.signal } : {};
    const answer = await Promise.race([terminal.question(`${question} [y/N] `, signal), ended]);
    if (!/^y(es)?$/i.test(answer.trim())) throw new RefusedError("Not confirmed: nothing was changed");
  } finally {
    terminal.close();
  }
}
