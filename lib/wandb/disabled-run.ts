// A run that records nothing, so that code that logs needs no condition around every call.

import { Guard } from "./guard.ts";
import { JsonValues } from "./key-values.ts";
import type { InitOptions } from "./options.ts";
import type { Row, Run } from "./run.ts";
import { newRunId } from "./run-directory.ts";
import { toValueJson } from "./value-json.ts";

/** The kind of `Run` that keeps its config and summary in memory and does nothing else. */
export class DisabledRun implements Run {
  readonly mode = "disabled";
  readonly id: string;
  readonly name: string;
  readonly project: string;
  readonly directory = undefined;
  readonly historyFile = undefined;
  readonly failure = undefined;
  readonly config = new JsonValues((values) => this.keep(this.config, values));
  readonly summary = new JsonValues((values) => this.keep(this.summary, values));
  private readonly guard = new Guard("memory", () => {});

  constructor(options: InitOptions) {
    this.id = options.id ?? newRunId();
    this.name = options.name ?? this.id;
    this.project = options.project;
    this.config.update(options.config ?? {});
  }

  get warnings(): Run["warnings"] {
    return this.guard.warnings;
  }

  log(): void {}
  defineMetric(): void {}
  alert(): void {}
  saveFile(): void {}
  logArtifact(): void {}

  finish(): Promise<void> {
    return Promise.resolve();
  }

  private keep(store: JsonValues, values: Row): void {
    for (const [key, value] of Object.entries(values)) {
      if (value !== undefined) this.guard.tolerate(key, () => store.set(key, toValueJson(value)));
    }
  }
}
