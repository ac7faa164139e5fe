// Samples the machine beside the run: processor, memory, disk and NVIDIA GPUs, under W&B's names.

import { execFile } from "node:child_process";
import { readFileSync, statfsSync } from "node:fs";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";

/** Values by W&B key, without the `system.` prefix; percentages are 0 to 100. */
export type SystemSample = Record<string, number>;

const BYTES_PER_MB = 1024 * 1024;
const NVIDIA_SMI_TIMEOUT_MS = 10_000;
const GPU_FIELDS = [
  "index",
  "utilization.gpu",
  "utilization.memory",
  "memory.used",
  "memory.total",
  "temperature.gpu",
  "power.draw",
] as const;

/** Takes a sample when started, one per interval, and one when stopped; never keeps the process alive. */
export class SystemMonitor {
  private readonly host: HostSampler;
  private timer: ReturnType<typeof setInterval> | undefined;
  private hasGpu = true;

  /** `diskPath` names the file system whose use is reported. */
  constructor(
    diskPath: string,
    private readonly intervalMs: number,
    private readonly onSample: (sample: SystemSample) => void,
  ) {
    this.host = new HostSampler(diskPath);
  }

  start(): void {
    this.timer = setInterval(() => this.tick(), this.intervalMs);
    this.timer.unref();
    this.tick();
  }

  /** Takes the last sample, of the host alone: asking the GPUs would keep the caller waiting. */
  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.onSample(this.host.sample());
  }

  private tick(): void {
    this.onSample(this.host.sample());
    if (!this.hasGpu) return;
    queryGpus((gpus) => {
      this.hasGpu = gpus !== undefined;
      // An answer that comes after the end of the run is too late.
      if (gpus !== undefined && this.timer !== undefined) this.onSample(gpus);
    });
  }
}

/** The output of nvidia-smi, a line of comma separated numbers per GPU, as metrics; absent numbers are skipped. */
export function parseGpuQuery(output: string): SystemSample {
  const sample: SystemSample = {};
  for (const line of output.split("\n").filter((text) => text.trim() !== "")) {
    const [index, utilization, memoryUtilization, usedMb, totalMb, celsius, watts] = line.split(",").map(Number);
    const values = {
      gpu: utilization,
      memory: memoryUtilization,
      memoryAllocated: rounded((usedMb / totalMb) * 100),
      memoryAllocatedBytes: usedMb * BYTES_PER_MB,
      temp: celsius,
      powerWatts: watts,
    };
    for (const [name, value] of Object.entries(values)) {
      if (Number.isFinite(value)) sample[`gpu.${index}.${name}`] = value;
    }
  }
  return sample;
}

/** Asks nvidia-smi in a child process; `undefined` where there is none or it fails. */
function queryGpus(onAnswer: (gpus: SystemSample | undefined) => void): void {
  const query = [`--query-gpu=${GPU_FIELDS.join(",")}`, "--format=csv,noheader,nounits"];
  try {
    const child = execFile("nvidia-smi", query, { timeout: NVIDIA_SMI_TIMEOUT_MS }, (error, stdout) => {
      onAnswer(error === null ? parseGpuQuery(stdout) : undefined);
    });
    child.unref();
  } catch {
    onAnswer(undefined);
  }
}

/** Processor time since the last sample, and memory and disk as they are. */
class HostSampler {
  private lastProcess = { cpuMs: 0, wallMs: 0 };
  private lastMachine = machineCpuMs();

  constructor(private readonly diskPath: string) {}

  sample(): SystemSample {
    const rssBytes = process.memoryUsage.rss();
    const sample: SystemSample = {
      cpu: this.processCpuPercent(),
      memory: rounded((1 - freemem() / totalmem()) * 100),
      "proc.memory.rssMB": rounded(rssBytes / BYTES_PER_MB),
      "proc.memory.percent": rounded((rssBytes / totalmem()) * 100),
      "proc.memory.availableMB": rounded(freemem() / BYTES_PER_MB),
    };
    const machinePercent = this.machineCpuPercent();
    if (machinePercent !== undefined) sample["cpu.machine_percent"] = machinePercent;
    const threads = threadCount();
    if (threads !== undefined) sample["proc.cpu.threads"] = threads;
    const disk = diskPercent(this.diskPath);
    if (disk !== undefined) sample.disk = disk;
    return sample;
  }

  /** The process's share of all processors since the last sample, or since the process began. */
  private processCpuPercent(): number {
    const { user, system } = process.cpuUsage();
    const now = { cpuMs: (user + system) / 1000, wallMs: process.uptime() * 1000 };
    const last = this.lastProcess;
    this.lastProcess = now;
    const wallMs = Math.max(now.wallMs - last.wallMs, 1);
    return rounded(((now.cpuMs - last.cpuMs) / wallMs / availableParallelism()) * 100);
  }

  private machineCpuPercent(): number | undefined {
    const now = machineCpuMs();
    const last = this.lastMachine;
    this.lastMachine = now;
    const totalMs = now.totalMs - last.totalMs;
    return totalMs > 0 ? rounded(((now.busyMs - last.busyMs) / totalMs) * 100) : undefined;
  }
}

function machineCpuMs(): { busyMs: number; totalMs: number } {
  let busyMs = 0;
  let totalMs = 0;
  for (const { times } of cpus()) {
    const ofOneMs = times.user + times.nice + times.sys + times.irq + times.idle;
    totalMs += ofOneMs;
    busyMs += ofOneMs - times.idle;
  }
  return { busyMs, totalMs };
}

/** The number of threads of this process, where the system tells (Linux). */
function threadCount(): number | undefined {
  try {
    const threads = /^Threads:\s*(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"));
    return threads === null ? undefined : Number(threads[1]);
  } catch {
    return undefined;
  }
}

/** How full the file system of a path is; undefined when the path is gone. */
function diskPercent(path: string): number | undefined {
  try {
    const { bavail, blocks } = statfsSync(path);
    return rounded((1 - bavail / blocks) * 100);
  } catch {
    return undefined;
  }
}

/** Two decimals: a log is read by people, and every digit is stored once per sample. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
