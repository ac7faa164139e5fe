// Tells whether the process that wrote a file is still the same living process: pid, start time and host together.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

export interface ProcessIdentity {
  pid: number;
  /** Clock ticks since boot on Linux, `ps` lstart elsewhere; null when it cannot be known. */
  processStart: string | null;
  host: string;
}

/** "unknown" means another host, or a process table that is hidden from us. */
export type ProcessState = "alive" | "dead" | "unknown";

/** The identity of this process. */
export function currentProcess(): ProcessIdentity {
  return { pid: process.pid, processStart: inspect(process.pid).start, host: hostname() };
}

/** Whether that very process (not a later one with its pid) still runs. */
export function processState(identity: ProcessIdentity): ProcessState {
  if (identity.host !== hostname()) return "unknown";
  const { running, start } = inspect(identity.pid);
  if (!running) return "dead";
  if (start === null || identity.processStart === null) return "unknown";
  return start === identity.processStart ? "alive" : "dead";
}

/** Whether some process on this host has this pid. */
export function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists and belongs to someone else.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** What the system says of a pid; a zombie (ended, not yet waited for) does not run. */
function inspect(pid: number): { running: boolean; start: string | null } {
  try {
    const [state, start] = process.platform === "linux" ? readProc(pid) : readPs(pid);
    return { running: !/^[ZX]/.test(state), start };
  } catch {
    // No such process, or one that the system hides from us.
    return { running: pidExists(pid), start: null };
  }
}

/** proc(5): the command name is in parentheses and may hold spaces; state is field 3, starttime field 22. */
function readProc(pid: number): [state: string, start: string] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return [fields[0], fields[22 - 3]];
}

function readPs(pid: number): [state: string, start: string] {
  const options = { encoding: "utf8", env: { ...process.env, LC_ALL: "C" }, stdio: "pipe" } as const;
  const line = execFileSync("ps", ["-o", "stat=", "-o", "lstart=", "-p", String(pid)], options);
  const [state, ...start] = line.trim().split(/\s+/);
  return [state, start.join(" ")];
}
