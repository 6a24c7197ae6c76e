import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that Linux, macOS and Windows hand out by themselves. */
const [lowest, highest] = [10_000, 32_768]
/** Workers that run at the same time have ports of their own. */
const shares = 32
const share = Number(process.env['VITEST_POOL_ID'] ?? 0) % shares
const width = Math.floor((highest - lowest) / shares)
const first = lowest + share * width
const given = new Set<number>()

/**
 * A TCP port on 127.0.0.1 that is free, and stays so while nobody listens there: neither another worker nor the system gives it to
 * anybody else, as the system does with one that it has handed out by itself and that is closed again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(first, first + width)
    if (given.has(port)) continue
    // Before the wait: another call may be under way.
    given.add(port)
    // Whoever still dials an engine that was here must not hold up the end of this server.
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
