import process from 'node:process'
import { type Check, ok } from './check.ts'

/** A Node that is too old does not come this far: the first file of the program refuses it. */
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
