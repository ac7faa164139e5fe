// Progress of a long loop: a bar on a terminal, one plain line every few seconds elsewhere (log files, pipes).
import type { TextStream } from "./terminal.ts";
import { hasColor } from "./terminal.ts";
import { formatDuration, formatNumber } from "./text.ts";

export interface ProgressOptions {
  /** What is counted, e.g. "train". */
  label: string;
  totalSteps: number;
  /** Steps already done when the loop starts (a resumed run): they count as done but not for the speed. */
  startStep?: number;
  stream?: TextStream;
  /** Current time in milliseconds; for tests. */
  now?: () => number;
  /** Pause between two lines where there is no terminal, in milliseconds. */
  lineIntervalMs?: number;
}

const BAR_WIDTH = 24;
const REDRAW_INTERVAL_MS = 100;
const SPEED_WINDOW_MS = 20_000;

/** A progress display. `update` is cheap enough to be called at every step: it draws only when it is time to. */
export class Progress {
  readonly #options: Required<ProgressOptions>;
  readonly #isTerminal: boolean;
  #recent: { atMs: number; step: number }[] = [];
  #lastDrawnMs = -Infinity;
  #step: number;
  #isBarShown = false;

  constructor(options: ProgressOptions) {
    const defaults = { startStep: 0, stream: process.stderr, now: () => performance.now(), lineIntervalMs: 5000 };
    this.#options = { ...defaults, ...options };
    this.#isTerminal = this.#options.stream.isTTY === true && process.env.TERM !== "dumb";
    this.#step = this.#options.startStep;
    this.#recent.push({ atMs: this.#options.now(), step: this.#step });
    if (!this.#isTerminal) this.#lastDrawnMs = this.#options.now();
  }

  /** Steps per second over the last seconds; 0 before the first step is done. */
  get stepsPerSecond(): number {
    const first = this.#recent[0];
    const last = this.#recent[this.#recent.length - 1];
    return last.atMs > first.atMs ? ((last.step - first.step) * 1000) / (last.atMs - first.atMs) : 0;
  }

  /** Says that `step` steps are done; `facts` (epoch, loss) are shown in the order given. */
  update(step: number, facts: Readonly<Record<string, string | number>> = {}): void {
    const nowMs = this.#options.now();
    this.#step = step;
    this.#recent.push({ atMs: nowMs, step });
    while (this.#recent.length > 2 && nowMs - this.#recent[0].atMs > SPEED_WINDOW_MS) this.#recent.shift();
    const interval = this.#isTerminal ? REDRAW_INTERVAL_MS : this.#options.lineIntervalMs;
    if (nowMs - this.#lastDrawnMs < interval) return;
    this.#lastDrawnMs = nowMs;
    this.#draw(facts);
  }

  /** Writes a line of talk without tearing the bar. */
  log(line: string): void {
    this.#clear();
    this.#options.stream.write(`${line}\n`);
  }

  /** Time spent outside the loop (validation) does not count as slowness of the steps. */
  skipPause(): void {
    this.#recent = [{ atMs: this.#options.now(), step: this.#step }];
  }

  /** Takes the bar away; the stream stands at the beginning of a line. */
  stop(): void {
    this.#clear();
  }

  #clear(): void {
    if (this.#isBarShown) this.#options.stream.write("\r\u001b[2K");
    this.#isBarShown = false;
  }

  #draw(facts: Readonly<Record<string, string | number>>): void {
    const { label, totalSteps, stream } = this.#options;
    const share = totalSteps > 0 ? Math.min(1, this.#step / totalSteps) : 1;
    const speed = this.stepsPerSecond;
    const remaining = speed > 0 ? formatDuration(((totalSteps - this.#step) / speed) * 1000) : "?";
    const said = Object.entries(facts).map(([name, value]) => `${name} ${typeof value === "number" ? formatNumber(value) : value}`);
    const tail = [...said, `${speed.toFixed(1)} steps/s`, `ETA ${remaining}`].join(" | ");
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    if (!this.#isTerminal) {
      stream.write(`${label} ${this.#step}/${totalSteps} | ${tail}\n`);
      return;
    }
    const filled = Math.round(share * BAR_WIDTH);
    const [full, empty] = hasColor(stream) ? ["\u2501", "\u2500"] : ["#", "."];
    const line = `${label} ${full.repeat(filled)}${empty.repeat(BAR_WIDTH - filled)}${percent} | ${tail}`;
    stream.write(`\r\u001b[2K${line.slice(0, (stream.columns ?? 120) - 1)}`);
    this.#isBarShown = true;
  }
}
