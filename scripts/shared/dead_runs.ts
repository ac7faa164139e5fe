// Clean runs that were killed hard: their directories hold nothing that anybody asked to keep, and their process cannot remove them.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ArtifactError, openRun, resumeRun } from "@cleanloop/artifacts";
import { savedArguments } from "./saved_run.ts";

/**
 * Removes the directories in `group` whose run was marked as not to be kept and whose process is honestly gone, and returns their
 * paths. Living runs, finished and failed ones, and what is no run of a trainer stay; so do files that are not the run's.
 */
export function removeDeadRuns(group: string): string[] {
  if (!existsSync(group)) return [];
  const directories = readdirSync(group, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return directories.map(({ name }) => join(group, name)).filter(removeIfDead);
}

function removeIfDead(directory: string): boolean {
  try {
    const view = openRun(directory);
    if (savedArguments(view.config).record?.discard_when_dead !== true || view.status().state !== "killed") return false;
    resumeRun(directory).discard(); // taken over first, so that of two commands one removes it and none resumes it
    return true;
  } catch (error) {
    if (error instanceof ArtifactError) return false; // no run, or another command was faster
    throw error;
  }
}
