// Statistics that the tests of samplers share.

/**
 * How many standard deviations Pearson's statistic of `counts` lies above its mean under `probabilities`; cells with
 * fewer than five expected draws are taken together. Infinity when something impossible was drawn.
 */
export function chiSquareSigmas(counts: ArrayLike<number>, probabilities: ArrayLike<number>): number {
  let draws = 0;
  for (let cell = 0; cell < counts.length; cell++) draws += counts[cell];
  let [statistic, cells, rareCount, rareExpected] = [0, 0, 0, 0];
  for (let cell = 0; cell < counts.length; cell++) {
    const expected = draws * probabilities[cell];
    if (expected === 0 && counts[cell] > 0) return Infinity;
    if (expected < 5) {
      rareCount += counts[cell];
      rareExpected += expected;
      continue;
    }
    statistic += (counts[cell] - expected) ** 2 / expected;
    cells++;
  }
  if (rareExpected >= 5) {
    statistic += (rareCount - rareExpected) ** 2 / rareExpected;
    cells++;
  }
  const freedom = cells - 1;
  return (statistic - freedom) / Math.sqrt(2 * freedom);
}

/** Mean of the values and the standard error of that mean. */
export function meanAndError(values: ArrayLike<number>): { mean: number; error: number } {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    sum += values[i];
    squares += values[i] ** 2;
  }
  const mean = sum / values.length;
  return { mean, error: Math.sqrt((squares / values.length - mean ** 2) / values.length) };
}
