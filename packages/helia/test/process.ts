import { type RemoteScript, spawnScript as spawn } from '@p2pl/tooling-vitest/processes'

export type Remote = RemoteScript

/** A script of this folder in a process of its own, talked to by questions and answers. */
export function spawnScript(name: string, ...values: string[]): Remote {
  return spawn(new URL(name, import.meta.url), ...values)
}
