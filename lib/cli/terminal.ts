// What the terminal can show: colour only on a terminal, and never with NO_COLOR.

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  cyan(text: string): string;
  red(text: string): string;
}

/** The parts of a stream that layout depends on. */
export interface TextStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

/** True when escape codes may be written to `stream` (https://no-color.org: any non-empty NO_COLOR forbids them). */
export function hasColor(stream: TextStream, environment: NodeJS.ProcessEnv = process.env): boolean {
  return stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== "dumb";
}

/** Text styles for a stream: escape codes where they may be written, the bare text elsewhere. */
export function styleFor(stream: TextStream, environment: NodeJS.ProcessEnv = process.env): Style {
  const wrap = (open: number, close: number) =>
    hasColor(stream, environment) ? (text: string) => `\u001b[${open}m${text}\u001b[${close}m` : (text: string) => text;
  return { bold: wrap(1, 22), dim: wrap(2, 22), cyan: wrap(36, 39), red: wrap(31, 39) };
}
