// Copies what the program writes to its terminal into the run, without the rewrites of progress bars.
//
// Bun's console.log does not go through process.stdout.write, Node's does: both are wrapped, and text that passes
// through both is taken once. What native code, child processes and workers write is not seen.

import { format, stripVTControlCharacters } from "node:util";

export type OutputStream = "stdout" | "stderr";

// How often the state of a line that is still being rewritten is recorded.
const REWRITE_INTERVAL_MS = 10_000;
const consoleMethods = { log: "stdout", info: "stdout", debug: "stdout", warn: "stderr", error: "stderr" } as const;

/** Wraps the standard streams until `stop`; `onText` gets whole lines, or `\r` and the present state of one. */
export class ConsoleCapture {
  private readonly lines: Record<OutputStream, LineCollapser>;
  private readonly restores: (() => void)[] = [];
  private insideConsole = false;

  constructor(onText: (stream: OutputStream, text: string) => void) {
    this.lines = {
      stdout: new LineCollapser((text) => onText("stdout", text)),
      stderr: new LineCollapser((text) => onText("stderr", text)),
    };
  }

  start(): void {
    this.wrapStream("stdout");
    this.wrapStream("stderr");
    for (const [method, stream] of Object.entries(consoleMethods)) {
      this.wrapConsole(method as keyof typeof consoleMethods, stream);
    }
  }

  /** Puts the streams back and hands over what had not ended in a newline. */
  stop(): void {
    for (const restore of this.restores.splice(0)) restore();
    this.lines.stdout.end();
    this.lines.stderr.end();
  }

  private wrapStream(name: OutputStream): void {
    const stream = process[name];
    const original = stream.write;
    const wrapped = ((chunk: string | Uint8Array, ...rest: never[]): boolean => {
      if (!this.insideConsole) this.lines[name].write(chunk);
      return original.call(stream, chunk, ...rest);
    }) as typeof stream.write;
    stream.write = wrapped;
    // Someone else may have wrapped it after us: then ours stays in the chain, and the run ignores what it hears.
    this.restores.push(() => {
      if (stream.write === wrapped) stream.write = original;
    });
  }

  private wrapConsole(method: keyof typeof consoleMethods, stream: OutputStream): void {
    const original = console[method];
    const wrapped = (...values: unknown[]): void => {
      if (!this.insideConsole) this.lines[stream].write(`${format(...values)}\n`);
      const wasInside = this.insideConsole;
      this.insideConsole = true;
      try {
        original.apply(console, values);
      } finally {
        this.insideConsole = wasInside;
      }
    };
    console[method] = wrapped;
    this.restores.push(() => {
      if (console[method] === wrapped) console[method] = original;
    });
  }
}

/**
 * Turns written text into plain lines, without colours. A carriage return starts a line over, so of a progress bar
 * only the last state remains, besides one state every ten seconds while the line is unfinished.
 */
export class LineCollapser {
  private readonly decoder = new TextDecoder();
  private line = "";
  private isRewritten = false;
  private lastRewriteMs: number;

  constructor(
    private readonly emit: (text: string) => void,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.lastRewriteMs = nowMs();
  }

  write(chunk: string | Uint8Array): void {
    const text = typeof chunk === "string" ? chunk : this.decoder.decode(chunk, { stream: true });
    const lines = (this.line + text).split("\n");
    this.line = lines.pop() ?? "";
    const finished = lines.map((line) => `${lastState(line)}\n`).join("");
    if (finished !== "") {
      this.emit(this.isRewritten ? `\r${finished}` : finished);
      this.isRewritten = false;
    }
    if (this.line.includes("\r")) this.recordRewrite();
  }

  /** Hands over the unfinished line. */
  end(): void {
    const state = lastState(this.line);
    this.line = "";
    if (state !== "") this.emit(this.isRewritten ? `\r${state}\n` : `${state}\n`);
  }

  private recordRewrite(): void {
    const state = lastState(this.line);
    this.line = `\r${state}${this.line.endsWith("\r") ? "\r" : ""}`;
    const now = this.nowMs();
    if (state === "" || now - this.lastRewriteMs < REWRITE_INTERVAL_MS) return;
    this.lastRewriteMs = now;
    this.isRewritten = true;
    this.emit(`\r${state}`);
  }
}

/** What is left of a line on a terminal: the text after the last carriage return that is followed by any. */
function lastState(line: string): string {
  // "Cursor to column 1" is how some bars spell a carriage return.
  const returned = line.replaceAll("\u001b[1G", "\r").replaceAll("\u001b[G", "\r");
  const states = stripVTControlCharacters(returned).split("\r");
  return states.findLast((state) => state !== "") ?? "";
}
