import { P2plError } from '../errors.ts'

/** Throws `MISSING_DEPENDENCY` if the language lacks something that p2pl needs, and names a runtime that has it. */
export function assertRuntime(): void {
  const { process } = globalThis as { process?: { versions?: { node?: string; bun?: string; deno?: string } } }
  const missing = typeof Promise.withResolvers !== 'function' || typeof AbortSignal.any !== 'function'
  if (!missing) return
  const { node } = process?.versions ?? {}
  throw new P2plError({
    code: 'MISSING_DEPENDENCY',
    operation: 'createPeer',
    message:
      node === undefined
        ? 'p2pl needs a browser of 2024 or later (Promise.withResolvers, AbortSignal.any)'
        : `p2pl needs Node 22.19 or later; this is Node ${node}`
  })
}
