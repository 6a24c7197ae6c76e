import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/**
 * A port on 127.0.0.1 for a server that is started later, or again. It is none of those that the system gives to everybody who asks for
 * any port (from 32768 on Linux): one of these may be taken by a connection of another test before the server has it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer()
    const listening = once(server, 'listening').catch(() => undefined)
    server.listen(12_000 + Math.floor(Math.random() * 20_000), '127.0.0.1')
    if ((await listening) === undefined) continue
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    return port
  }
}
