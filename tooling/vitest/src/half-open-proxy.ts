import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach } from 'vitest'

/** Which ends of a swallowed connection notice: they see it close or reset, the others see nothing at all. */
export type Told = 'nobody' | 'dialler' | 'listener'

export interface HalfOpenProxy {
  /** The port on 127.0.0.1 that leads to the target. */
  readonly port: number
  /** The number of connections that it currently forwards. */
  readonly forwarding: number
  /**
   * From now on nothing of the current connections is forwarded, as when an address has changed or a router has
   * forgotten them. New connections work.
   */
  swallow(told?: Told): void
}

interface Pair {
  readonly dialler: Socket
  readonly listener: Socket
}

const running = new Set<() => Promise<void>>()

afterEach(async () => {
  await Promise.all([...running].map((stop) => stop()))
  running.clear()
})

/** A TCP proxy on loopback that makes half-open connections. It is closed after the test. */
export async function halfOpenProxy(targetPort: number, host = '127.0.0.1'): Promise<HalfOpenProxy> {
  const forwarded = new Set<Pair>()
  const sockets = new Set<Socket>()
  const server = createServer((dialler) => {
    const listener = connect(targetPort, host)
    const pair = { dialler, listener }
    forwarded.add(pair)
    for (const [from, to] of [
      [dialler, listener],
      [listener, dialler]
    ] as const) {
      sockets.add(from)
      from.setNoDelay(true)
      // A swallowed socket is still read, so that its sender's buffer does not fill up.
      from.on('data', (bytes) => {
        if (forwarded.has(pair)) to.write(bytes)
      })
      from.on('error', () => {})
      from.on('close', () => {
        sockets.delete(from)
        if (forwarded.delete(pair)) to.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  running.add(async () => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  })
  return {
    port: (server.address() as AddressInfo).port,
    get forwarding() {
      return forwarded.size
    },
    swallow: (told = 'nobody') => {
      for (const pair of forwarded) {
        forwarded.delete(pair)
        if (told !== 'nobody') pair[told].destroy()
      }
    }
  }
}
