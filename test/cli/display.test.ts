// What commands show: progress on a terminal and in a log, tables, durations, colour, confirmation.
import { describe, expect, test } from "bun:test";
import { PassThrough } from "node:stream";
import { confirm, formatBytes, formatDuration, formatNumber, hasColor, Progress, RefusedError, renderTable } from "@cleanloop/cli";

class Recorder {
  text = "";
  constructor(readonly isTTY: boolean, readonly columns = 200) {}
  write(text: string) {
    this.text += text;
  }
}

describe("progress", () => {
  const simulate = (stream: Recorder, steps: number, stepMs: number) => {
    let nowMs = 0;
    const progress = new Progress({ label: "train", totalSteps: 100, stream, now: () => nowMs });
    for (let step = 1; step <= steps; step++) {
      nowMs += stepMs;
      progress.update(step, { epoch: "1/4", loss: 123.456 });
    }
    return progress;
  };

  test("writes one plain line every five seconds where there is no terminal", () => {
    const stream = new Recorder(false);
    simulate(stream, 24, 500);
    expect(stream.text).toBe(
      "train 10/100 | epoch 1/4 | loss 123.5 | 2.0 steps/s | ETA 45s\ntrain 20/100 | epoch 1/4 | loss 123.5 | 2.0 steps/s | ETA 40s\n",
    );
  });

  test("redraws one line on a terminal and takes it away at the end", () => {
    const stream = new Recorder(true);
    const progress = simulate(stream, 50, 50);
    progress.log("epoch 1 done");
    progress.stop();
    expect(stream.text).not.toContain("\n\r\u001b[2K\n");
    expect(stream.text).toEndWith("\r\u001b[2Kepoch 1 done\n");
    expect(stream.text).toContain(" 49% | epoch 1/4 | loss 123.5 | 20.0 steps/s | ETA 3s");
  });

  test("never writes past the width of the terminal", () => {
    const stream = new Recorder(true, 40);
    simulate(stream, 10, 200);
    const frames = stream.text.split("\r\u001b[2K").filter(Boolean);
    expect(Math.max(...frames.map((frame) => frame.length))).toBe(39);
  });

  test("a resumed run counts its old steps as done but not as speed", () => {
    let nowMs = 0;
    const stream = new Recorder(false);
    const progress = new Progress({ label: "train", totalSteps: 100, startStep: 90, stream, now: () => nowMs, lineIntervalMs: 0 });
    nowMs = 2000;
    progress.update(92);
    expect(stream.text).toBe("train 92/100 | 1.0 steps/s | ETA 8s\n");
  });
});

test("a table aligns numbers to the right and words to the left", () => {
  const table = renderTable(["term", "train", "validation"], [["recon", 617.884, 307.07], ["kl", 19.99, undefined], ["cyclicity", 0.00012, 3]]);
  expect(table).toMatchInlineSnapshot(`
    "term         train  validation
    ---------  -------  ----------
    recon        617.9       307.1
    kl           19.99           -
    cyclicity  1.20e-4           3"
  `);
});

test("durations, numbers and sizes for people", () => {
  expect([0, 59_400, 60_000, 3_599_000, 7_620_000, Infinity].map(formatDuration)).toEqual(["0s", "59s", "1m00s", "59m59s", "2h07m", "?"]);
  expect([0, 12, -3.14159, 6184.47, 1.2e-5, 3e9, Number.NaN].map(formatNumber)).toEqual(["0", "12", "-3.142", "6184.5", "1.20e-5", "3.00e+9", "NaN"]);
  expect([999, 60_000, 1_449_000, 65_700_000, 2.5e9].map(formatBytes)).toEqual(["999 B", "60.0 kB", "1.4 MB", "65.7 MB", "2.50 GB"]);
});

test("colour only on a terminal, and never with NO_COLOR", () => {
  expect(hasColor({ write() {}, isTTY: true }, {})).toBe(true);
  expect(hasColor({ write() {}, isTTY: true }, { NO_COLOR: "1" })).toBe(false);
  expect(hasColor({ write() {}, isTTY: true }, { NO_COLOR: "" })).toBe(true);
  expect(hasColor({ write() {}, isTTY: true }, { TERM: "dumb" })).toBe(false);
  expect(hasColor({ write() {} }, {})).toBe(false);
});

describe("confirm", () => {
  const ask = async (answer: string | null, isTTY = true, yes = false) => {
    const input = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.ReadStream;
    const output = new PassThrough() as unknown as NodeJS.WriteStream;
    if (answer === null) input.push(null);
    else input.push(`${answer}\n`);
    return confirm("Delete 3 files?", { yes, input, output });
  };

  test.each(["y", "yes", "Y", " YES "])("%j agrees", async (answer) => expect(await ask(answer)).toBeUndefined());
  test.each(["n", "", "yeah", "no"])("%j does not", (answer) => expect(ask(answer)).rejects.toBeInstanceOf(RefusedError));
  test("an end of input is not consent", () => expect(ask(null)).rejects.toThrow("nothing was changed"));
  test("without a terminal only --yes counts", async () => {
    await expect(ask("y", false)).rejects.toThrow("add --yes");
    expect(await ask(null, false, true)).toBeUndefined();
  });
});
