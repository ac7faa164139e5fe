// metrics.jsonl: whole lines only, whatever a killed writer left, and the two layouts of metrics_history.json.
import { describe, expect, test } from "bun:test";
import { createRun, metricsColumns, metricsRecords, openRun, readMetrics, resumeRun } from "@cleanloop/artifacts";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf, temporaryDirectory } from "./support.ts";

const directory = temporaryDirectory();
let count = 0;
const newRun = () => {
  return createRun({ root: directory, group: "metrics", name: `run-${count++}`, config: {}, command: [] });
};

describe("the log", () => {
  test("one JSON object per line, non-finite numbers as text and back", () => {
    const run = newRun();
    run.appendMetrics({ epoch: 0, "train/total_loss": 0.1, loop_mode: "open" });
    run.appendMetrics({ epoch: 1, "train/total_loss": NaN, best: -Infinity });
    expect(readFileSync(join(run.path, "metrics.jsonl"), "utf8")).toBe(
      '{"epoch":0,"train/total_loss":0.1,"loop_mode":"open"}\n{"epoch":1,"train/total_loss":"NaN","best":"-Infinity"}\n',
    );
    expect(openRun(run.path).metrics()[1]).toEqual({ epoch: 1, "train/total_loss": NaN, best: -Infinity });
    expect(codeOf(() => run.appendMetrics({ bad: 1n as unknown as number }))).toBe("invalid-argument");
  });

  test("a log cut at any byte gives the rows that were whole", () => {
    const rows = [{ epoch: 0, note: "ü\n" }, { epoch: 1 }, { epoch: 2 }];
    const whole = Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const path = join(directory, "cut.jsonl");
    for (let length = 0; length <= whole.byteLength; length++) {
      writeFileSync(path, whole.subarray(0, length));
      const lines = whole.subarray(0, length).filter((byte) => byte === 0x0a).length;
      expect(readMetrics(path) as unknown[]).toEqual(rows.slice(0, lines));
    }
  });

  test("resuming cuts the torn tail before it appends", () => {
    const run = newRun();
    run.appendMetrics({ epoch: 0 });
    run.finish("killed");
    for (const tail of ['{"epoch":1,"lo', '{"epoch":1}', "\0\0\0\0"]) {
      appendFileSync(join(run.path, "metrics.jsonl"), tail);
      const again = resumeRun(run.path);
      again.appendMetrics({ epoch: 1 });
      expect(again.readMetrics()).toEqual([{ epoch: 0 }, { epoch: 1 }]);
      again.dropMetricsAfter("epoch", 0);
      again.finish("killed");
    }
  });

  test("dropMetricsAfter cuts from the first later row; rows without the key stay before it", () => {
    const run = newRun();
    for (const row of [{ step: 1 }, { note: "a" }, { step: 2 }, { step: 3 }, { note: "b" }]) run.appendMetrics(row);
    run.dropMetricsAfter("step", 9);
    expect(run.readMetrics()).toHaveLength(5);
    run.dropMetricsAfter("step", 2);
    expect(run.readMetrics()).toEqual([{ step: 1 }, { note: "a" }, { step: 2 }]);
    run.appendMetrics({ step: 3 });
    expect(run.readMetrics().at(-1)).toEqual({ step: 3 });
  });

  test("damage in the middle is an error with the line, not silence", () => {
    const path = join(directory, "damaged.jsonl");
    writeFileSync(path, '{"a":1}\n{"a":\n{"a":3}\n');
    expect(codeOf(() => readMetrics(path))).toBe("bad-header");
    expect(() => readMetrics(path)).toThrow(/damaged\.jsonl, line 2/);
    writeFileSync(path, "[1]\n");
    expect(codeOf(() => readMetrics(path))).toBe("bad-header");
  });

  test("a log that is not there has no rows", () => expect(readMetrics(join(directory, "absent.jsonl"))).toEqual([]));

  test("a row that does not fit on the disk is not left half written", () => {
    const path = join(directory, "full", "metrics", "run");
    const program = `
import { createRun } from ${JSON.stringify(join(import.meta.dir, "../../lib/artifacts/index.ts"))};
const root = ${JSON.stringify(join(directory, "full"))};
const run = createRun({ root, group: "metrics", name: "run", config: {}, command: [] });
const note = "x".repeat(900);
for (let epoch = 0; ; epoch++) {
  try { run.appendMetrics({ epoch, note }); }
  catch (error) { console.log(epoch, error.code); run.appendMetrics({ small: 1 }); break; }
}`;
    const shell = `trap "" XFSZ; ulimit -f 8; exec "$0" -e "$1"`;
    const result = Bun.spawnSync(["bash", "-c", shell, process.execPath, program]);
    expect(result.stdout.toString().trim()).toBe("8 file-too-large");
    const rows = readMetrics(join(path, "metrics.jsonl"));
    expect(rows.map((row) => row.epoch)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, undefined]);
    expect(rows.at(-1)).toEqual({ small: 1 });
  });
});

describe("metrics_history.json", () => {
  const rows = [
    { epoch: 0, loss: 2.5 },
    { epoch: 1, loss: Infinity, note: "x" },
  ];

  test("columns are as long as the rows, null where a value is missing or not finite", () => {
    expect(metricsColumns(rows)).toEqual({ epoch: [0, 1], loss: [2.5, null], note: [null, "x"] });
    expect(metricsColumns([])).toEqual({});
  });

  test("records keep each row's own keys", () => {
    expect(metricsRecords(rows)).toEqual([{ epoch: 0, loss: 2.5 }, { epoch: 1, loss: null, note: "x" }]);
  });

  test("the list of records is strict JSON, a record per line, and leaves out a torn last row", async () => {
    const run = newRun();
    const history = async () => {
      await run.writeMetricsHistory("records");
      return readFileSync(join(run.path, "metrics_history.json"), "utf8");
    };
    expect(await history()).toBe("[]\n");
    run.appendMetrics({ step: 0, loss: 0.1, note: "é" });
    run.appendMetrics({ step: 100, loss: NaN, best: -Infinity, note: 'says "NaN"' });
    run.appendMetrics({ step: 200, loss: 1e-300 });
    appendFileSync(join(run.path, "metrics.jsonl"), '{"step":300,"lo');
    expect(await history()).toBe(
      '[{"step":0,"loss":0.1,"note":"é"},\n' +
        '{"step":100,"loss":null,"best":null,"note":"says \\"NaN\\""},\n' +
        '{"step":200,"loss":1e-300}]\n',
    );
  });

  test("both layouts are written as an artifact that replaces itself", async () => {
    const run = newRun();
    for (const row of rows) run.appendMetrics(row);
    await run.writeMetricsHistory();
    const read = () => JSON.parse(readFileSync(join(run.path, "metrics_history.json"), "utf8"));
    expect(read()).toEqual({ epoch: [0, 1], loss: [2.5, null], note: [null, "x"] });
    await run.writeMetricsHistory("records");
    expect(read()[0]).toEqual({ epoch: 0, loss: 2.5 });
    const view = openRun(run.path);
    expect(view.artifacts.filter(({ name }) => name === "metrics_history.json")).toHaveLength(1);
    expect(view.verifyArtifacts()).toEqual([]);
  });
});
