// Layouts: the named ones against their published cell counts and pictures, files against the format's description.

import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createGridworld,
  DataError,
  GRIDWORLD_NAMES,
  namedLayout,
  openRoom,
  parseLayout,
  readLayout,
} from "@cleanloop/data";
import type { DataErrorCode, GridLayout } from "@cleanloop/data";

const directory = mkdtempSync(join(tmpdir(), "layouts-"));
afterAll(() => rmSync(directory, { recursive: true }));

function codeOf(work: () => unknown): DataErrorCode | "none" {
  try {
    work();
  } catch (error) {
    if (error instanceof DataError) return error.code;
    throw error;
  }
  return "none";
}

function picture({ walls, width, height }: GridLayout): string[] {
  return Array.from({ length: height }, (_, y) =>
    Array.from(walls.subarray(y * width, (y + 1) * width), (wall) => (wall === 1 ? "X" : " ")).join(""),
  );
}

const SIZES: Record<string, [height: number, width: number, free: number]> = {
  "room4": [13, 13, 104],
  "GridRoom-4": [13, 13, 104],
  "GridRoomSym-4": [13, 13, 104],
  "GridRoom-1": [17, 17, 225],
  "GridRoomSmall-1": [8, 8, 36],
  "GridRoomSmallAsym-1": [7, 8, 30],
  "GridRoom-16": [21, 21, 271],
  "GridRoom-32": [41, 21, 544],
  "GridRoom-64": [41, 41, 1088],
  "GridMaze-7": [7, 9, 11],
  "GridMaze-9": [9, 9, 13],
  "GridMaze-11": [11, 11, 17],
  "GridMaze-17": [17, 19, 87],
  "GridMaze-19": [19, 19, 161],
  "GridMaze-26": [26, 32, 388],
  "GridMaze-32": [32, 32, 475],
  "empty": [8, 9, 72],
  "obstacles": [8, 9, 62],
  "maze": [9, 9, 35],
  "spiral": [9, 9, 28],
};

test("every named layout has its published size and number of free cells", () => {
  expect<string[]>([...GRIDWORLD_NAMES].sort()).toEqual(Object.keys(SIZES).sort());
  for (const name of GRIDWORLD_NAMES) {
    const layout = namedLayout(name);
    const { stateCount } = createGridworld(layout);
    expect([name, layout.height, layout.width, stateCount]).toEqual([name, ...SIZES[name]]);
  }
});

test("room4 is the four rooms of the picture, under both its names", () => {
  const rows = [
    "XXXXXXXXXXXXX",
    "X     X     X",
    "X           X",
    "X     X     X",
    "X     X     X",
    "X     X     X",
    "XXX XXXXXX XX",
    "X      X    X",
    "X      X    X",
    "X           X",
    "X      X    X",
    "X      X    X",
    "XXXXXXXXXXXXX",
  ];
  expect(picture(namedLayout("room4"))).toEqual(rows);
  expect(picture(namedLayout("GridRoom-4"))).toEqual(rows);
  expect(picture(parseLayout(rows.join("\n"), "text"))).toEqual(rows);
});

test("the small grids keep their marks, and the walk says that it ignores them", () => {
  const spiral = namedLayout("spiral");
  expect([spiral.start, spiral.goal]).toEqual([7 * 9 + 0, 3 * 9 + 3]);
  expect(createGridworld(spiral).note).toContain("start and goal marks are ignored");
  expect(createGridworld(namedLayout("room4")).note).toBeNull();
  for (const name of ["empty", "obstacles", "maze", "spiral"]) {
    const { start, goal, walls } = namedLayout(name);
    expect([walls[start!], walls[goal!]]).toEqual([0, 0]);
  }
});

test("an open room has no wall; its name says its size", () => {
  const room = namedLayout("open:4x5");
  expect(room).toEqual(openRoom(4, 5));
  expect([room.height, room.width, createGridworld(room).stateCount]).toEqual([4, 5, 20]);
});

test("unknown names list the known ones; rooms of impossible size are refused", () => {
  expect(() => namedLayout("GridRoom-5")).toThrow("GridRoom-4");
  expect(() => namedLayout("GridRoom-5")).toThrow("open:HxW");
  for (const name of ["", "toString", "open:0x4", "open:4", "open:1000x1000"]) {
    expect([name, codeOf(() => namedLayout(name))]).toEqual([name, "invalid-argument"]);
  }
});

test("text: every character of the format, short lines end in free cells, line ends of any system", () => {
  const layout = parseLayout("\uFEFFX#x.S\r\n G\r\n\nX\r\n\r\n", "text");
  expect([layout.height, layout.width]).toEqual([4, 5]);
  expect(picture(layout)).toEqual(["XXX  ", "     ", "     ", "X    "]);
  expect([layout.start, layout.goal]).toEqual([4, 6]);
});

test("tiles: commas separate them, D and letters make doors that cannot be entered from behind", () => {
  const layout = parseLayout("X,X,X,X\nX, DR ,.,X\nX,DUL,,X\n", "tiles");
  expect(picture(layout)).toEqual(["XXXX", "X  X", "X  X"]);
  expect(layout.oneWayTiles).toEqual([
    { cell: 5, action: 1 },
    { cell: 9, action: 0 },
    { cell: 9, action: 3 },
  ]);
  // The left door of the second tile leads into the wall.
  expect(() => createGridworld(layout)).toThrow("tiles: line 3, column 2: the door leads left into a wall");
  const world = createGridworld(parseLayout("DR,.\nDU,.", "tiles"));
  expect(world.doors.map(({ from, action, to }) => [from, action, to])).toEqual([
    [0, 1, 1],
    [2, 0, 0],
  ]);
  expect(Array.from(world.next)).toEqual([0, 1, 0, 0, 1, 1, 3, 1, 0, 3, 2, 2, 1, 3, 3, 2]);
});

test("what is not a layout is refused with line and column", () => {
  expect(() => parseLayout("XXX\nX?X", "text")).toThrow('text: line 2, column 2: got "?"');
  expect(() => parseLayout("X\tX", "text")).toThrow('column 2: got "\\t"');
  expect(() => parseLayout("S S", "text")).toThrow("line 1, column 3: got a second S");
  expect(() => parseLayout(".,E1", "tiles")).toThrow('got "E1", a portal');
  expect(() => parseLayout(".,DU:0.5", "tiles")).toThrow("a door with a probability");
  expect(() => parseLayout("", "text")).toThrow("text: got an empty layout");
  expect(() => parseLayout("\n\n", "text")).toThrow("empty layout");
  expect(() => parseLayout("XX\nXX", "text")).toThrow("at least one free cell");
  expect(() => parseLayout(`${" ".repeat(70000)}`, "text")).toThrow("at most 65536");
  for (const text of ["", "XX", "?", "S\nS"]) expect(codeOf(() => parseLayout(text, "text"))).toBe("bad-layout");
});

test("files: named after the file; absent, unreadable and binary ones are told apart", () => {
  const path = join(directory, "corridor.txt");
  writeFileSync(path, "XXXXX\nX   X\nXXXXX\n");
  expect(readLayout(path)).toEqual({ ...parseLayout("XXXXX\nX   X\nXXXXX", "corridor") });
  const binary = join(directory, "binary.txt");
  writeFileSync(binary, new Uint8Array([0xff, 0xfe, 0x00]));
  const large = join(directory, "large.txt");
  writeFileSync(large, new Uint8Array(2 ** 20 + 1));
  expect(codeOf(() => readLayout(join(directory, "absent.txt")))).toBe("not-found");
  expect(codeOf(() => readLayout(join(path, "below")))).toBe("not-found");
  expect(codeOf(() => readLayout(directory))).toBe("bad-file");
  expect(codeOf(() => readLayout(binary))).toBe("bad-file");
  expect(codeOf(() => readLayout(large))).toBe("bad-file");
});
