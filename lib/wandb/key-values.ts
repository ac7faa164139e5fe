// A set of keys with JSON values: the config of a run, and the ground of its summary.

import type { KeyValues, Row } from "./run.ts";
import { fromValueJson } from "./value-json.ts";

export interface JsonItem {
  readonly key: string;
  readonly valueJson: string;
}

/** Keeps every key as JSON and knows which keys have changed since they were last taken. */
export class JsonValues implements KeyValues {
  private readonly json = new Map<string, string>();
  private readonly changed = new Set<string>();

  /** `update` hands the caller's values to `onUpdate`, which decides what of them is set. */
  constructor(private readonly onUpdate: (values: Row) => void) {}

  get(key: string): unknown {
    const json = this.json.get(key);
    return json === undefined ? undefined : fromValueJson(json);
  }

  update(values: Row): void {
    this.onUpdate(values);
  }

  toJSON(): Record<string, unknown> {
    return Object.fromEntries([...this.json].map(([key, json]) => [key, fromValueJson(json)]));
  }

  /** Sets a key to a value that is already JSON. */
  set(key: string, json: string): void {
    if (this.json.get(key) === json) return;
    this.json.set(key, json);
    this.changed.add(key);
  }

  /** The keys that changed since the last call, with their values. */
  takeChanged(): JsonItem[] {
    const items = this.items().filter(({ key }) => this.changed.has(key));
    this.changed.clear();
    return items;
  }

  /** Every key with its value. */
  items(): JsonItem[] {
    return Array.from(this.json, ([key, valueJson]) => ({ key, valueJson }));
  }
}
