// One-way doors: which moves can be undone, and which of them a seed turns into doors.

import { DataError } from "../errors.ts";
import { NumpyRandomState } from "../mt19937.ts";

/** A move between canonical states whose way back is blocked: the walker who tries `reverseAction` at `to` stays. */
export interface Door {
  readonly from: number;
  readonly action: number;
  readonly to: number;
  readonly reverseAction: number;
}

/** The action that undoes `action`. */
export const reverseOf = (action: number): number => (action + 2) % 4;

/** Every move that can be undone, in ascending order of (state, action); `next` is [n, 4]. */
export function reversibleMoves(next: Int32Array): Door[] {
  const moves: Door[] = [];
  for (let from = 0; from < next.length / 4; from++) {
    for (let action = 0; action < 4; action++) {
      const to = next[from * 4 + action];
      const reverseAction = reverseOf(action);
      if (to !== from && next[to * 4 + reverseAction] === from) moves.push({ from, action, to, reverseAction });
    }
  }
  return moves;
}

/**
 * Draws `count` different doors as the original trainer does: the first entries of NumPy's
 * `RandomState(seed).choice(moves, count, replace=False)`. Both directions of one edge may be drawn; that closes it.
 */
export function drawDoors(moves: readonly Door[], count: number, seed: number): Door[] {
  if (!Number.isInteger(count) || count < 0) {
    throw new DataError("invalid-argument", `drawDoors: got ${count} doors, wanted a whole number from 0`);
  }
  if (count > moves.length) {
    throw new DataError(
      "not-enough",
      `drawDoors: got ${count} doors, but only ${moves.length} moves can be undone; ask for at most ${moves.length}`,
    );
  }
  return Array.from(new NumpyRandomState(seed).permutation(moves.length).subarray(0, count), (index) => moves[index]);
}
