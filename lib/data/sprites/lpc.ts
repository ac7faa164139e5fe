// The published Sprites data, composed from a folder of Liberated Pixel Cup sheets.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../errors.ts";
import { decodePng } from "../png.ts";
import { catalogue } from "./characters.ts";
import { FRAME_EDGE, SPRITE_ACTIONS, SPRITE_DIRECTIONS } from "./dataset.ts";
import type { SequenceSource, SpriteAction, SpriteDirection } from "./dataset.ts";
import { composeSequence, layerFromRgba } from "./layers.ts";
import type { Layer } from "./layers.ts";

/** The licence and attribution that every picture made from the sheets carries. */
export const LPC_LICENSE =
  "Liberated Pixel Cup / Universal LPC spritesheet authors, CC-BY-SA 3.0 / GPL 3.0; " +
  "derived pictures carry the same licence";

const SHEET_WIDTH = 832;
const SHEET_HEIGHT = 1344;
const SHEET_COLUMNS = SHEET_WIDTH / FRAME_EDGE;

/** The folders of sheets, bottom layer first, and which attribute column picks the sheet; everybody wears shoes/1. */
const folders: readonly { name: string; sheets: readonly number[]; factor: 0 | 1 | 2 | 3 | null }[] = [
  { name: "body", sheets: [0, 1, 2, 3, 4, 5], factor: 0 },
  { name: "bottomwear", sheets: [0, 1, 2, 3, 4, 5], factor: 1 },
  { name: "topwear", sheets: [0, 1, 2, 3, 4, 5], factor: 2 },
  { name: "hair", sheets: [0, 1, 2, 3, 4, 5], factor: 3 },
  { name: "shoes", sheets: [1], factor: null },
];

/** First cell of an action on a sheet (cells counted row by row), and the cells of frames 0 to 7 from there. */
const cells: Record<SpriteAction, { base: Record<SpriteDirection, number>; offsets: readonly number[] }> = {
  walk: { base: { left: 117, front: 130, right: 143 }, offsets: [8, 1, 2, 3, 4, 5, 6, 7] },
  spellcast: { base: { left: 13, front: 26, right: 39 }, offsets: [0, 1, 2, 3, 4, 5, 4, 6] },
  slash: { base: { left: 169, front: 182, right: 195 }, offsets: [0, 1, 2, 3, 4, 5, 4, 0] },
};

/** Whether a path looks like a folder of LPC sheets. */
export function isLpcFolder(path: string): boolean {
  return existsSync(join(path, "body")) && existsSync(join(path, "hair"));
}

/**
 * All sequences of the 1296 characters, 3888 per action, in catalogue order, composed on demand (about 0.2 ms each).
 * Throws `not-found`, `bad-file` or `bad-shape` naming the sheet that is missing, damaged or of another size.
 */
export function lpcSource(folder: string, actions: readonly SpriteAction[] = ["slash"]): SequenceSource {
  const rows = catalogue(actions);
  const used = new Set(
    actions.flatMap((action) => SPRITE_DIRECTIONS.flatMap((direction) => sequenceCells(action, direction))),
  );
  const layers = folders.map(({ name, sheets }) =>
    sheets.map((sheet) => readSheet(join(folder, name, `${sheet}.png`), used)),
  );
  return {
    ...rows,
    byteScale: 256,
    description: `LPC sheets, ${actions.join(", ")}`,
    read(index, out, offset) {
      const factors = rows.attributes.subarray(index * 6, index * 6 + 4);
      const direction = SPRITE_DIRECTIONS[rows.attributes[index * 6 + 4]];
      const sheets = folders.map(({ factor }, depth) => layers[depth][factor === null ? 0 : factors[factor]]);
      const layersOf = (cell: number) => sheets.map((sheet) => sheet.get(cell) as Layer);
      composeSequence(sequenceCells(SPRITE_ACTIONS[rows.actions[index]], direction), layersOf, out, offset);
    },
  };
}

function sequenceCells(action: SpriteAction, direction: SpriteDirection): number[] {
  const { base, offsets } = cells[action];
  return offsets.map((offset) => base[direction] + offset);
}

function readSheet(path: string, used: ReadonlySet<number>): Map<number, Layer> {
  if (!existsSync(path)) {
    throw new DataError(
      "not-found",
      `${path}: no such sheet; wanted body, bottomwear, topwear and hair 0.png to 5.png, and shoes/1.png`,
    );
  }
  const { width, height, channels, data } = decodePng(readFileSync(path), path);
  if (width !== SHEET_WIDTH || height !== SHEET_HEIGHT || channels !== 4) {
    throw new DataError(
      "bad-shape",
      `${path}: got ${width} x ${height} with ${channels} channels, ` +
        `wanted ${SHEET_WIDTH} x ${SHEET_HEIGHT} with transparency. Use the sheet unchanged.`,
    );
  }
  const layerAt = (cell: number) =>
    layerFromRgba(
      data,
      SHEET_WIDTH,
      (cell % SHEET_COLUMNS) * FRAME_EDGE,
      Math.floor(cell / SHEET_COLUMNS) * FRAME_EDGE,
    );
  return new Map(Array.from(used, (cell) => [cell, layerAt(cell)]));
}
