import process from 'node:process'
import { type Check, ok } from './check.ts'

/** With a Node that is too old, the program does not get this far: its first file refuses to run. */
export function checkRuntime(versions: NodeJS.ProcessVersions = process.versions): Check {
  const { bun, deno, node } = versions as NodeJS.ProcessVersions & { bun?: string; deno?: string }
  if (bun !== undefined)
    return {
      name: 'runtime',
      status: 'warn',
      message: `this is Bun ${bun}, in which only bittorrent and memory run`,
      fix: 'use Node 22.19 or later'
    }
  return ok('runtime', deno === undefined ? `Node ${node} on ${process.platform}-${process.arch}` : `Deno ${deno}`)
}
