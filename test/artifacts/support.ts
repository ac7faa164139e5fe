// What the tests of this folder share: temporary directories, the code of an error, Python when it is there.
import { afterAll } from "bun:test";
import { ArtifactError } from "@cleanloop/artifacts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory that lives until the test file ends. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), "cleanloop-artifacts-"));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** The code of the ArtifactError that `action` throws; any other outcome fails the test. */
export function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof ArtifactError) return error.code;
    throw error;
  }
  throw new Error("expected an ArtifactError, nothing was thrown");
}

/** {@link codeOf} for promises. */
export async function codeOfAsync(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ArtifactError) return error.code;
    throw error;
  }
  throw new Error("expected an ArtifactError, nothing was thrown");
}

const pythons = new Map<string, string | null>();

/** A Python that has these modules, or null with a message, for `test.skipIf`. */
export function findPython(...modules: string[]): string | null {
  const key = modules.join(", ");
  if (!pythons.has(key)) {
    const found = ["python3", "/usr/bin/python3"].find((python) => {
      try {
        // Looked up, not imported: importing torch takes seconds.
        const probe = "import sys, importlib.util as u; sys.exit(not all(map(u.find_spec, sys.argv[1:])))";
        return Bun.spawnSync([python, "-c", probe, ...modules]).exitCode === 0;
      } catch {
        return false;
      }
    });
    if (!found) console.warn(`No python3 with ${key || "its standard library"}: the cross-checks against it are skipped.`);
    pythons.set(key, found ?? null);
  }
  return pythons.get(key) as string | null;
}

/** Whether this user may mount a small disk of its own, to fill it. */
export function canMount(): boolean {
  let allowed = false;
  try {
    allowed = Bun.spawnSync(["unshare", "--mount", "--map-root-user", "mount", "-t", "tmpfs", "tmpfs", tmpdir()]).success;
  } catch {
    // No unshare on this system.
  }
  if (!allowed) console.warn("Mounting a small disk is not allowed here: the full-disk test is skipped.");
  return allowed;
}

/** Runs a Python program and returns its stdout; a non-zero exit fails the test with its stderr. */
export function runPython(python: string | null, program: string, ...args: string[]): string {
  const result = Bun.spawnSync([String(python), "-c", program, ...args]);
  if (result.exitCode !== 0) throw new Error(result.stderr.toString());
  return result.stdout.toString();
}
