import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that Linux, macOS and Windows hand out by themselves. */
const [first, end] = [10_000, 32_768]

/**
 * A TCP port on 127.0.0.1 that is free, and stays so while nobody listens there: the system gives it to no other test, as it does
 * with one that it has handed out by itself and that is closed again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(first, end)
    const server = createServer()
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
