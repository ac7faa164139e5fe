// Plain text layout: wrapping and durations.

/** Breaks text at spaces into lines of at most `width` characters (longer words stand alone). */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [""];
  for (const word of text.split(/\s+/)) {
    const current = lines[lines.length - 1];
    if (current !== "" && current.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = current === "" ? word : `${current} ${word}`;
  }
  return lines;
}

/** A duration for people: 42s, 3m05s, 2h07m. */
export function formatDuration(durationMs: number): string {
  if (!Number.isFinite(durationMs)) return "?";
  const seconds = Math.max(0, Math.round(durationMs / 1000));
  const pad = (value: number) => String(value).padStart(2, "0");
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${pad(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h${pad(Math.floor((seconds % 3600) / 60))}m`;
}

/** A number for a table: four significant digits, exponent form only where it is shorter to read. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value);
  const magnitude = Math.abs(value);
  if (magnitude < 1e-3 || magnitude >= 1e7) return value.toExponential(2);
  return magnitude >= 1000 ? value.toFixed(1) : String(Number(value.toPrecision(4)));
}

/** A size for people: 512 B, 48.2 kB, 1.4 MB (decimal units). */
export function formatBytes(sizeBytes: number): string {
  if (sizeBytes < 1000) return `${sizeBytes} B`;
  if (sizeBytes < 1e6) return `${(sizeBytes / 1e3).toFixed(1)} kB`;
  return sizeBytes < 1e9 ? `${(sizeBytes / 1e6).toFixed(1)} MB` : `${(sizeBytes / 1e9).toFixed(2)} GB`;
}
