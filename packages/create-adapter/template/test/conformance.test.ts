import { conformance } from '@p2pl/conformance'
import { toMarkdown } from '@p2pl/conformance/report'
import { writeFileSync } from 'node:fs'
// [full
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
// full]
import { describe, it } from 'node:test'
import type { Engine } from '../src/engine/engine.ts'
import { backend, type Options } from '../src/index.ts'

// [full
const root = mkdtempSync(join(tmpdir(), 'my-net-'))
after(() => rmSync(root, { recursive: true }))
let networks = 0

// full]
conformance(
  { describe, it },
  {
    name: 'my-net',
    create: (count) => {
      // [full
      const network = String(++networks)
      const options = (index: number): Options => ({ dir: join(root, network, String(index)) })
      // full]
      //| const options = (_index: number): Options => ({})
      const backends = Array.from({ length: count }, (_value, index) => backend(options(index)))
      return {
        backends,
        // [full
        reopen: async (index) => backend(options(index)),
        // full]
        cut: async (index) => {
          const heal = (backends[index]?.engine as Engine | undefined)?.isolate()
          return async () => heal?.()
        }
      }
    },
    // [full
    capabilities: backend({ dir: root }).capabilities,
    // full]
    //| capabilities: backend().capabilities,
    // The page for readers of the README.
    report: (report) => writeFileSync(new URL('../CAPABILITIES.md', import.meta.url), `${toMarkdown(report)}\n`)
  }
)
