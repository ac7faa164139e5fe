// Work that goes on side by side and must have ended, well or badly, before anything that it uses is closed.

/** Both results, when both have ended. Throws the error of `first`, or else that of `second`, but not before the other has ended. */
export async function bothSettled<First, Second>(first: Promise<First>, second: Promise<Second>): Promise<[First, Second]> {
  await Promise.allSettled([first, second]);
  return Promise.all([first, second]);
}
