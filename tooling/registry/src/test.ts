import { afterAll, beforeAll } from 'vitest'
import { publishedRegistry } from './published.ts'
import type { Registry } from './registry.ts'

/**
 * The registry of a test file or a `describe`. It has the packages of this tree, from before the first test until after
 * the last one. Call it before the hooks that use it.
 */
export function testRegistry(): Registry {
  let started: Registry | undefined
  const running = (): Registry => {
    if (started === undefined) throw new Error('the registry runs only while hooks and tests do')
    return started
  }
  // The first call in a run builds and publishes.
  beforeAll(async () => {
    started = await publishedRegistry()
  }, 300_000)
  afterAll(async () => await started?.stop())
  return {
    get url() {
      return running().url
    },
    get env() {
      return running().env
    },
    get published() {
      return running().published
    },
    stop: async () => await running().stop()
  }
}
