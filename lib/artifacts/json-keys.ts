// Finds a key that one JSON object uses twice: JSON.parse keeps the last silently, which hides an attack on a header.

const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]/gs;

/** The first repeated key in valid JSON text, or null. */
export function duplicateJsonKey(text: string): string | null {
  /** The keys seen in each object that is open; null for an array. */
  const open: (Set<string> | null)[] = [];
  let expectsKey = false;
  for (const [symbol] of text.matchAll(token)) {
    if (symbol === "{") open.push(new Set());
    else if (symbol === "[") open.push(null);
    else if (symbol === "}" || symbol === "]") open.pop();
    else if (symbol[0] === '"' && expectsKey) {
      // Compared after unescaping: "a" and "\\u0061" are one key.
      const key = JSON.parse(symbol) as string;
      const keys = open.at(-1) as Set<string>;
      if (keys.has(key)) return key;
      keys.add(key);
    }
    expectsKey = symbol === "{" || (symbol === "," && open.at(-1) instanceof Set);
  }
  return null;
}
