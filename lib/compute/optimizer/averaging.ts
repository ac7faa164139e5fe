// Exponential moving average of the parameters: evaluation on it is less noisy than on the last step's (Polyak & Juditsky 1992).

export interface AveragingOptions {
  /** Share of the average that one step keeps, for example 0.998 for a window of about 500 steps. */
  decay: number;
  /** Steps between two updates of the average, each with the decay of that many steps. Default 8. */
  interval?: number;
}

/**
 * Weight with which the parameters after update `stepCount` enter the average, 0 when they do not. The decay starts at 2/11
 * and grows with the number n of averagings as (1 + n) / (10 + n), so that the first weights are soon forgotten; before the
 * first averaging the average follows every step, so that it is never the untrained start.
 */
export function averagingWeight({ decay, interval = 8 }: AveragingOptions, stepCount: number): number {
  if (stepCount < interval) return 1;
  if (stepCount % interval !== 0) return 0;
  const n = stepCount / interval;
  return 1 - Math.min(decay ** interval, (1 + n) / (10 + n));
}
