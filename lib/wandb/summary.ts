// The summary of a run: the last value of every key, or the aggregates its metric definition asks for.

import { JsonValues } from "./key-values.ts";
import type { SummaryAggregate } from "./run.ts";
import { toValueJson } from "./value-json.ts";

interface Aggregates {
  count: number;
  sum: number;
  min: number;
  max: number;
  first: number;
  last: number;
}

/** The summary's keys, fed with the values of each row that goes into the history. */
export class Summary extends JsonValues {
  private readonly aggregates = new Map<string, Aggregates>();

  /** Takes in a logged number whose definition asks for aggregates; NaN counts in `first` and `last` alone. */
  aggregate(key: string, value: number, wanted: readonly SummaryAggregate[]): void {
    const shown = wanted.filter((aggregate) => aggregate !== "none");
    if (shown.length === 0) return;
    const seen = this.aggregates.get(key) ?? { count: 0, sum: 0, min: NaN, max: NaN, first: value, last: value };
    seen.last = value;
    if (!Number.isNaN(value)) {
      seen.min = seen.count === 0 ? value : Math.min(seen.min, value);
      seen.max = seen.count === 0 ? value : Math.max(seen.max, value);
      seen.sum += value;
      seen.count++;
    }
    this.aggregates.set(key, seen);
    const { min, max, first, last } = seen;
    const all = { min, max, first, last, mean: seen.sum / seen.count };
    this.set(key, toValueJson(Object.fromEntries(shown.map((aggregate) => [aggregate, all[aggregate]]))));
  }
}
