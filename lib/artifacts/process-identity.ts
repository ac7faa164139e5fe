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
  return { pid: process.pid, processStart: startOf(process.pid), host: hostname() };
}

/** Whether that very process (not a later one with its pid) still runs. */
export function processState(identity: ProcessIdentity): ProcessState {
  if (identity.host !== hostname()) return "unknown";
  const start = startOf(identity.pid);
  if (start !== null && identity.processStart !== null) return start === identity.processStart ? "alive" : "dead";
  return pidExists(identity.pid) ? "unknown" : "dead";
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

/** When a process started, or null when there is none, it is a zombie, or the system does not say. */
function startOf(pid: number): string | null {
  try {
    if (process.platform === "linux") {
      // proc(5): the command name is in parentheses and may hold spaces; state is field 3, starttime field 22.
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return fields[0] === "Z" || fields[0] === "X" ? null : fields[22 - 3];
    }
    const options = { encoding: "utf8", env: { ...process.env, LC_ALL: "C" }, stdio: "pipe" } as const;
    return execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], options).trim() || null;
  } catch {
    return null;
  }
}
