// A gridworld's layout: walls, marks and one-way doors of a rectangle of cells, made by name or by size.

import { DataError } from "../errors.ts";
import { GRIDWORLD_NAMES, layoutRecord } from "./layouts.ts";

/** The moves in their fixed order, as action numbers: 0 up, 1 right, 2 down, 3 left. */
export const ACTION_NAMES = ["up", "right", "down", "left"] as const;

/** Column and row steps of the four moves; y grows downwards. */
export const ACTION_STEPS = [
  [0, -1],
  [1, 0],
  [0, 1],
  [-1, 0],
] as const;

/** Cells of the largest layout: states are kept as 16-bit numbers. */
export const MAX_CELLS = 65536;

/** A tile that may be left in the direction of `action` while the way back is blocked. */
export interface OneWayTile {
  /** Full index y * width + x of the tile. */
  readonly cell: number;
  readonly action: number;
}

/** A rectangle of cells; the full index of cell (x, y) is y * width + x, y grows downwards. */
export interface GridLayout {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** [height * width], 1 is a wall. */
  readonly walls: Uint8Array;
  /** Full index of the start mark, or null. */
  readonly start: number | null;
  /** Full index of the goal mark, or null. */
  readonly goal: number | null;
  readonly oneWayTiles: readonly OneWayTile[];
}

/**
 * The layout called `name`: one of {@link GRIDWORLD_NAMES}, or `open:HxW` for an empty room of H rows and W columns.
 * Throws `invalid-argument` with the list of names.
 */
export function namedLayout(name: string): GridLayout {
  const size = /^open:(\d+)x(\d+)$/.exec(name);
  if (size !== null) return openRoom(Number(size[1]), Number(size[2]));
  const record = layoutRecord(name);
  if (record === undefined) {
    throw new DataError(
      "invalid-argument",
      `namedLayout: got ${JSON.stringify(name)}, wanted ${GRIDWORLD_NAMES.join(", ")}, or open:HxW such as open:4x5`,
    );
  }
  const { width } = record;
  const rows = record.rows.split(" ").flatMap(expandRow);
  const walls = Uint8Array.from(rows.flatMap((row) => [...row.toString(2).padStart(width, "0")].map(Number)));
  const cellOf = (mark?: readonly [number, number]) => (mark === undefined ? null : mark[1] * width + mark[0]);
  return {
    name,
    width,
    height: rows.length,
    walls,
    start: cellOf(record.start),
    goal: cellOf(record.goal),
    oneWayTiles: [],
  };
}

/** A room of `height` rows and `width` columns without any wall: its spectrum is known in closed form. */
export function openRoom(height: number, width: number): GridLayout {
  const usable = Number.isInteger(height) && Number.isInteger(width) && height >= 1 && width >= 1;
  if (!usable || height * width > MAX_CELLS) {
    throw new DataError(
      "invalid-argument",
      `openRoom: got ${height} x ${width}, wanted whole numbers from 1 and at most ${MAX_CELLS} cells`,
    );
  }
  const walls = new Uint8Array(height * width);
  return { name: `open:${height}x${width}`, width, height, walls, start: null, goal: null, oneWayTiles: [] };
}

/** `v` or `v*k`: k times the hexadecimal number v. */
function expandRow(row: string): number[] {
  const [digits, times = "1"] = row.split("*");
  return Array.from({ length: Number(times) }, () => Number.parseInt(digits, 16));
}
