import type { BlockCapabilities, Capabilities } from '@p2pl/core/backend'
import type { TestRun } from '../../kit/test.ts'

export const present = (c: Capabilities): boolean => c.blocks !== undefined
export const pinning = (c: Capabilities): boolean => c.blocks !== undefined && c.blocks.pins !== 'none'
export const collecting = (c: Capabilities): boolean => c.blocks !== undefined && c.blocks.gc !== 'none'

/** The largest block that the kit makes, in bytes. */
export const largestTried: number = 8 * 1024 * 1024

export function declared(t: TestRun): BlockCapabilities {
  return t.capabilities.blocks as BlockCapabilities
}
