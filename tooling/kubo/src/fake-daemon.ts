import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Server } from 'node:net'
import { until } from '@p2pl/tooling-vitest'

export type Responder = (response: ServerResponse, request: IncomingMessage) => void

/** A server that answers calls of the RPC API as the test specifies. */
export interface FakeDaemon {
  readonly url: string
  /** The number of calls that have arrived. */
  readonly calls: number
  /** Resolves when no connection to it is open. */
  noConnections(): Promise<void>
  close(): Promise<void>
}

/** `answers`: by the path after `/api/v0/`; other calls get a 404. `path`: of a unix socket; default: a port. */
export async function startFakeDaemon(answers: Record<string, Responder>, path?: string): Promise<FakeDaemon> {
  let calls = 0
  const server = createServer((request, response) => {
    calls++
    response.on('error', () => {})
    request.on('error', () => {})
    const name = /^\/api\/v0\/([^?]+)/.exec(request.url ?? '')?.[1] ?? ''
    const answer = answers[name]
    request.resume()
    if (answer === undefined) response.writeHead(404).end('404 page not found')
    else request.on('end', () => answer(response, request))
  })
  await new Promise<void>((resolve) =>
    path === undefined ? server.listen(0, '127.0.0.1', resolve) : server.listen(path, resolve)
  )
  return {
    url: path === undefined ? `http://127.0.0.1:${portOf(server)}` : `/unix${path}`,
    get calls() {
      return calls
    },
    noConnections: async () => {
      const count = async (): Promise<number> =>
        await new Promise((resolve) => server.getConnections((_, connections) => resolve(connections)))
      await until('nobody is connected', async () => (await count()) === 0)
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}

/** An answer that never ends, as fast as it is read. */
export const endless: Responder = (response) => {
  const chunk = Buffer.alloc(64 * 1024, 120)
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once('drain', more)
  }
  more()
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
