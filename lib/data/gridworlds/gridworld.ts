// The random walk on a layout: free cells as canonical states, and where each of the four moves leads.

import { DataError } from "../errors.ts";
import { drawDoors, reverseOf, reversibleMoves } from "./doors.ts";
import type { Door } from "./doors.ts";
import { ACTION_NAMES, ACTION_STEPS, MAX_CELLS } from "./layout.ts";
import type { GridLayout } from "./layout.ts";

/** How cells become network inputs: (x, y) as in the original trainer, or (row, column) as in the paper's code. */
export type CoordinateConvention = "seed" | "paper";

/** A uniform random walk over the free cells of a layout. */
export interface Gridworld {
  readonly layout: GridLayout;
  /** Number n of free cells. */
  readonly stateCount: number;
  /** [n] full indices y * width + x of the free cells, ascending; a state is a position in this list. */
  readonly canonicalStates: Int32Array;
  /** [n, 4] the state after moving up, right, down or left; one into a wall, off the grid or against a door stays. */
  readonly next: Int32Array;
  /** One-way doors: first those of the layout, then those drawn. */
  readonly doors: readonly Door[];
  /** Moves that could be undone before doors were drawn. */
  readonly reversibleMoveCount: number;
  /** What the walk does not take from the layout, in a sentence for the user; null when it takes everything. */
  readonly note: string | null;
  /**
   * [n, 2] network inputs. `seed`: ((x - W/2), (y - H/2)) / (max(W, H)/2); `paper`: (row/H - 1/2, column/W - 1/2).
   */
  coordinates(convention: CoordinateConvention): Float32Array;
}

/** Options of {@link createGridworld}. */
export interface GridworldOptions {
  /** Turn `count` moves into one-way doors, drawn by NumPy's generator from `seed`. */
  readonly doors?: { readonly count: number; readonly seed: number };
}

/**
 * The walk on `layout`. Start and goal marks are not part of it: every episode starts at a uniformly drawn free cell
 * and only its length ends it, so that the walk without doors is symmetric and its stationary law uniform.
 * Throws `bad-layout` without a free cell or for a door into a wall, `not-enough` for more doors than moves.
 */
export function createGridworld(layout: GridLayout, options: GridworldOptions = {}): Gridworld {
  const { name, width, height, walls } = layout;
  if (walls.length !== width * height || walls.length > MAX_CELLS) {
    throw new DataError(
      "bad-layout",
      `createGridworld: ${name} has ${walls.length} cells for ${height} x ${width}, ` +
        `wanted one each and at most ${MAX_CELLS}`,
    );
  }
  const canonicalStates = Int32Array.from(walls.keys().filter((cell) => walls[cell] === 0));
  const stateCount = canonicalStates.length;
  if (stateCount === 0) {
    throw new DataError("bad-layout", `createGridworld: layout ${name} has no free cell, wanted at least one`);
  }
  const stateOf = new Int32Array(width * height).fill(-1);
  canonicalStates.forEach((cell, state) => (stateOf[cell] = state));
  const next = neighbours(layout, canonicalStates, stateOf);

  const layoutDoors = layout.oneWayTiles.map((tile) => layoutDoor(layout, stateOf, next, tile.cell, tile.action));
  for (const door of layoutDoors) closeWayBack(next, door);
  const moves = reversibleMoves(next);
  const drawnDoors = options.doors === undefined ? [] : drawDoors(moves, options.doors.count, options.doors.seed);
  for (const door of drawnDoors) closeWayBack(next, door);

  return {
    layout,
    stateCount,
    canonicalStates,
    next,
    doors: [...layoutDoors, ...drawnDoors],
    reversibleMoveCount: moves.length,
    note: ignoredMarks(layout),
    coordinates: (convention) => stateCoordinates(layout, canonicalStates, convention),
  };
}

/** A door as plots and the original's metadata want it: full indices of its cell and of the cell behind it. */
export interface DoorMarker {
  readonly cell: number;
  readonly action: number;
  readonly toCell: number;
}

/** The doors of a world in full cell indices. */
export function doorMarkers({ doors, canonicalStates }: Pick<Gridworld, "doors" | "canonicalStates">): DoorMarker[] {
  return doors.map(({ from, action, to }) => ({ cell: canonicalStates[from], action, toCell: canonicalStates[to] }));
}

function neighbours({ width, height }: GridLayout, canonicalStates: Int32Array, stateOf: Int32Array): Int32Array {
  const next = new Int32Array(canonicalStates.length * 4);
  canonicalStates.forEach((cell, state) => {
    ACTION_STEPS.forEach(([stepX, stepY], action) => {
      const x = (cell % width) + stepX;
      const y = Math.floor(cell / width) + stepY;
      const inside = x >= 0 && x < width && y >= 0 && y < height;
      const neighbour = inside ? stateOf[y * width + x] : -1;
      next[state * 4 + action] = neighbour === -1 ? state : neighbour;
    });
  });
  return next;
}

function layoutDoor(layout: GridLayout, stateOf: Int32Array, next: Int32Array, cell: number, action: number): Door {
  const from = stateOf[cell];
  const to = from === -1 ? -1 : next[from * 4 + action];
  if (to === from) {
    const [x, y] = [cell % layout.width, Math.floor(cell / layout.width)];
    throw new DataError(
      "bad-layout",
      `${layout.name}: line ${y + 1}, column ${x + 1}: the door leads ${ACTION_NAMES[action]} into a wall, ` +
        "wanted a free cell there",
    );
  }
  return { from, action, to, reverseAction: reverseOf(action) };
}

function closeWayBack(next: Int32Array, { to, reverseAction }: Door): void {
  next[to * 4 + reverseAction] = to;
}

function ignoredMarks({ name, start, goal }: GridLayout): string | null {
  const marks = [start === null ? [] : ["start"], goal === null ? [] : ["goal"]].flat().join(" and ");
  if (marks === "") return null;
  return `${name}: the ${marks} marks are ignored: episodes start at any free cell and end only by their length`;
}

function stateCoordinates(
  { width, height }: GridLayout,
  canonicalStates: Int32Array,
  convention: CoordinateConvention,
): Float32Array {
  const out = new Float32Array(canonicalStates.length * 2);
  const halfLonger = Math.max(width, height) / 2;
  canonicalStates.forEach((cell, state) => {
    const x = cell % width;
    const y = Math.floor(cell / width);
    out[state * 2] = convention === "seed" ? (x - width / 2) / halfLonger : y / height - 0.5;
    out[state * 2 + 1] = convention === "seed" ? (y - height / 2) / halfLonger : x / width - 0.5;
  });
  return out;
}
