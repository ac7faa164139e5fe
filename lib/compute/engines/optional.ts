// Imports a package that is not a dependency; its absence is a user's matter, not a crash.
import { DeviceError } from "../device.ts";

/** The module, or a DeviceError that names the cure. `purpose` is the flag that needs it. */
export async function importOptional<Module>(packageName: string, purpose: string, cure: string): Promise<Module> {
  try {
    return await import(packageName);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    const absent = reason.includes(`'${packageName}'`) && /cannot find/i.test(reason);
    const state = absent
      ? `package ${packageName} is not installed`
      : `package ${packageName} does not load: ${reason}`;
    throw new DeviceError("unavailable", `${purpose}: ${state}. Cure: ${cure}. Or use --device cpu`);
  }
}
