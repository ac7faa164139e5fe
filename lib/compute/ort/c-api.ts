// The few functions of the onnxruntime C API that a bound session needs, called through bun:ffi.
// Why not the package's own binding: it copies every output into a fresh buffer, which costs more than the Adam update
// when gradients are tens of megabytes. The C API writes into memory that we own.
import { CFunction, CString, dlopen, ptr, read, type FFIFunction, type Pointer } from "bun:ffi";
import { findOrtLibrary } from "./library.ts";
import { disableTelemetry } from "./telemetry.ts";

/** The API level asked for. The function table only ever grows at its end, so every newer library answers for it. */
const API_VERSION = 20;

/** Position of each function in the OrtApi table (onnxruntime_c_api.h, order fixed since version 1.0) and its arguments. */
const table = {
  GetErrorCode: [1, ["ptr"], "i32"],
  GetErrorMessage: [2, ["ptr"], "ptr"],
  CreateEnv: [3, ["i32", "ptr", "ptr"], "ptr"],
  CreateSessionFromArray: [8, ["u64", "ptr", "usize", "u64", "ptr"], "ptr"],
  Run: [9, ["u64", "u64", "ptr", "ptr", "usize", "ptr", "usize", "ptr"], "ptr"],
  CreateSessionOptions: [10, ["ptr"], "ptr"],
  EnableProfiling: [14, ["u64", "ptr"], "ptr"],
  SetSessionLogSeverityLevel: [22, ["u64", "i32"], "ptr"],
  SetSessionGraphOptimizationLevel: [23, ["u64", "i32"], "ptr"],
  SetIntraOpNumThreads: [24, ["u64", "i32"], "ptr"],
  SetInterOpNumThreads: [25, ["u64", "i32"], "ptr"],
  CreateTensorWithDataAsOrtValue: [49, ["u64", "ptr", "usize", "ptr", "usize", "i32", "ptr"], "ptr"],
  CreateCpuMemoryInfo: [69, ["i32", "i32", "ptr"], "ptr"],
  ReleaseStatus: [93, ["ptr"], "void"],
  ReleaseSession: [95, ["u64"], "void"],
  ReleaseValue: [96, ["u64"], "void"],
  ReleaseSessionOptions: [100, ["u64"], "void"],
  AddSessionConfigEntry: [130, ["u64", "ptr", "ptr"], "ptr"],
} as const satisfies Record<string, readonly [number, readonly string[], string]>;

type ApiName = keyof typeof table;
type NativeFunction = (...args: unknown[]) => number | null;

/** An error that onnxruntime reported, with its own code (2 invalid argument, 6 runtime exception, ...). */
export class OrtError extends Error {
  override name = "OrtError";
  constructor(readonly call: string, readonly code: number, message: string) {
    super(`onnxruntime ${call}: ${message}`);
  }
}

/** A handle of the C API: the address of an opaque object. */
export type Handle = bigint;

export interface CApi {
  readonly version: string;
  /** Calls a function that returns a status, and throws OrtError when the status is not null. */
  check(name: ApiName, ...args: unknown[]): void;
  /** As check, for functions whose last argument receives a new handle. */
  create(name: ApiName, ...args: unknown[]): Handle;
  release(name: "ReleaseSession" | "ReleaseValue" | "ReleaseSessionOptions", handle: Handle): void;
  /** One environment and one CPU memory descriptor serve the whole process. */
  readonly environment: Handle;
  readonly cpuMemory: Handle;
}

/** A zero-terminated UTF-8 string for a C call; keep a reference while native code may read it. */
export const cString = (text: string): Uint8Array => Buffer.from(`${text}\0`, "utf8");

let loaded: CApi | null | undefined;

/** The C API of the shipped library, loaded once; null where it cannot be used (then the package's binding runs the model). */
export function loadCApi(): CApi | null {
  if (loaded !== undefined) return loaded;
  disableTelemetry();
  const path = findOrtLibrary();
  return (loaded = path === null ? null : bindTable(path));
}

function bindTable(path: string): CApi | null {
  let base: Pointer | null;
  try {
    const library = dlopen(path, { OrtGetApiBase: { args: [], returns: "ptr" } });
    base = library.symbols.OrtGetApiBase() as Pointer | null;
  } catch {
    return null; // a library built for another C runtime: the fallback says so by its name in stats.binding
  }
  if (!base) return null;
  const getApi = CFunction({ ptr: read.ptr(base, 0) as Pointer, args: ["u32"], returns: "ptr" });
  const getVersion = CFunction({ ptr: read.ptr(base, 8) as Pointer, args: [], returns: "ptr" });
  const api = getApi(API_VERSION) as Pointer | null;
  if (!api) return null;
  const version = new CString(getVersion() as Pointer).toString();

  const functions = {} as Record<ApiName, NativeFunction>;
  for (const [name, [index, args, returns]] of Object.entries(table)) {
    const signature = { ptr: read.ptr(api, index * 8) as Pointer, args, returns } as FFIFunction & { ptr: Pointer };
    functions[name as ApiName] = CFunction(signature) as unknown as NativeFunction;
  }

  const check = (name: ApiName, ...args: unknown[]): void => {
    const status = functions[name](...args);
    if (!status) return;
    const message = new CString(functions.GetErrorMessage(status) as Pointer).toString();
    const code = functions.GetErrorCode(status) ?? 0;
    functions.ReleaseStatus(status);
    throw new OrtError(name, code, message);
  };
  const create = (name: ApiName, ...args: unknown[]): Handle => {
    const out = new BigUint64Array(1);
    check(name, ...args, ptr(out));
    return out[0];
  };
  const logId = cString("cleanloop");
  const severityFatal = 4;
  const deviceAllocator = 0;
  const defaultMemory = 0;
  return {
    version,
    check,
    create,
    release: (name, handle) => void functions[name](handle),
    environment: create("CreateEnv", severityFatal, ptr(logId)),
    cpuMemory: create("CreateCpuMemoryInfo", deviceAllocator, defaultMemory),
  };
}
