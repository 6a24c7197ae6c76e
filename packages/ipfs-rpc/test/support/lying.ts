import type { ServerResponse } from 'node:http'
import type { BackendEvent } from '@p2pl/core/backend'
import { type FakeDaemon, type Responder, startFakeDaemon } from '@p2pl/tooling-kubo/fake-daemon'
import { CID } from 'multiformats/cid'
import { afterEach } from 'vitest'
import { ipfsRpc, type IpfsRpcBackend } from '../../src/index.ts'

export const cid: CID = CID.parse('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')
export const peerId = '12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf'

export interface LyingServer {
  /** What the backend has reported. */
  readonly events: BackendEvent[]
  /** Starts a server that answers as the test says, and a backend on it. */
  readonly against: (answers: Record<string, Responder>) => Promise<IpfsRpcBackend>
}

/** One server at a time, ended after each test. */
export function lyingServer(): LyingServer {
  const events: BackendEvent[] = []
  let server: FakeDaemon | undefined
  let backend: IpfsRpcBackend | undefined
  const end = async (): Promise<void> => {
    await backend?.stop()
    await server?.close()
    server = undefined
    backend = undefined
    events.length = 0
  }
  afterEach(end)
  return {
    events,
    against: async (answers) => {
      await end()
      server = await startFakeDaemon({
        id: (response) =>
          response.end(
            JSON.stringify({ ID: peerId, Addresses: ['/ip4/127.0.0.1/tcp/1', 7, `/${'x'.repeat(600)}`, 'x'] })
          ),
        'pubsub/ls': (response) => response.end('{"Strings":[]}'),
        'swarm/peers': (response) => response.end('{"Peers":null}'),
        ...answers
      })
      backend = ipfsRpc({ url: server.url, probeInterval: 100 })
      await backend.start({ onEvent: (event) => void events.push(event) })
      return backend
    }
  }
}

/** An error of the daemon. */
export function refused(message: string, status = 500): Responder {
  return (response: ServerResponse) =>
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify({ Message: message, Code: 0, Type: 'error' }))
}
