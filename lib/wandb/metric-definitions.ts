// Metric definitions: which step metric a metric is drawn against and how it is summarized.

import { WandbError } from "./errors.ts";
import type { NewRecord } from "./records.ts";
import { MetricGoal } from "./records.ts";
import type { MetricOptions, SummaryAggregate } from "./run.ts";

/**
 * The definitions of one run. A name that ends in `*` is a pattern; readers of the log want each metric by name,
 * so a pattern is expanded when a metric that fits it is first logged.
 */
export class MetricDefinitions {
  private readonly exact = new Map<string, MetricOptions>();
  /** Patterns without their star; later ones win. */
  private readonly prefixes = new Map<string, MetricOptions>();

  /** Adds a definition and returns its record; throws `bad-option` for a star that is not the last character. */
  define(name: string, options: MetricOptions): NewRecord {
    if (name === "" || name.slice(0, -1).includes("*")) {
      const got = JSON.stringify(name);
      throw new WandbError("bad-option", `got the name ${got}, wanted a name, or a prefix that ends in "*"`);
    }
    if (name.endsWith("*")) {
      this.prefixes.set(name.slice(0, -1), options);
      return { metric: { globName: name, ...metricFields(options) } };
    }
    this.exact.set(name, options);
    return { metric: { name, ...metricFields(options) } };
  }

  /** The record that names a metric fitting a pattern, when it is logged for the first time. */
  expand(name: string): NewRecord | undefined {
    if (this.exact.has(name) || name.startsWith("_")) return undefined;
    const options = [...this.prefixes].findLast(([prefix]) => name.startsWith(prefix))?.[1];
    if (options === undefined || options.stepMetric === name) return undefined;
    this.exact.set(name, options);
    return { metric: { name, ...metricFields(options), expandedFromGlob: true } };
  }

  /** The aggregates the summary is to show for a metric; undefined when its definition names none. */
  aggregates(name: string): readonly SummaryAggregate[] | undefined {
    const summary = this.exact.get(name)?.summary;
    return typeof summary === "string" ? [summary] : summary;
  }
}

function metricFields({ stepMetric, summary, goal, hidden }: MetricOptions): NonNullable<NewRecord["metric"]> {
  const aggregates = typeof summary === "string" ? [summary] : summary;
  return {
    stepMetric,
    options: { stepSync: stepMetric !== undefined, hidden, defined: true },
    summary: aggregates && Object.fromEntries(aggregates.map((aggregate) => [aggregate, true])),
    goal: goal && MetricGoal[goal],
  };
}
