// onnxruntime's published builds send usage data and keep a device id in HOME unless told not to before they are loaded.
// Whoever promises to leave nothing behind tells them so.
import { dlopen } from "bun:ffi";

const OPT_OUT = "ORT_DISABLE_TELEMETRY";

/**
 * Opts this process out of onnxruntime's telemetry; a value that is set already stays. Call before the library loads.
 * Not on Windows, where the variable has to be set before the process starts.
 */
export function disableTelemetry(): void {
  if (process.env[OPT_OUT] !== undefined || process.platform === "win32") return;
  process.env[OPT_OUT] = "1"; // for child processes
  // Bun keeps process.env to itself; native code reads the C library's environment.
  const library = process.platform === "darwin" ? "libSystem.B.dylib" : "libc.so.6";
  try {
    const { symbols, close } = dlopen(library, { setenv: { args: ["cstring", "cstring", "i32"], returns: "i32" } });
    const [name, value] = [Buffer.from(`${OPT_OUT}\0`), Buffer.from("1\0")];
    symbols.setenv(name, value, 0);
    close();
  } catch {
    // another C library: set the variable before starting the process
  }
}
