// Who is who without a list: characters told apart by the colours that they wear in every direction.

import { FRAME_EDGE, FRAMES_PER_SEQUENCE, FRAME_VALUES, SEQUENCE_VALUES } from "./dataset.ts";
import type { SequenceSource } from "./dataset.ts";

const PIXELS = FRAME_EDGE * FRAME_EDGE;

/** A colour counts as worn when it fills this many pixels over eight frames; less may be a shade of one direction. */
const WORN_PIXELS = 64;
/** Of six variants of a garment each is in about 1/6 of the sequences; a colour of one direction alone is in 1/18. */
const SMALLEST_SHARE = 1 / 8;

/**
 * Numbers the sequences `kept` by appearance, [count] with -1 elsewhere: two sequences get the same number when they
 * wear the same colours. Only colours that every sequence wears plainly (64 pixels or more) or not at all, and that at
 * least an eighth of the sequences wear, are looked at, so that the same character seen from another side keeps its
 * number. On the published Sprites and on the drawn ones the numbers agree with the characters exactly; on other
 * pictures they are a guess, and a list of identities is better.
 */
export function identitiesByAppearance(source: SequenceSource, kept: ArrayLike<number>): Int32Array {
  const countsOf = Array.from(kept, (index) => colorCounts(source, index));
  const smallest = new Map<number, { pixels: number; sequences: number }>();
  for (const counts of countsOf) {
    for (const [color, pixels] of counts) {
      const known = smallest.get(color);
      if (known === undefined) smallest.set(color, { pixels, sequences: 1 });
      else {
        known.pixels = Math.min(known.pixels, pixels);
        known.sequences++;
      }
    }
  }
  const plain = (color: number) => {
    const { pixels, sequences } = smallest.get(color) as { pixels: number; sequences: number };
    return pixels >= WORN_PIXELS && sequences < kept.length && sequences >= kept.length * SMALLEST_SHARE;
  };
  const numbers = new Map<string, number>();
  const identities = new Int32Array(source.count).fill(-1);
  countsOf.forEach((counts, row) => {
    const worn = [...counts.keys()].filter(plain).sort((first, second) => first - second);
    const signature = worn.join(" ");
    if (!numbers.has(signature)) numbers.set(signature, numbers.size);
    identities[kept[row]] = numbers.get(signature) as number;
  });
  return identities;
}

/** Pixels of each colour over the eight frames of a sequence. */
function colorCounts(source: SequenceSource, index: number): Map<number, number> {
  const sequence = new Uint8Array(SEQUENCE_VALUES);
  source.read(index, sequence, 0);
  const counts = new Map<number, number>();
  for (let time = 0; time < FRAMES_PER_SEQUENCE; time++) {
    for (let pixel = time * FRAME_VALUES; pixel < time * FRAME_VALUES + PIXELS; pixel++) {
      const color = (sequence[pixel] << 16) | (sequence[pixel + PIXELS] << 8) | sequence[pixel + 2 * PIXELS];
      if (color !== 0) counts.set(color, (counts.get(color) ?? 0) + 1);
    }
  }
  return counts;
}
