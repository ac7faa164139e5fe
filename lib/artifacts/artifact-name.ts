// Which names may be used inside a run directory: visible, relative, and nothing that leads out of it.

/** Names that belong to the run directory itself. */
export const reservedNames: readonly string[] = ["manifest.json", "metrics.jsonl", "status.json"];

/** File systems take 255 bytes; the rest is for the prefix of temporary files. */
export const maxNameLength = 200;

/** Whether a name is one visible path segment. */
export function isPlainFileName(name: string): boolean {
  return name !== "" && name.length <= maxNameLength && !name.startsWith(".") && !/[/\\]|\p{Cc}/u.test(name);
}

/** Whether a name is a relative path of plain segments that an artifact may have. */
export function isArtifactName(name: unknown): name is string {
  return typeof name === "string" && name.split("/").every(isPlainFileName) && !reservedNames.includes(name);
}
