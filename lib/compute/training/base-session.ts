// What every session has, whatever computes its steps: staging buffers that take turns, one step at a time, live state.
import { averagingWeight, type AveragingOptions } from "../optimizer/averaging.ts";
import type { SessionState } from "./state.ts";
import type {
  CompileOptions, Evaluator, InputArray, SessionStats, StateSource, StepResult, TensorFunction, TensorSpec, TrainingSession, TrainingState,
} from "./types.ts";

export interface SessionParts {
  state: SessionState;
  /** Two sets of input buffers. */
  staging: Record<string, InputArray>[];
  averaging: AveragingOptions | undefined;
}

export abstract class BaseSession implements TrainingSession {
  abstract readonly stats: SessionStats;
  protected readonly state: SessionState;
  private stage = 0;
  private inFlight = false;

  protected constructor(private readonly parts: SessionParts) {
    this.state = parts.state;
  }

  get inputs(): Record<string, InputArray> {
    return this.parts.staging[this.stage];
  }

  get params(): Record<string, Float32Array> {
    return this.state.params;
  }

  get averagedParams(): Record<string, Float32Array> {
    return this.state.averagedParams;
  }

  get stepCount(): number {
    return this.state.stepCount;
  }

  async step({ learningRate }: { learningRate: number }): Promise<StepResult> {
    if (this.inFlight) throw new Error("step: the previous step is still running; await it first");
    this.inFlight = true;
    const { stage } = this;
    this.stage = 1 - stage;
    try {
      const result = await this.runStep(stage, learningRate);
      if (result.updated) this.state.stepCount++;
      return result;
    } finally {
      this.inFlight = false;
    }
  }

  exportState(): TrainingState {
    return this.state.export();
  }

  importState(saved: TrainingState | StateSource): void {
    this.state.import("read" in saved ? saved : { stepCount: saved.stepCount, read: (kind, name) => saved[kind][name] });
  }

  abstract compile(fn: TensorFunction, inputs: Record<string, TensorSpec>, options?: CompileOptions): Promise<Evaluator>;
  abstract close(): Promise<void>;

  /** Computes and applies update number stepCount + 1 from one set of input buffers. */
  protected abstract runStep(stage: number, learningRate: number): Promise<StepResult>;

  /** Weight of the next update in the running average. */
  protected nextAveragingWeight(): number {
    const { averaging } = this.parts;
    return averaging ? averagingWeight(averaging, this.state.stepCount + 1) : 0;
  }
}
