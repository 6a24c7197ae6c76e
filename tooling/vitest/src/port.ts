import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the range of ports that Linux, macOS and Windows assign themselves. */
const [lowest, highest] = [10_000, 32_768]
/** Workers that run at the same time use separate ranges. */
const shares = 32
/** Another run on the same machine mostly begins elsewhere. Processes that a worker starts have the share of the worker. */
const offset = Number((process.env['P2PL_PORT_OFFSET'] ??= String(process.ppid % shares)))
const share = (Number(process.env['VITEST_POOL_ID'] ?? 0) + offset) % shares
const width = Math.floor((highest - lowest) / shares)
const first = lowest + share * width
const given = new Set<number>()

/**
 * A free TCP port on 127.0.0.1 that stays free while nobody listens there: neither another worker nor the system
 * assigns it to anybody else. The system does reassign ports that it assigned itself once they are closed.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(first, first + width)
    if (given.has(port)) continue
    // Before the `await`, because another call may be running.
    given.add(port)
    // A client that still dials an engine that was here must not delay the end of this server.
    const server = createServer((socket) => socket.destroy())
    try {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    } catch {
      continue
    }
    server.close()
    await once(server, 'close')
    return port
  }
}
