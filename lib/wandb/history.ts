// The step axis: which row a call to `log` belongs to, and when a row is complete.

import { WandbError } from "./errors.ts";
import type { LogOptions } from "./run.ts";

/** A logged value with its media resolved, and its JSON at the time it was logged. */
export interface LoggedValue {
  readonly value: unknown;
  readonly json: string;
}

/** A row of the history: its step and its values by key. */
export interface HistoryRow {
  readonly step: number;
  readonly values: Map<string, LoggedValue>;
}

/**
 * Steps never go back. A row is committed by the call that logs it unless that call says `commit: false`; then it
 * stays open for the following calls with the same step. Logging once more at the last committed step makes a second
 * row with that step: its keys are added, nothing that is on disk is taken back.
 */
export class StepAxis {
  private openRow: HistoryRow | undefined;
  private lastStep: number;
  private nextStep: number;

  /** `commit` gets every complete row. */
  constructor(
    startingStep: number,
    private readonly commit: (row: HistoryRow) => void,
  ) {
    this.lastStep = startingStep;
    this.nextStep = startingStep;
  }

  /** The row for a call to `log`, opened when needed; throws `bad-step` for a step that is no step or lies behind. */
  rowAt({ step = this.nextStep }: LogOptions): HistoryRow {
    if (!Number.isSafeInteger(step) || step < 0) {
      throw new WandbError("bad-step", `got the step ${step}, wanted an integer of 0 or more; the row is left out`);
    }
    if (step < this.lastStep) {
      const wanted = `${this.lastStep} or more, the last one logged`;
      throw new WandbError("bad-step", `got the step ${step}, wanted ${wanted}; the row is left out`);
    }
    if (this.openRow?.step !== step) this.commitOpenRow();
    this.openRow ??= { step, values: new Map() };
    this.lastStep = step;
    this.nextStep = step;
    return this.openRow;
  }

  /** Closes the row that is open, if any. */
  commitOpenRow(): void {
    if (this.openRow === undefined) return;
    const row = this.openRow;
    this.openRow = undefined;
    this.nextStep = row.step + 1;
    this.commit(row);
  }
}
