// Drawing while training runs, in a process of its own at low priority: the program that trains never loads a plotting library.
import { existsSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { basename } from "node:path";

export interface PlotterProcess {
  /** Draws what the run directory holds now; if the last drawing still goes on, this one is left to `finish`. */
  draw(): void;
  /** Waits until everything is drawn. */
  finish(): Promise<void>;
}

/** Starts `script` on the run directory `path`. What is missing or fails is said, and stops nothing. */
export function plotterProcess(script: string, path: string, say: (line: string) => void): PlotterProcess {
  if (!existsSync(script)) {
    say(`warning: --plot_during_training: ${basename(script)} is not in this version, so nothing is drawn; the data are exported all the same`);
    return { draw() {}, async finish() {} };
  }
  let running: Promise<void> | undefined;
  let isLeft = false;
  const start = async () => {
    const child = Bun.spawn([process.execPath, script, "--results_dir", path], { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
    try {
      setPriority(child.pid, constants.priority.PRIORITY_LOW);
    } catch {
      // It has ended already, or the system has no priorities.
    }
    const code = await child.exited;
    if (code !== 0) say(`warning: --plot_during_training: drawing ended with ${code}`);
    running = undefined;
  };
  const draw = () => {
    isLeft = running !== undefined;
    running ??= start();
  };
  return {
    draw,
    async finish() {
      await running;
      if (isLeft) draw();
      await running;
    },
  };
}
