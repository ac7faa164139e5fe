// Media values, their files and their place before the row; artifacts and their digests.

import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { LogRecord, Run } from "@cleanloop/wandb";
import { Artifact, Histogram, Html, Image, Plotly, Table, WandbError } from "@cleanloop/wandb";
import { historyOf, kindsOf, quietRun, recordsOf, temporaryDirectory } from "./run-log.ts";

const root = temporaryDirectory();

/** A PNG of one grey pixel, 1 wide and 1 high, as an encoder wrote it. */
const PIXEL = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

/** The same with other numbers in the header: enough for a reader of width and height. */
function sizedPng(width: number, height: number): Buffer {
  const png = Buffer.from(PIXEL);
  png.writeUInt32BE(width, 16);
  png.writeUInt32BE(height, 20);
  return png;
}

interface FileValue {
  _type: string;
  sha256: string;
  size: number;
  path: string;
}

/** Logs one value at step 4 and returns its JSON and its file. */
function logged(key: string, value: unknown): { run: Run; json: FileValue; content: Buffer } {
  const run = quietRun(root);
  run.log({ [key]: value }, { step: 4 });
  expect(run.warnings).toEqual([]);
  const json = historyOf(run)[0][key] as FileValue;
  const content = readFileSync(join(run.directory ?? "", "files", json.path));
  return { run, json, content };
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("files", () => {
  test("an image: name, hash, size, format, width, height, caption", () => {
    const png = sizedPng(640, 48);
    const { json, content } = logged("val/recon", new Image(png, { caption: "epoch 4" }));
    expect(json as unknown).toEqual({
      _type: "image-file",
      format: "png",
      width: 640,
      height: 48,
      caption: "epoch 4",
      sha256: sha256(png),
      size: png.length,
      path: `media/images/val/recon_4_${sha256(png).slice(0, 20)}.png`,
    });
    expect(content.equals(png)).toBe(true);
  });

  test("a list of images", () => {
    const run = quietRun(root);
    run.log({ list: [new Image(sizedPng(3, 2)), new Image(sizedPng(5, 7), { caption: "b" })] });
    const json = historyOf(run)[0].list as Record<string, unknown>;
    expect(json).toMatchObject({ _type: "images/separated", width: 3, height: 2, format: "png", count: 2 });
    expect(json.captions).toEqual(["", "b"]);
    expect(json.filenames).toEqual([
      `media/images/list_0_${sha256(sizedPng(3, 2)).slice(0, 20)}.png`,
      `media/images/list_0_${sha256(sizedPng(5, 7)).slice(0, 20)}.png`,
    ]);
  });

  test("html, stored as given", () => {
    const { json, content } = logged("page", new Html("<b>ä</b>"));
    expect(json._type).toBe("html-file");
    expect(json.path).toMatch(/^media\/html\/page_4_[0-9a-f]{20}\.html$/);
    expect(content.toString()).toBe("<b>ä</b>");
  });

  test("a plotly figure, compact, with typed arrays as lists and gaps for NaN", () => {
    const figure = { data: [{ type: "scatter", y: new Float32Array([0.5, NaN]) }], layout: { title: "t" } };
    const { json, content } = logged("fig", new Plotly(figure));
    expect(json._type).toBe("plotly-file");
    expect(json.path).toMatch(/^media\/plotly\/fig_4_[0-9a-f]{20}\.plotly\.json$/);
    expect(content.toString()).toBe('{"data":[{"type":"scatter","y":[0.5,null]}],"layout":{"title":"t"}}');
  });

  test("a table, with the artifact that the app's viewer reads", () => {
    const table = new Table({ columns: ["name", "score"], data: [["a", 1], ["b", null]] });
    const { run, json, content } = logged("val/table", table);
    expect(json).toMatchObject({ _type: "table-file", ncols: 2, nrows: 2, log_mode: "IMMUTABLE" });
    expect(JSON.parse(content.toString())).toEqual({ columns: ["name", "score"], data: [["a", 1], ["b", null]] });

    const artifact = recordsOf(run).find((record) => record.artifact !== undefined)?.artifact;
    expect(artifact).toMatchObject({ name: `run-${run.id}-val_table`, type: "run_table", aliases: ["latest"] });
    const entry = artifact?.manifest?.contents[0];
    const stored = JSON.parse(readFileSync(entry?.localPath ?? "", "utf8")) as Record<string, unknown>;
    expect(stored).toMatchObject({ _type: "table", ncols: 2, columns: ["name", "score"], data: [["a", 1], ["b", null]] });
    const types = (stored.column_types as { params: { type_map: Record<string, unknown> } }).params.type_map;
    expect(types.name).toEqual({ wb_type: "string" });
    expect(types.score).toEqual({
      wb_type: "union",
      params: { allowed_types: [{ wb_type: "none" }, { wb_type: "number" }] },
    });
    expect((json as unknown as Record<string, string>).artifact_path).toBe(
      `wandb-client-artifact://${artifact?.clientId}/${entry?.path}`,
    );
  });

  test("media inside nested values", () => {
    const run = quietRun(root);
    run.log({ a: { b: { image: new Image(PIXEL), n: 1 } } });
    const value = historyOf(run)[0].a as { b: { image: FileValue; n: number } };
    expect(value.b.n).toBe(1);
    expect(statSync(join(run.directory ?? "", "files", value.b.image.path)).size).toBe(PIXEL.length);
  });

  test("each file and its record come before the row that names it", () => {
    const run = quietRun(root);
    const image = new Image(PIXEL);
    run.log({ image, other: image, page: new Html("x") });
    const kinds = kindsOf(run);
    const history = kinds.indexOf("history");
    const paths = mediaPaths(recordsOf(run).slice(0, history));
    const row = historyOf(run)[0];
    for (const key of ["image", "other", "page"]) expect(paths).toContain((row[key] as FileValue).path);
    expect(kinds.slice(history + 1)).not.toContain("files");
  });

  function mediaPaths(records: readonly LogRecord[]): string[] {
    const files = records.flatMap((record) => record.files?.files ?? []);
    return files.filter(({ type, policy }) => type === 2 && policy === 0).map(({ path }) => path);
  }

  test("keys cannot lead out of the run", () => {
    for (const key of ["../../evil", "/etc/evil", "a/../../../b", "..", "x".repeat(300), "nul\0byte", "..\\evil"]) {
      const { json, content } = logged(key, new Image(PIXEL));
      expect(json.path.startsWith("media/images/")).toBe(true);
      expect(json.path.split("/")).not.toContain("..");
      expect(content.length).toBe(PIXEL.length);
    }
  });

  test("a list with other media than images is left out with a warning", () => {
    const run = quietRun(root);
    run.log({ mixed: [new Html("a"), new Image(PIXEL)], good: 1 });
    expect(historyOf(run)[0]).toMatchObject({ good: 1 });
    expect(run.warnings.map(({ code }) => code)).toEqual(["bad-value"]);
  });
});

describe("what is no such medium is refused where it is made", () => {
  const refused: [string, () => unknown][] = [
    ["pixels for an image", () => new Image(new Uint8Array(100))],
    ["an empty image", () => new Image(new Uint8Array())],
    ["an absent file", () => new Image(join(root, "absent.png"))],
    ["a figure without data", () => new Plotly({} as never)],
    ["a ragged table", () => new Table({ columns: ["a"], data: [[1], [1, 2]] })],
    ["a histogram of nothing", () => Histogram.of([NaN])],
    ["a histogram with too few edges", () => Histogram.fromBins([0, 1], [1, 2])],
  ];
  test.each(refused)("%s", (_name, make) => {
    expect(make).toThrow(WandbError);
    expect(make).toThrow(expect.objectContaining({ code: "bad-media" }));
  });

  test("an image may be a path", () => {
    const path = join(root, "pixel.png");
    writeFileSync(path, PIXEL);
    expect(new Image(path)).toMatchObject({ width: 1, height: 1 });
  });
});

describe("histograms", () => {
  test("numpy.histogram([1, 2, 1, 5], bins=4) is [2 1 0 1] over 1, 2, 3, 4, 5", () => {
    expect(Histogram.of([1, 2, 1, 5], { binCount: 4 }).toJSON()).toEqual({
      _type: "histogram",
      bins: [1, 2, 3, 4, 5],
      values: [2, 1, 0, 1],
    });
  });
  test("numpy.histogram([3, 3], bins=2) is [0 2] over 2.5, 3, 3.5", () => {
    expect(Histogram.of([3, 3], { binCount: 2 }).toJSON()).toMatchObject({ bins: [2.5, 3, 3.5], values: [0, 2] });
  });
  test("has 64 bins by default and is stored in the row", () => {
    const run = quietRun(root);
    run.log({ h: Histogram.of(new Float32Array(1000).map((_, index) => index)) });
    const value = historyOf(run)[0].h as { bins: number[]; values: number[] };
    expect(value.bins).toHaveLength(65);
    expect(value.values.reduce((sum, count) => sum + count, 0)).toBe(1000);
    expect(kindsOf(run).filter((kind) => kind === "files")).toHaveLength(1);
  });
});

describe("artifacts", () => {
  test("are stored in the run, with W&B's digests", () => {
    const run = quietRun(root, { entity: "team" });
    const artifact = new Artifact("model", "model", { metadata: { loss: NaN }, aliases: ["best"], description: "d" });
    artifact.addBytes(Buffer.from("bb"), "z.txt").addBytes(Buffer.from("a"), "sub/a.txt");
    run.logArtifact(artifact);
    const record = recordsOf(run).at(-1)?.artifact;
    expect(record).toMatchObject({
      runId: run.id,
      project: "test",
      entity: "team",
      name: "model",
      type: "model",
      aliases: ["best"],
      description: "d",
      metadata: '{"loss":NaN}',
      finalize: true,
    });
    // Python: base64.b64encode(hashlib.md5(content).digest()) of b"a" and b"bb".
    const contents = record?.manifest?.contents ?? [];
    expect(contents.map(({ path, digest, sizeBytes }) => [path, digest, sizeBytes]).toSorted()).toEqual([
      ["sub/a.txt", "DMF1ucDxtqgxw5niaXcmYQ==", 1],
      ["z.txt", "Ia0L2Da5DQj0z2QLTCmOfA==", 2],
    ]);
    for (const { localPath, sizeBytes } of contents) {
      expect(localPath.startsWith(join(run.directory ?? "", "artifacts"))).toBe(true);
      expect(statSync(localPath).size).toBe(sizeBytes);
    }
    // Python: hashlib.md5 over "wandb-artifact-manifest-v1\n" and the two lines "<path>:<digest>\n".
    expect(record?.digest).toBe("cba4310933c64f0969bf721e9d126106");
    expect(record?.clientId).toMatch(/^[0-9a-z]{128}$/);
    expect(record?.sequenceClientId).toMatch(/^[0-9a-z]{128}$/);
    expect(record?.manifest).toMatchObject({ version: 1, storagePolicy: "wandb-storage-policy-v1" });
  });

  test("equal contents are stored once", () => {
    const run = quietRun(root);
    const artifact = new Artifact("m", "model").addBytes(PIXEL, "a.png").addBytes(PIXEL, "b.png");
    run.logArtifact(artifact);
    const contents = recordsOf(run).at(-1)?.artifact?.manifest?.contents ?? [];
    expect(contents).toHaveLength(2);
    expect(new Set(contents.map(({ localPath }) => localPath)).size).toBe(1);
  });

  test("names that W&B does not take and files that are absent are refused", () => {
    expect(() => new Artifact("a/b", "model")).toThrow(expect.objectContaining({ code: "bad-artifact" }));
    const absent = (): unknown => new Artifact("a", "model").addFile(join(root, "absent"));
    expect(absent).toThrow(expect.objectContaining({ code: "bad-artifact" }));
  });
});
