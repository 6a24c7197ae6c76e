import { createServer, connect, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'

type Target = { host: string; port: number } | { path: string }

/** A TCP proxy in front of a daemon that simulates failures of networks. */
export interface Proxy {
  readonly url: string
  /** Breaks all connections. */
  drop(): void
  /** Refuses new connections and breaks the existing ones, until `heal`. */
  refuse(): void
  /** Forwards nothing in either direction, but keeps connections open, until `heal`. */
  stall(): void
  /** Leaves the current connections open and discards their data for ever. New connections work. */
  swallow(): void
  /**
   * Forwards calls, but discards the answers to one of them (`pubsub/pub`) until `heal`: the daemon has done the work,
   * but the caller does not know.
   */
  holdAnswers(call: string): void
  /** The number of answers discarded so far. */
  readonly held: number
  /** Ends the stream from the daemon cleanly (FIN), while requests are still accepted. */
  halfClose(): void
  heal(): void
  /** Closes connections that have been silent from the daemon's side for this long, as servers and middleboxes do. */
  idleTimeout(ms: number): void
  /** The number of connections closed for that reason. */
  readonly idled: number
  /** The number of connections made so far. */
  readonly accepted: number
  close(): Promise<void>
}

export async function startProxy(url: string, tls?: { key: string; cert: string }): Promise<Proxy> {
  const pairs = new Set<[Socket, Socket]>()
  const swallowed = new WeakSet<Socket>()
  let mode: 'open' | 'refuse' | 'stall' = 'open'
  let holding = ''
  let held = 0
  let idle = 0
  let idled = 0
  let accepted = 0
  const onSocket = (client: Socket): void => {
    accepted++
    client.on('error', () => {})
    if (mode === 'refuse') {
      client.destroy()
      return
    }
    const daemon = connect(targetOf(url))
    daemon.on('error', () => client.destroy())
    const pair: [Socket, Socket] = [client, daemon]
    pairs.add(pair)
    if (idle > 0)
      daemon.setTimeout(idle, () => {
        idled++
        client.destroy()
      })
    let holds = false
    client.on('data', (data) => {
      holds ||= holding !== '' && new RegExp(`/api/v0/${holding}[? ]`).test(data.toString('latin1'))
      if (!swallowed.has(client)) daemon.write(data)
    })
    daemon.on('data', (data) => {
      if (holds && holding !== '') held++
      else if (!swallowed.has(client)) client.write(data)
    })
    client.on('end', () => daemon.end())
    daemon.on('end', () => client.end())
    const onClose = (): void => {
      pairs.delete(pair)
      client.destroy()
      daemon.destroy()
    }
    client.on('close', onClose)
    daemon.on('close', onClose)
    if (mode === 'stall') for (const socket of pair) socket.pause()
  }
  const server: Server =
    tls === undefined ? createServer(onSocket) : createTlsServer({ key: tls.key, cert: tls.cert }, onSocket)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const drop = (): void => {
    for (const [client] of pairs) client.destroy()
  }
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}`,
    drop,
    refuse: () => {
      mode = 'refuse'
      drop()
    },
    stall: () => {
      mode = 'stall'
      for (const pair of pairs) for (const socket of pair) socket.pause()
    },
    swallow: () => {
      for (const [client] of pairs) swallowed.add(client)
    },
    holdAnswers: (call) => {
      holding = call
    },
    get held() {
      return held
    },
    halfClose: () => {
      for (const [client] of pairs) client.end()
    },
    heal: () => {
      mode = 'open'
      holding = ''
      for (const pair of pairs) for (const socket of pair) socket.resume()
    },
    idleTimeout: (ms) => {
      idle = ms
    },
    get idled() {
      return idled
    },
    get accepted() {
      return accepted
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      drop()
      await closed
    }
  }
}

function targetOf(url: string): Target {
  const unix = /^\/unix(\/.+)$/.exec(url)?.[1]
  if (unix !== undefined) return { path: unix }
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}
