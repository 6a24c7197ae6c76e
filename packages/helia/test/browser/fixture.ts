import type { ConformanceFixture } from '@p2pl/conformance'
import { helia } from '../../src/index.ts'

/** The same fixture on both sides: Node's makes the list of tests from it, the page's runs them. */
export function fixture(create: ConformanceFixture['create']): ConformanceFixture {
  return {
    name: 'helia in a page',
    create,
    capabilities: helia({ dir: 'for-capabilities' }).capabilities,
    followsHints: true,
    patience: 30_000
  }
}
