// Result tables: numbers to the right, words to the left, one rule under the head.
import { formatNumber } from "./text.ts";

export type Cell = string | number | boolean | null | undefined;

/** A text table of `rows` under `columns`; a column of numbers (or gaps) is aligned to the right. */
export function renderTable(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const text = rows.map((row) => columns.map((_, c) => cellText(row[c])));
  const isNumeric = columns.map((_, c) => rows.some((row) => typeof row[c] === "number") && rows.every((row) => isNumberOrGap(row[c])));
  const widths = columns.map((name, c) => Math.max(name.length, ...text.map((row) => row[c].length)));
  const line = (cells: readonly string[]) =>
    cells.map((cell, c) => (isNumeric[c] ? cell.padStart(widths[c]) : cell.padEnd(widths[c]))).join("  ").trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [line(columns), rule, ...text.map(line)].join("\n");
}

function cellText(cell: Cell): string {
  if (cell === null || cell === undefined) return "-";
  return typeof cell === "number" ? formatNumber(cell) : String(cell);
}

function isNumberOrGap(cell: Cell): boolean {
  return typeof cell === "number" || cell === null || cell === undefined;
}
