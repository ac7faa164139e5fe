// The strip of eigenvectors pixel by pixel, and the process that draws while training runs.
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGridworld, decodePng, exactSpectrum, namedLayout, parseLayout } from "@cleanloop/data";
import { eigenvectorStrip } from "../../scripts/allo/eigenvector_strip.ts";
import { plotterProcess } from "../../scripts/allo/plotter_process.ts";

const place = mkdtempSync(join(tmpdir(), "cleanloop-pictures-"));
afterAll(() => rmSync(place, { recursive: true }));

describe("the strip", () => {
  /** Colours of the cells of one panel, row by row, as hexadecimal numbers. */
  function panel(png: Uint8Array, [width, height]: [number, number], row: number, column: number): string[] {
    const { width: imageWidth, channels, data } = decodePng(png, "strip");
    const scale = Math.floor(52 / Math.max(width, height));
    return Array.from({ length: width * height }, (_, cell) => {
      const x = 4 + column * (width * scale + 4) + ((cell % width) + 0.5) * scale;
      const y = 4 + row * (height * scale + 4) + (Math.floor(cell / width) + 0.5) * scale;
      const at = (Math.floor(y) * imageWidth + Math.floor(x)) * channels;
      return Buffer.from(data.subarray(at, at + 3)).toString("hex");
    });
  }

  test("has walls in grey, the ends of the range in dark blue and dark red, zero nearly white", () => {
    const world = createGridworld(parseLayout("...\n.X.", "small"));
    const columns = { ...exactSpectrum(world, 1), eigenvalues: Float64Array.of(1), eigenvectors: Float64Array.of(0.6, -0.6, 0, 0.3, -0.3) };
    const png = eigenvectorStrip(world, columns, columns.eigenvectors);
    // Half way up and down the range: in the middle between the published colours f4a582 and d6604d, and 92c5de and 4393c3.
    expect(panel(png, [3, 2], 0, 0)).toEqual(["67001f", "053061", "f7f7f7", "e58368", "808080", "6bacd1"]);
  });

  test("shows learned features of any sign and length as the eigenvectors they are", () => {
    const world = createGridworld(namedLayout("room4"));
    const exact = exactSpectrum(world, 3);
    const png = eigenvectorStrip(world, exact, exact.eigenvectors.map((value, at) => (at % 3 === 1 ? -5 : 9) * value));
    const { width, height } = decodePng(png, "strip");
    expect({ width, height }).toEqual({ width: 3 * 56 + 4, height: 2 * 56 + 4 });
    for (const column of [0, 1, 2]) expect(panel(png, [13, 13], 1, column)).toEqual(panel(png, [13, 13], 0, column));
    expect(panel(png, [13, 13], 0, 1)).not.toEqual(panel(png, [13, 13], 0, 2));
  });

  test("of a feature that is zero is blank, not broken", () => {
    const world = createGridworld(namedLayout("open:2x2"));
    const png = eigenvectorStrip(world, exactSpectrum(world, 1), new Float32Array(4));
    expect(new Set(panel(png, [2, 2], 1, 0))).toEqual(new Set(["f7f7f7"]));
  });
});

describe("drawing while training", () => {
  test("without a program to draw with is one warning and nothing else", async () => {
    const said: string[] = [];
    const plotter = plotterProcess(join(place, "absent.ts"), place, (line) => void said.push(line));
    plotter.draw();
    plotter.draw();
    await plotter.finish();
    expect(said).toEqual([expect.stringContaining("absent.ts is not in this version, so nothing is drawn")]);
  });

  test("is one process at a time, on the run, and draws what came last", async () => {
    const script = join(place, "draws.ts");
    const log = join(place, "drawn.txt");
    writeFileSync(script, `import { appendFileSync } from "node:fs";
appendFileSync(${JSON.stringify(log)}, "begin " + process.argv.slice(2).join(" ") + "\\n");
await Bun.sleep(100);
appendFileSync(${JSON.stringify(log)}, "end\\n");`);
    const plotter = plotterProcess(script, "runs/a", () => {});
    for (let export_ = 0; export_ < 5; export_++) plotter.draw();
    await plotter.finish();
    expect(readFileSync(log, "utf8").trim().split("\n")).toEqual(["begin --results_dir runs/a", "end", "begin --results_dir runs/a", "end"]);
  });

  test("that fails is said and stops nothing", async () => {
    const script = join(place, "fails.ts");
    writeFileSync(script, "process.exit(3);");
    const said: string[] = [];
    const plotter = plotterProcess(script, place, (line) => void said.push(line));
    plotter.draw();
    await plotter.finish();
    expect(said).toEqual(["warning: --plot_during_training: drawing ended with 3"]);
  });
});
