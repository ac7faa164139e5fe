// Layouts from text files: one character per cell, or comma-separated tiles that may also be one-way doors.

import { readFileSync, statSync } from "node:fs";
import { basename, extname } from "node:path";
import { DataError } from "../errors.ts";
import { MAX_CELLS } from "./layout.ts";
import type { GridLayout, OneWayTile } from "./layout.ts";

const WALLS = new Set(["X", "x", "#"]);
const FREE = new Set(["", " ", "."]);
const DOOR_ACTIONS = new Map([
  ["U", 0],
  ["R", 1],
  ["D", 2],
  ["L", 3],
]);
const MAX_FILE_BYTES = 1 << 20;

/**
 * Reads a layout: space or `.` free, `X`, `x` or `#` wall, `S` start, `G` goal; short lines end in free cells.
 * With commas, a tile is what stands between two of them, and `D` with letters of UDLR is a tile that can be left in
 * those directions but not entered back from there. Throws `bad-layout` with line and column.
 */
export function parseLayout(text: string, name: string): GridLayout {
  const fail = (line: number, column: number, problem: string): never => {
    throw new DataError("bad-layout", `${name}: line ${line + 1}, column ${column + 1}: ${problem}`);
  };
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  while (lines.at(-1) === "") lines.pop();
  const isTiled = lines.some((line) => line.includes(","));
  const rows = lines.map((line) => (isTiled ? line.split(",").map((tile) => tile.trim()) : [...line]));
  const width = rows.reduce((widest, row) => Math.max(widest, row.length), 0);
  const height = rows.length;
  if (width === 0) {
    throw new DataError("bad-layout", `${name}: got an empty layout, wanted lines of " ", ".", "X", "#", "S" and "G"`);
  }
  if (width * height > MAX_CELLS) {
    throw new DataError("bad-layout", `${name}: got ${height} x ${width} cells, wanted at most ${MAX_CELLS}`);
  }

  const walls = new Uint8Array(width * height);
  const marks: { S: number | null; G: number | null } = { S: null, G: null };
  const oneWayTiles: OneWayTile[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < rows[y].length; x++) {
      const tile = rows[y][x];
      const cell = y * width + x;
      if (WALLS.has(tile)) walls[cell] = 1;
      else if (tile === "S" || tile === "G") {
        if (marks[tile] !== null) fail(y, x, `got a second ${tile}, wanted at most one; make it "."`);
        marks[tile] = cell;
      } else if (isTiled && /^D[UDLR]+$/.test(tile)) {
        for (const letter of new Set(tile.slice(1))) oneWayTiles.push({ cell, action: DOOR_ACTIONS.get(letter)! });
      } else if (!FREE.has(tile)) fail(y, x, unknownTile(tile, isTiled));
    }
  }
  if (walls.every((wall) => wall === 1)) {
    throw new DataError("bad-layout", `${name}: got ${height} x ${width} walls, wanted at least one free cell`);
  }
  return { name, width, height, walls, start: marks.S, goal: marks.G, oneWayTiles };
}

/** Reads a layout file, named as the file without its extension. Throws `not-found`, `bad-file` or `bad-layout`. */
export function readLayout(path: string): GridLayout {
  let text: string;
  try {
    const stats = statSync(path);
    if (!stats.isFile()) throw new Error("it is not a file");
    if (stats.size > MAX_FILE_BYTES) throw new Error(`it has ${stats.size} bytes, more than ${MAX_FILE_BYTES}`);
    text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const isAbsent = code === "ENOENT" || code === "ENOTDIR";
    const problem = isAbsent ? "there is no such file" : `cannot be read as text (${message})`;
    throw new DataError(
      isAbsent ? "not-found" : "bad-file",
      `readLayout: ${path}: ${problem}; give a text file with one line per row of cells`,
      { cause },
    );
  }
  return parseLayout(text, basename(path, extname(path)));
}

function unknownTile(tile: string, isTiled: boolean): string {
  const got = `got ${JSON.stringify(tile)}`;
  if (isTiled && /^[EP]/.test(tile)) return `${got}, a portal; portals are not supported, make it "." or "X"`;
  if (isTiled && /^D[UDLR]+:/.test(tile)) return `${got}, a door with a probability; wanted D and letters of UDLR only`;
  const doors = isTiled ? ", or D and letters of UDLR" : "";
  return `${got}, wanted " " or "." (free), "X", "x" or "#" (wall), "S" or "G"${doors}`;
}
