// What the tests of this folder share: temporary directories, the code of an error, Python when it is there.
import { afterAll } from "bun:test";
import { ArtifactError } from "@cleanloop/artifacts";
import { existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

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

const pythons = new Map<string, string[]>();

/** Every Python on the path, and the system's, that has these modules; none with a message. */
export function findPythons(...modules: string[]): string[] {
  const key = modules.join(", ");
  let found = pythons.get(key);
  if (!found) {
    const onPath = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "python3"));
    // By the real path of the folder, not of the file: a virtual environment is a link to another's interpreter.
    const present = [...onPath, "/usr/bin/python3"].filter(existsSync);
    const byFolder = new Map(present.map((path) => [realpathSync(dirname(path)), path]));
    // Looked up, not imported: importing torch takes seconds.
    const probe = "import sys, importlib.util as u; sys.exit(not all(map(u.find_spec, sys.argv[1:])))";
    found = [...byFolder.values()].filter((python) => Bun.spawnSync([python, "-c", probe, ...modules]).success);
    if (found.length === 0) {
      console.warn(`No python3 with ${key || "its standard library"}: the cross-checks against it are skipped.`);
    }
    pythons.set(key, found);
  }
  return found;
}

/** The first of {@link findPythons}, or null, for `test.skipIf`. */
export function findPython(...modules: string[]): string | null {
  return findPythons(...modules).at(0) ?? null;
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

/** The words before a command that run it as a user who owns nothing; none where this user is not the superuser. */
export const asNobody = process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];

/** Whether a command can be run with no more rights than a user has. */
export const canDropRights = asNobody.length === 0 || Bun.which("setpriv") !== null;
if (!canDropRights) console.warn("No setpriv, and this is the superuser: the tests of missing rights are skipped.");

/** Runs a Python program and returns its stdout; a non-zero exit fails the test with its stderr. */
export function runPython(python: string | null, program: string, ...args: string[]): string {
  const result = Bun.spawnSync([String(python), "-c", program, ...args]);
  if (result.exitCode !== 0) throw new Error(result.stderr.toString());
  return result.stdout.toString();
}
