// The walk: moves, coordinates and one-way doors against the published rules and NumPy's own draws.

import { expect, test } from "bun:test";
import { createGridworld, DataError, doorMarkers, namedLayout, stationaryLaw, transitionMatrix } from "@cleanloop/data";
import type { Gridworld } from "@cleanloop/data";

const room4 = createGridworld(namedLayout("room4"));

function stateAt(world: Gridworld, x: number, y: number): number {
  return world.canonicalStates.indexOf(y * world.layout.width + x);
}

test("canonical states are the free cells in ascending order; moves go up, right, down, left and stop at walls", () => {
  expect(Array.from(room4.canonicalStates.subarray(0, 6))).toEqual([14, 15, 16, 17, 18, 20]);
  expect(Array.from(room4.canonicalStates)).toEqual(Array.from(room4.canonicalStates).sort((a, b) => a - b));
  const at = (x: number, y: number) => stateAt(room4, x, y);
  const movesFrom = (x: number, y: number) => Array.from(room4.next.subarray(4 * at(x, y), 4 * at(x, y) + 4));
  expect(movesFrom(1, 1)).toEqual([at(1, 1), at(2, 1), at(1, 2), at(1, 1)]);
  expect(movesFrom(5, 2)).toEqual([at(5, 1), at(6, 2), at(5, 3), at(4, 2)]); // the opening in column 6
  expect(movesFrom(3, 6)).toEqual([at(3, 5), at(3, 6), at(3, 7), at(3, 6)]); // the opening in row 6
  const corner = createGridworld(namedLayout("open:2x2")).next.subarray(0, 4);
  expect(Array.from(corner)).toEqual([0, 1, 2, 0]); // the edge of the grid is a wall
});

test("the matrix of the walk is symmetric with rows of sum one, and its stationary law uniform", () => {
  const n = room4.stateCount;
  const matrix = transitionMatrix(room4);
  for (let row = 0; row < n; row++) {
    let sum = 0;
    for (let column = 0; column < n; column++) {
      sum += matrix[row * n + column];
      expect(matrix[row * n + column]).toBe(matrix[column * n + row]);
    }
    expect(sum).toBe(1);
  }
  expect(stationaryLaw(room4).every((weight) => weight === 1 / 104)).toBe(true);
});

test("coordinates of both conventions", () => {
  const seed = room4.coordinates("seed");
  expect(Math.min(...seed)).toBeCloseTo((1 - 6.5) / 6.5, 6); // -.846
  expect(Math.max(...seed)).toBeCloseTo((11 - 6.5) / 6.5, 6); // .692
  const maze = createGridworld(namedLayout("GridMaze-7")); // 7 rows, 9 columns; the first free cell is x = 7, y = 1
  const first = (coordinates: Float32Array) => Array.from(coordinates.subarray(0, 2));
  expect(first(maze.coordinates("seed"))).toEqual([Math.fround(2.5 / 4.5), Math.fround(-2.5 / 4.5)]);
  expect(first(maze.coordinates("paper"))).toEqual([Math.fround(1 / 7 - 0.5), Math.fround(7 / 9 - 0.5)]);
});

test("room4, seed 42: the five doors of the original trainer", () => {
  const world = createGridworld(namedLayout("room4"), { doors: { count: 5, seed: 42 } });
  expect(world.reversibleMoveCount).toBe(336);
  const left = 3;
  const [up, right, down] = [0, 1, 2];
  expect(doorMarkers(world)).toEqual(
    [
      [2, 3, left, 1, 3],
      [3, 4, right, 4, 4],
      [8, 10, down, 8, 11],
      [2, 4, left, 1, 4],
      [2, 10, up, 2, 9],
    ].map(([x, y, action, toX, toY]) => ({ cell: y * 13 + x, action, toCell: toY * 13 + toX })),
  );
  for (const { from, action, to, reverseAction } of world.doors) {
    expect([world.next[from * 4 + action], world.next[to * 4 + reverseAction]]).toEqual([to, to]);
  }
  // Nothing else has changed.
  const changed = Array.from(world.next.keys()).filter((edge) => world.next[edge] !== room4.next[edge]);
  expect(new Set(changed)).toEqual(new Set(world.doors.map((door) => door.to * 4 + door.reverseAction)));
});

test("GridRoom-16, seed 7: twelve doors as NumPy's choice without replacement draws them", () => {
  const world = createGridworld(namedLayout("GridRoom-16"), { doors: { count: 12, seed: 7 } });
  expect(world.reversibleMoveCount).toBe(828);
  expect(world.doors.map(({ from, action, to, reverseAction }) => [from, action, to, reverseAction])).toEqual([
    [270, 3, 269, 1], [22, 2, 39, 0], [44, 1, 45, 3], [129, 3, 128, 1], [137, 1, 138, 3], [146, 3, 145, 1],
    [86, 1, 87, 3], [90, 3, 89, 1], [40, 2, 57, 0], [5, 2, 22, 0], [42, 3, 41, 1], [116, 1, 117, 3],
  ]);
});

test("all moves as doors close every edge; one more is refused", () => {
  const all = createGridworld(namedLayout("open:2x2"), { doors: { count: 8, seed: 1 } });
  expect(Array.from(all.next)).toEqual(Array.from({ length: 16 }, (_, edge) => edge >> 2));
  const tooMany = () => createGridworld(namedLayout("open:2x2"), { doors: { count: 9, seed: 1 } });
  expect(tooMany).toThrow("got 9 doors, but only 8 moves can be undone");
  expect(tooMany).toThrow(DataError);
  for (const doors of [{ count: -1, seed: 1 }, { count: 1.5, seed: 1 }, { count: 1, seed: -1 }]) {
    expect(() => createGridworld(namedLayout("open:2x2"), { doors })).toThrow(DataError);
  }
});

test("stationary law with doors: NumPy's null vector for room4; zero where the walk cannot stay", () => {
  const law = stationaryLaw(createGridworld(namedLayout("room4"), { doors: { count: 5, seed: 42 } }));
  const expected = [0.01243665470609, 0.010848689954259, 0.01011512890227, 0.010069158147695];
  expected.forEach((weight, state) => expect(law[state]).toBeCloseTo(weight, 14));
  expect(Math.min(...law)).toBeCloseTo(0.004817359617405499, 13);
  expect(Math.max(...law)).toBeCloseTo(0.020296522836276996, 13);
  // A corridor of three cells with doors towards the right: everything ends in the last cell.
  const tiles = { ...namedLayout("open:1x3"), oneWayTiles: [{ cell: 0, action: 1 }, { cell: 1, action: 1 }] };
  expect(Array.from(stationaryLaw(createGridworld(tiles)))).toEqual([0, 0, 1]);
  // Doors away from the middle cell: it is left for good, towards either end with equal chances.
  const away = { ...tiles, oneWayTiles: [{ cell: 1, action: 1 }, { cell: 1, action: 3 }] };
  const ends = stationaryLaw(createGridworld(away));
  [0.5, 0, 0.5].forEach((weight, state) => expect(ends[state]).toBeCloseTo(weight, 15));
});
