import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Proxy {
  readonly url: string
  /** Passes nothing on and keeps the connections open, as a pulled cable does, until the returned function is called. */
  stall(): () => void
  /** The connections of now stay open, and nothing passes on them any more: not even into a buffer. New ones work. */
  freeze(): void
  close(): Promise<void>
}

/** A proxy in front of the server, for one peer. */
export async function startProxy(port: number): Promise<Proxy> {
  const pairs = new Set<readonly [Socket, Socket]>()
  const frozen: (readonly [Socket, Socket])[] = []
  let stalled = false
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    const pair = [client, upstream] as const
    pairs.add(pair)
    for (const [from, to] of [pair, [upstream, client]] as const) {
      from.setNoDelay(true)
      from.on('error', () => undefined)
      from.on('data', (bytes) => to.write(bytes))
      from.on('close', () => {
        pairs.delete(pair)
        to.destroy()
      })
      if (stalled) from.pause()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `nats://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stall: () => {
      stalled = true
      for (const pair of pairs) for (const socket of pair) socket.pause()
      return () => {
        stalled = false
        for (const pair of pairs) for (const socket of pair) socket.resume()
      }
    },
    freeze: () => {
      for (const pair of pairs) for (const socket of pair) socket.pause()
      frozen.push(...pairs)
      pairs.clear()
    },
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const pair of [...pairs, ...frozen]) for (const socket of pair) socket.destroy()
      await closed
    }
  }
}
