// Finds a Python with torch and the peer programs, and runs both sides of a comparison as whole processes.
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

export interface TorchPeer {
  python: string;
  version: string;
  /** Path of the peer program. */
  program: string;
}

/** The Python of CLEANLOOP_PEER_PYTHON if it imports the module, with the module's version; otherwise what is missing. */
export async function findPython(module: string): Promise<{ python: string; version: string } | string> {
  const python = process.env.CLEANLOOP_PEER_PYTHON;
  if (!python) return `${module} peer skipped: name a Python with ${module} in CLEANLOOP_PEER_PYTHON`;
  const { exitCode, stdout } = await Bun.$`${python} -c ${`import ${module}; print(${module}.__version__)`}`.quiet().nothrow();
  return exitCode === 0 ? { python, version: stdout.toString().trim() } : `${module} peer skipped: ${python} has no ${module}`;
}

/** The peer program on the first Python that imports torch (CLEANLOOP_PEER_PYTHON, python3, Debian's), or what is missing. */
export async function findTorchPeer(name: string): Promise<TorchPeer | string> {
  const program = fileURLToPath(new URL(`../../../shared/peers/${name}`, import.meta.url));
  if (!existsSync(program)) return `peer skipped: ${name} is not beside this checkout`;
  const chosen = process.env.CLEANLOOP_PEER_PYTHON;
  for (const python of chosen ? [chosen] : ["python3", "/usr/bin/python3"]) {
    const { exitCode, stdout } = await Bun.$`${python} -c "import torch; print(torch.__version__)"`.quiet().nothrow();
    if (exitCode === 0) return { python, version: stdout.toString().trim(), program };
  }
  return "peer skipped: no Python with torch (Debian: apt-get install python3-torch; or name one in CLEANLOOP_PEER_PYTHON)";
}

/** Runs a command and returns the number that follows `steps/s=` in what it prints. One thread means one core. */
export async function stepsPerSecond(command: string[], threads: number): Promise<number> {
  return numberIn(await outputOf(command, threads), /steps\/s=([\d.]+)/, command);
}

/** What a command prints. One thread means one core. */
export async function outputOf(command: string[], threads: number): Promise<string> {
  const lastCore = String(availableParallelism() - 1);
  const pinned = threads === 1 && Bun.which("taskset") ? ["taskset", "-c", lastCore, ...command] : command;
  const { stdout, stderr, exitCode } = await Bun.$`${pinned}`.env({ ...process.env, OMP_WAIT_POLICY: "PASSIVE" }).quiet().nothrow();
  if (exitCode !== 0) throw new Error(`${command.join(" ")} failed:\n${stderr.toString()}`);
  return stdout.toString();
}

/** The number that the first group of `pattern` matches. */
export function numberIn(output: string, pattern: RegExp, command: string[]): number {
  const found = pattern.exec(output)?.[1];
  if (found === undefined) throw new Error(`${command.join(" ")} printed no ${pattern.source}:\n${output}`);
  return Number(found);
}

export const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

/** One line: median with the range of all rounds. */
export const spread = (values: number[]): string =>
  `${median(values).toFixed(1)} (${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)})`;
