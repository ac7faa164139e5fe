// A process that is killed loses nothing that it had logged.

import { expect, test } from "bun:test";
import { readFileSync, existsSync } from "node:fs";
import { dirname, join } from "node:path";

import { logRecord, recoverLog } from "@cleanloop/wandb";
import { itemsToObject, temporaryDirectory } from "./run-log.ts";

const KILLS = 16;
const AT_ONCE = 4;
const PROGRAM = join(import.meta.dir, "fixtures", "logs-until-killed.ts");
const root = temporaryDirectory();

/** Starts the program, kills it some time after its first row, and returns its log and the rows it had confirmed. */
async function killAfter(delayMs: number): Promise<{ path: string; confirmed: number[] }> {
  const child = Bun.spawn([process.execPath, PROGRAM, root], { stdout: "pipe", stderr: "inherit" });
  let text = "";
  let isArmed = false;
  const decoder = new TextDecoder();
  for await (const bytes of child.stdout) {
    text += decoder.decode(bytes, { stream: true });
    if (!isArmed && text.includes("\n0\n")) {
      isArmed = true;
      setTimeout(() => child.kill("SIGKILL"), delayMs);
    }
  }
  await child.exited;
  expect(child.signalCode).toBe("SIGKILL");
  // What follows the last newline is a number that was being written.
  const [path, ...steps] = text.slice(0, text.lastIndexOf("\n")).split("\n");
  return { path, confirmed: steps.map(Number) };
}

test(`${KILLS} kills at random moments: every confirmed row is in the log, with its media`, async () => {
  for (let done = 0; done < KILLS; done += AT_ONCE) {
    const delays = Array.from({ length: AT_ONCE }, () => Math.random() * 150);
    for (const { path, confirmed } of await Promise.all(delays.map(killAfter))) {
      const { entries, damage } = recoverLog(readFileSync(path));
      const records = entries.map(({ payload }) => logRecord.decode(payload));
      const rows = records.flatMap(({ history }) => (history === undefined ? [] : [itemsToObject(history.item)]));
      expect(confirmed.length).toBeGreaterThan(0);
      expect(confirmed).toEqual(confirmed.map((_, index) => index));
      expect(rows.map(({ _step }) => _step).slice(0, confirmed.length)).toEqual(confirmed);
      // At most the row whose number was not yet printed is there besides.
      expect(rows.length - confirmed.length).toBeLessThanOrEqual(1);
      expect(rows.every(({ loss, epoch, _step }) => loss === 1 / ((_step as number) + 1) && epoch === _step)).toBe(true);
      // Nothing but the record that was being written may be cut.
      expect(damage.map(({ error }) => error.code).filter((code) => code !== "truncated")).toEqual([]);
      // A killed run does not look finished, but has a summary.
      expect(records.some(({ exit }) => exit !== undefined)).toBe(false);
      expect(records.some(({ summary }) => summary !== undefined)).toBe(true);
      const files = records.flatMap((record) => record.files?.files ?? []);
      expect(files.every((file) => existsSync(join(dirname(path), "files", file.path)))).toBe(true);
    }
  }
}, 60_000);
