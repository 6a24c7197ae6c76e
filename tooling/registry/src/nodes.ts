import { existsSync } from 'node:fs'
import { programFile } from './programs.ts'

export const oldest = '22.19'

/** The oldest Node that the packages support, the one of the workspace, and the newest, by name. */
export const nodes: Readonly<Record<string, string>> = {
  [oldest]: programFile('node-22/bin/node'),
  [process.versions.node]: process.execPath,
  '26': programFile('node-26/bin/node')
}

/** Why a Node cannot run here: npm has it only for Linux on x64. Call it after `installPrograms`. */
export function obstacle(node: string): string | undefined {
  const path = nodes[node] ?? ''
  const runs =
    existsSync(path) && (path === process.execPath || (process.platform === 'linux' && process.arch === 'x64'))
  return runs ? undefined : `there is no Node ${node} for ${process.platform} on ${process.arch}`
}
