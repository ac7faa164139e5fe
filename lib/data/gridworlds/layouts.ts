// The named layouts, as data: the rooms and mazes of the ALLO paper and the small grids of the original trainer.

/** One layout as it is kept here. */
export interface LayoutRecord {
  readonly width: number;
  /** A hexadecimal number per row, top row first; W bits, the highest is column 0, 1 a wall; `v*k` is k equal rows. */
  readonly rows: string;
  /** Marks as [x, y]. */
  readonly start?: readonly [number, number];
  readonly goal?: readonly [number, number];
}

const ROOM_4 = "1fff 1041 1001 1041*3 1dfb 1021*2 1001 1021*2 1fff";
const ROOM_16_ABOVE_LAST_ROW =
  "1fffff 108421 100401 108021 108421 1ffffb 108421 100421 108021 108421 1dff77 108421*2 108021 108421 1bfffb " +
  "108421 108021 100401 108421";

const LAYOUTS = {
  "room4": { width: 13, rows: ROOM_4 },
  "GridRoom-4": { width: 13, rows: ROOM_4 },
  "GridRoomSym-4": { width: 13, rows: "1fff 1041*2 1001 1041*2 1df7 1041*2 1001 1041*2 1fff" },
  "GridRoom-1": { width: 17, rows: "1ffff 10001*15 1ffff" },
  "GridRoomSmall-1": { width: 8, rows: "ff 81*6 ff" },
  "GridRoomSmallAsym-1": { width: 8, rows: "ff 81*5 ff" },
  "GridRoom-16": { width: 21, rows: `${ROOM_16_ABOVE_LAST_ROW} 1fffff` },
  "GridRoom-32": {
    width: 21,
    rows:
      `${ROOM_16_ABOVE_LAST_ROW} 1bfffb 108421 100401 108021 108421 1ffffb 108421 100421 108021 108421 1dff77 ` +
      "108421*2 108021 108421 1bfffb 108421 108021 100401 108421 1fffff",
  },
  "GridRoom-64": {
    width: 41,
    rows:
      "1ffffffffff 10842108421 10040100401 10802108021 10842108421 1ffffbbffff 10842108421 10042108401 10802108021 " +
      "10842108421 1dff77ddff7 10842108421*2 10802108021 10842108421 1bdffbbff7b 10842108421 10802108021 10840100421 " +
      "10842008421 1dffffffff7 10842008421 10840100421 10802108021 10842108421 1bdffbbff7b 10842108421*2 10802108021 " +
      "10842108421 1dff77ddff7 10842108421 10802108021 10042108401 10842108421 1ffffbbffff 10842108421 10802108021 " +
      "10040100401 10842108421 1ffffffffff",
  },
  "GridMaze-7": { width: 9, rows: "1ff 1fd*2 101 1fd*2 1ff" },
  "GridMaze-9": { width: 9, rows: "1ff 1fd*3 101 1fd*3 1ff" },
  "GridMaze-11": { width: 11, rows: "7ff 7df*4 401 7df*4 7ff" },
  "GridMaze-17": {
    width: 19,
    rows: "7ffff 43f01 5bf7d*2 5bf6d*4 5b06d 5b7ed*4 5f7ed*2 407e1 7ffff",
  },
  "GridMaze-19": {
    width: 19,
    rows:
      "7ffff 40101 5ff7d 40045 5ffd5 50451 5755d 54511 55df7 44511 5f555 50455 57fd7 54111 5dd7f 51501 555fd 44411 " +
      "7ffff",
  },
  "GridMaze-26": {
    width: 32,
    rows:
      "ffffffff a045180d af55dfe9 a8511c03 abdf655b 88510d41 bf55505f a04545d1 affd7555 a8111555 bbd7f555 a1500415 " +
      "ab5fdef5 8b451065 a8511d45 abdf7d55 88510555 bf5555c5 a0455435 affd77b5 a8111285 bbd7faf1 a2d01a05 aadfdbfd " +
      "88c10001 ffffffff",
  },
  "GridMaze-32": {
    width: 32,
    rows:
      "ffffffff 80101efd bff7d845 800443d5 bffd5b55 a045184d af55dfe9 a8511c03 abdf655b 88510d41 bf55505f a04545d1 " +
      "affd7595 a8111595 bbd7f595 a1500415 ab5fdef5 88411025 abf7f755 af55d755 a8511145 abdf7d55 88510555 bf5555c5 " +
      "a0455435 affd77b5 a8111285 bbd7faf1 a2d01a05 aadfdbfd 88c10001 ffffffff",
  },
  "empty": { width: 9, rows: "0*8", start: [0, 0], goal: [8, 7] },
  "obstacles": { width: 9, rows: "0 1c0 10*3 0 1e 0", start: [0, 0], goal: [8, 7] },
  "maze": { width: 9, rows: "7f 141 15d 111 1dd 101 17d 101 1ff", start: [0, 0], goal: [7, 7] },
  "spiral": { width: 9, rows: "1ff 103 17b 14b 16b 10b 1fb 3 1ff", start: [0, 7], goal: [3, 3] },
} as const satisfies Record<string, LayoutRecord>;

/** The names that {@link namedLayout} knows; `room4` and `GridRoom-4` are the same layout. */
export type GridworldName = keyof typeof LAYOUTS;

/** All named layouts, in the order of the list above. */
export const GRIDWORLD_NAMES = Object.keys(LAYOUTS) as readonly GridworldName[];

/** The record of a name, or undefined when no layout is called so. */
export function layoutRecord(name: string): LayoutRecord | undefined {
  return Object.hasOwn(LAYOUTS, name) ? LAYOUTS[name as GridworldName] : undefined;
}
