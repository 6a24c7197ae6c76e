import type { Capabilities, MessageCapabilities } from '@p2pl/core/backend'
import type { TestRun } from '../../kit/test.ts'

export const present = (c: Capabilities): boolean => c.messages !== undefined

export function declared(t: TestRun): MessageCapabilities {
  return t.capabilities.messages as MessageCapabilities
}
