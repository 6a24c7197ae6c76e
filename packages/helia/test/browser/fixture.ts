import type { ConformanceFixture } from '@p2pl/conformance'
import { helia } from '../../src/index.ts'

/** The same fixture on both sides: Node's makes the list of tests from it, the page's runs them. */
export function fixture(kit: 'memory' | 'database', create: ConformanceFixture['create']): ConformanceFixture {
  return {
    name: kit === 'memory' ? 'helia in a page, in memory' : 'helia in a page, in a database',
    create,
    capabilities: helia(kit === 'memory' ? {} : { dir: 'for-capabilities' }).capabilities,
    followsHints: true,
    patience: 30_000
  }
}
