// Media that can be logged as values: what the caller makes. Where the bytes go is media-files.ts's affair.

import { readContent } from "./content.ts";
import { WandbError } from "./errors.ts";
import { isTypedArray, toValueJson } from "./value-json.ts";

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const DEFAULT_BIN_COUNT = 64;
const MAX_BIN_COUNT = 512;

/** Media whose content is one file of the run. */
export abstract class MediaFile {
  abstract readonly content: Uint8Array;
  /** The folder below `files/media`. */
  abstract readonly folder: string;
  abstract readonly extension: string;
  /** The fields of the JSON value besides sha256, size and path. */
  abstract readonly fields: Readonly<Record<string, unknown>>;
}

/** A PNG picture; width and height are read from its header. */
export class Image extends MediaFile {
  readonly folder = "images";
  readonly extension = ".png";
  readonly content: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly caption: string | undefined;

  /** `source`: the PNG's bytes or its path. Throws `bad-media` for anything else. */
  constructor(source: Uint8Array | string, options: { caption?: string } = {}) {
    super();
    this.content = readContent(source, "bad-media");
    this.caption = options.caption;
    const isPng = this.content.length >= 24 && PNG_SIGNATURE.every((byte, index) => this.content[index] === byte);
    if (!isPng) {
      const got = `${this.content.length} bytes that are no PNG`;
      throw new WandbError("bad-media", `Image: got ${got}, wanted an encoded PNG: encode the pixels first`);
    }
    // The header chunk comes first: length (4), "IHDR" (4), width (4), height (4), big endian.
    const header = new DataView(this.content.buffer, this.content.byteOffset + PNG_SIGNATURE.length, 16);
    this.width = header.getUint32(8);
    this.height = header.getUint32(12);
  }

  get fields(): Record<string, unknown> {
    const { width, height, caption } = this;
    return { _type: "image-file", format: "png", width, height, ...(caption !== undefined && { caption }) };
  }
}

/** An HTML page or fragment, stored as it is given. */
export class Html extends MediaFile {
  readonly folder = "html";
  readonly extension = ".html";
  readonly fields = { _type: "html-file" };
  readonly content: Uint8Array;

  constructor(html: string) {
    super();
    this.content = new TextEncoder().encode(html);
  }
}

/** A Plotly figure: an object with `data` and, usually, `layout` and `frames`. */
export class Plotly extends MediaFile {
  readonly folder = "plotly";
  readonly extension = ".plotly.json";
  readonly fields = { _type: "plotly-file" };
  readonly content: Uint8Array;

  /** Throws `bad-media` when the figure has no list of traces. Numbers that are not finite become gaps (null). */
  constructor(figure: { readonly data: readonly unknown[] }) {
    super();
    if (!Array.isArray(figure?.data)) {
      throw new WandbError("bad-media", "Plotly: got an object without `data`, wanted { data: [traces], layout }");
    }
    const plainLists = (_key: string, value: unknown): unknown => (isTypedArray(value) ? Array.from(value) : value);
    this.content = new TextEncoder().encode(JSON.stringify(figure, plainLists));
  }
}

/** A cell of a table. */
export type TableCell = string | number | boolean | null;

/** A table of rows, each with one cell per column. */
export class Table extends MediaFile {
  readonly folder = "table";
  readonly extension = ".table.json";
  readonly columns: readonly string[];
  readonly data: readonly (readonly TableCell[])[];

  /** Throws `bad-media` when a row has another number of cells than there are columns. */
  constructor(table: { readonly columns: readonly string[]; readonly data: readonly (readonly TableCell[])[] }) {
    super();
    this.columns = table.columns;
    this.data = table.data;
    const ragged = this.data.findIndex((row) => row.length !== this.columns.length);
    if (ragged >= 0) {
      const got = `${this.data[ragged].length} cells in row ${ragged}`;
      throw new WandbError("bad-media", `Table: got ${got}, wanted one for each of the ${this.columns.length} columns`);
    }
  }

  get content(): Uint8Array {
    return new TextEncoder().encode(toValueJson({ columns: this.columns, data: this.data }));
  }

  get fields(): Record<string, unknown> {
    return { _type: "table-file", ncols: this.columns.length, nrows: this.data.length, log_mode: "IMMUTABLE" };
  }
}

/** A histogram, stored in the row itself: `bins` holds the n + 1 edges of the n counts in `values`. */
export class Histogram {
  readonly bins: readonly number[];
  readonly values: readonly number[];

  private constructor(bins: readonly number[], values: readonly number[]) {
    this.bins = bins;
    this.values = values;
  }

  /** Counts the finite numbers of a sample in bins of equal width; throws `bad-media` when there are none. */
  static of(sample: ArrayLike<number>, options: { binCount?: number } = {}): Histogram {
    const binCount = options.binCount ?? DEFAULT_BIN_COUNT;
    const finite = Array.from(sample).filter(Number.isFinite);
    if (finite.length === 0) throw new WandbError("bad-media", "Histogram.of: got no finite number, wanted one or more");
    const low = finite.reduce((least, value) => Math.min(least, value), Infinity);
    const high = finite.reduce((most, value) => Math.max(most, value), -Infinity);
    // A sample of one value gets a bin of width 1 around it, as NumPy does.
    const [start, end] = low === high ? [low - 0.5, high + 0.5] : [low, high];
    const counts = Array.from({ length: binCount }, () => 0);
    for (const value of finite) {
      counts[Math.min(Math.floor(((value - start) / (end - start)) * binCount), binCount - 1)]++;
    }
    const edges = Array.from({ length: binCount + 1 }, (_, index) => start + ((end - start) * index) / binCount);
    return Histogram.fromBins(edges, counts);
  }

  /** A histogram counted elsewhere; throws `bad-media` unless there is one edge more than counts, 1 to 512. */
  static fromBins(bins: readonly number[], values: readonly number[]): Histogram {
    if (bins.length !== values.length + 1 || values.length < 1 || values.length > MAX_BIN_COUNT) {
      const got = `${bins.length} edges and ${values.length} counts`;
      throw new WandbError("bad-media", `Histogram: got ${got}, wanted n + 1 edges and n counts, n from 1 to 512`);
    }
    return new Histogram(bins, values);
  }

  toJSON(): Record<string, unknown> {
    return { _type: "histogram", bins: this.bins, values: this.values };
  }
}
