// JSON that keeps non-finite numbers, as the strings "NaN", "Infinity" and "-Infinity" (the spelling W&B uses too).
import { ArtifactError } from "./errors.ts";

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

const spelledNumbers = new Map([
  ["NaN", NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
]);
const spelledNumberPattern = /"(?:NaN|-?Infinity)"/;

/** JSON text of a value; throws `invalid-argument` for bigints, functions and cycles, which JSON would lose or refuse. */
export function encodeJson(value: JsonValue, indent?: number): string {
  const spell = (key: string, item: unknown): unknown => {
    if (typeof item === "bigint" || typeof item === "function" || typeof item === "symbol") {
      throw new ArtifactError("invalid-argument", `encodeJson: got a ${typeof item} at "${key}", wanted JSON values.`);
    }
    return typeof item === "number" && !Number.isFinite(item) ? String(item) : item;
  };
  try {
    return JSON.stringify(value, spell, indent);
  } catch (cause) {
    if (cause instanceof ArtifactError) throw cause;
    throw new ArtifactError("invalid-argument", `encodeJson: ${(cause as Error).message}`, { cause });
  }
}

/** Whether {@link encodeJson} spelled a number in this text. */
export function hasSpelledNumber(text: string): boolean {
  return spelledNumberPattern.test(text);
}

/** The value of text written by {@link encodeJson}; throws SyntaxError. */
export function decodeJson(text: string): JsonValue {
  // Most text spells no number, and a reviver makes parsing six times as slow.
  if (!hasSpelledNumber(text)) return JSON.parse(text);
  return JSON.parse(text, (_key, item) => (typeof item === "string" ? (spelledNumbers.get(item) ?? item) : item));
}
