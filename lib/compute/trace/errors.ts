// What can go wrong while a function is traced, and where in the model it did.
import { dirname, sep } from "node:path";

export type TraceErrorCode =
  | "kernel-unmapped"
  | "kernel-option"
  | "value-read"
  | "random-in-trace"
  | "variable-created"
  | "variable-assigned"
  | "dtype-unsupported"
  | "output-invalid"
  | "input-invalid"
  | "nested-trace";

/** A model that cannot be traced. `code` is stable; `source` is the file:line of the model code. */
export class TraceError extends Error {
  override readonly name = "TraceError";

  constructor(
    readonly code: TraceErrorCode,
    message: string,
    readonly source: string | undefined = modelLine(),
  ) {
    super(source ? `${message} (at ${source})` : message);
  }
}

const computeFolder = dirname(import.meta.dir) + sep;
const framesSearched = 60;

/**
 * file:line of the innermost stack frame outside tfjs and this package; undefined when there is none.
 * JavaScriptCore keeps no frame for a call in tail position: then the line of the nearest caller is named.
 */
export function modelLine(): string | undefined {
  const previousLimit = Error.stackTraceLimit;
  Error.stackTraceLimit = framesSearched;
  const stack = new Error().stack ?? "";
  Error.stackTraceLimit = previousLimit;
  for (const frame of stack.split("\n")) {
    const location = /((?:\/|[A-Za-z]:\\)[^():]*):(\d+):\d+\)?$/.exec(frame.trim());
    if (!location) continue;
    const file = location[1];
    if (!file.startsWith(computeFolder) && !/[\\/]@tensorflow[\\/]/.test(file)) return `${file}:${location[2]}`;
  }
  return undefined;
}
