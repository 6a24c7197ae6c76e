import { conformance } from '@p2pl/conformance'
import { toMarkdown } from '@p2pl/conformance/report'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { backend } from '../src/index.ts'
import { startProxy } from './support/proxy.ts'
import { startServer } from './support/server.ts'

const root = mkdtempSync(join(tmpdir(), 'p2pl-nats-'))
const server = await startServer()
after(async () => {
  await server.stop()
  rmSync(root, { recursive: true })
})
let networks = 0

conformance(
  { describe, it },
  {
    name: 'nats',
    create: async (count) => {
      const network = `network-${++networks}`
      const proxies = await Promise.all(Array.from({ length: count }, async () => await startProxy(server.port)))
      const made = (index: number): ReturnType<typeof backend> =>
        backend({ servers: proxies[index]?.url, network, dir: join(root, network, String(index)) })
      return {
        backends: proxies.map((_proxy, index) => made(index)),
        reopen: async (index) => made(index),
        cut: async (index) => {
          const heal = proxies[index]?.stall()
          return async () => heal?.()
        },
        dispose: async () => {
          await Promise.all(proxies.map(async (proxy) => await proxy.close()))
        }
      }
    },
    capabilities: backend({ dir: root }).capabilities,
    // The page for readers of the README.
    report: (report) => writeFileSync(new URL('../CAPABILITIES.md', import.meta.url), `${toMarkdown(report)}\n`)
  }
)
