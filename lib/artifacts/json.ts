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

/** The value of text written by {@link encodeJson}; throws SyntaxError. */
export function decodeJson(text: string): JsonValue {
  return JSON.parse(text, (_key, item) => (typeof item === "string" ? (spelledNumbers.get(item) ?? item) : item));
}
