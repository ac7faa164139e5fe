// The published LPC sheets, when they lie beside the repository, and the message when they do not.

import { existsSync } from "node:fs";
import { join } from "node:path";

export const lpcSheets = join(import.meta.dir, "../../../shared/data/lpc-sprites");
export const hasLpcSheets = existsSync(join(lpcSheets, "body/0.png"));

if (!hasLpcSheets)
  console.warn("fixture absent: the LPC sheets in ../shared/data/lpc-sprites; the tests that need them are skipped");
