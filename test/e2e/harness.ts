// Runs the documented commands as a user would, in an empty directory with an empty HOME, and lists what they leave behind.
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";

const REPOSITORY = resolve(import.meta.dir, "..", "..");

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** An empty working directory; `remove` takes it away with everything in it. */
export function emptyWorkplace(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "cleanloop-e2e-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Starts `scripts/<name>.ts` in `directory`. */
export function startCommand(name: string, words: readonly string[], directory: string) {
  return Bun.spawn([process.execPath, join(REPOSITORY, "scripts", `${name}.ts`), ...words], {
    cwd: directory,
    // Bun keeps transpiled sources in HOME unless told otherwise; what is listed should be the command's own.
    env: { PATH: process.env.PATH ?? "", HOME: directory, BUN_RUNTIME_TRANSPILER_CACHE_PATH: join(tmpdir(), "cleanloop-e2e-transpiled") },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** Runs `scripts/<name>.ts` in `directory` to its end. */
export async function runCommand(name: string, words: readonly string[], directory: string): Promise<CommandResult> {
  const child = startCommand(name, words, directory);
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, stdout, stderr };
}

/** Files below `directory` (links as links), sorted, with generated names (times, ids, hashes) replaced. */
export function tree(directory: string): string[] {
  return listFiles(directory).map(withoutGeneratedNames).sort();
}

function listFiles(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => relative(directory, join(entry.parentPath, entry.name)));
}

function withoutGeneratedNames(path: string): string {
  return path
    .replace(/offline-run-\d{8}_\d{6}-[a-z0-9]{8}/, "offline-run-TIME-ID")
    .replace(/run-[a-z0-9]{8}\.wandb/, "run-ID.wandb")
    .replace(/__\d{10}(?=\/|$)/, "__TIME")
    .replace(/pretrain-[0-9a-f]+/, "pretrain-FINGERPRINT")
    .replace(/_[0-9a-f]{20}(?=\.)/, "_HASH");
}

/** Size in bytes of all files below `directory`. */
export function sizeBytes(directory: string): number {
  return listFiles(directory).reduce((total, path) => total + statSync(join(directory, path)).size, 0);
}
