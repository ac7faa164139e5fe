// `value_json`: JSON in which NaN, Infinity and -Infinity are bare words, as Python's json module writes it.

import { WandbError } from "./errors.ts";

/**
 * Serializes one logged value. Like JSON.stringify, but numbers that are not finite become bare words,
 * typed arrays lists and bigints numbers. Throws `bad-value` for what has no JSON (functions, circular objects).
 */
export function toValueJson(value: unknown): string {
  let json: string | undefined;
  try {
    json = serialize(value, []);
  } catch (error) {
    // The value's own `toJSON` or getters may throw anything, and a deep one exhausts the stack.
    throw new WandbError("bad-value", `the value has no JSON: ${(error as Error).message}`, { cause: error });
  }
  if (json === undefined) throw new WandbError("bad-value", `a value of type ${typeof value} has no JSON`);
  return json;
}

/** Parses `value_json`; throws `bad-json` when the text is none. */
export function fromValueJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not plain JSON: perhaps one with bare words, which JSON.parse can be given in disguise.
  }
  let disguisedNaN = "NaN";
  while (text.includes(`"${disguisedNaN}"`)) disguisedNaN += "!";
  const plain = text.replace(/"(?:[^"\\]|\\.)*"|NaN|-?Infinity/g, (token) => {
    if (token === "NaN") return `"${disguisedNaN}"`;
    // A literal too large for a double parses as an infinity.
    return token.startsWith('"') ? token : token.replace("Infinity", "1e999");
  });
  try {
    return JSON.parse(plain, (_key, value: unknown) => (value === disguisedNaN ? Number.NaN : value));
  } catch (error) {
    throw new WandbError("bad-json", `fromValueJson: ${(error as Error).message}`, { cause: error });
  }
}

/** Whether a value is one of the typed arrays, which JSON.stringify would write as objects. */
export function isTypedArray(value: unknown): value is ArrayLike<number | bigint> & object {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function serialize(value: unknown, ancestors: readonly object[]): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? JSON.stringify(value) : String(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "string" || typeof value === "boolean" || value === null) return JSON.stringify(value);
  if (typeof value !== "object") return undefined;
  if (ancestors.includes(value)) throw new TypeError("it contains itself");
  const path = [...ancestors, value];
  if ("toJSON" in value && typeof value.toJSON === "function") return serialize(value.toJSON(), path);
  if (Array.isArray(value) || isTypedArray(value)) {
    return `[${Array.from(value, (element: unknown) => serialize(element, path) ?? "null").join(",")}]`;
  }
  const members: string[] = [];
  for (const [key, inner] of Object.entries(value)) {
    const json = serialize(inner, path);
    if (json !== undefined) members.push(`${JSON.stringify(key)}:${json}`);
  }
  return `{${members.join(",")}}`;
}
