import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Peer } from '@p2pl/core'

// A server that follows the published IPFS Pinning Service API, version 1.0.0
// (https://ipfs.github.io/pinning-services-api-spec/): paths, codes, the objects PinStatus, PinResults and Failure, filters and
// limits. It stores what it pins with a peer of its own.

type Status = 'queued' | 'pinning' | 'pinned' | 'failed'

interface Pin {
  readonly cid: string
  readonly name?: string | undefined
  readonly origins?: readonly string[] | undefined
  readonly meta?: Readonly<Record<string, string>> | undefined
}

interface PinStatus {
  readonly requestid: string
  status: Status
  readonly created: string
  readonly pin: Pin
  readonly delegates: readonly string[]
  readonly info?: Record<string, string>
}

export interface PinningServer {
  readonly endpoint: string
  readonly accessToken: string
  /** Requests so far, as `METHOD path`. */
  readonly log: string[]
  readonly pins: ReadonlyMap<string, PinStatus>
  /** Answers of the next requests, instead of its own: a status code and the reason of the failure. */
  readonly failures: { code: number; reason: string; body?: string }[]
  close(): Promise<void>
}

class Refused extends Error {
  readonly code: number
  readonly reason: string

  constructor(code: number, reason: string, details: string) {
    super(details)
    this.code = code
    this.reason = reason
  }
}

export async function startPinningServer(peer: Peer, accessToken = 'a-token'): Promise<PinningServer> {
  const pins = new Map<string, PinStatus>()
  const log: string[] = []
  const failures: PinningServer['failures'] = []
  let last = 0

  const pinNow = async (status: PinStatus): Promise<void> => {
    try {
      status.status = 'pinning'
      await peer.data.pin(status.pin.cid, { timeout: 20_000 })
      status.status = 'pinned'
    } catch {
      status.status = 'failed'
      Object.assign(status, { info: { status_details: 'no provider answered' } })
    }
  }

  const list = (query: URLSearchParams): unknown => {
    const wanted = (query.get('status') ?? 'pinned').split(',')
    const cids = query.get('cid')?.split(',')
    const limit = Number(query.get('limit') ?? 10)
    if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
      throw new Refused(400, 'BAD_REQUEST', 'limit is 1 to 1000')
    const found = [...pins.values()]
      .reverse()
      .filter(({ status, pin }) => wanted.includes(status) && (cids?.includes(pin.cid) ?? true))
    return { count: found.length, results: found.slice(0, limit) }
  }

  const add = (body: unknown): PinStatus => {
    const { cid, name, origins, meta } = body as Pin
    if (typeof cid !== 'string') throw new Refused(400, 'BAD_REQUEST', 'a pin has a cid')
    if (name !== undefined && name.length > 255)
      throw new Refused(400, 'BAD_REQUEST', 'name has at most 255 characters')
    if (origins !== undefined && (origins.length > 20 || new Set(origins).size < origins.length)) {
      throw new Refused(400, 'BAD_REQUEST', 'origins are at most 20 different ones')
    }
    const status: PinStatus = {
      requestid: `request ${++last}`,
      status: 'queued',
      created: new Date(0).toISOString(),
      pin: { cid, name, origins, meta },
      delegates: ['/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWGJfU6wUxvt8eDQUvdZFJuTJBDTCG9kE2o8rBFVu1nHFp']
    }
    pins.set(status.requestid, status)
    void pinNow(status)
    return status
  }

  const one = (id: string): PinStatus => {
    const status = pins.get(id)
    if (status === undefined) throw new Refused(404, 'NOT_FOUND', 'there is no such request')
    return status
  }

  const answer = async (request: IncomingMessage): Promise<{ code: number; value?: unknown }> => {
    const url = new URL(request.url ?? '', 'http://127.0.0.1')
    log.push(`${request.method ?? ''} ${url.pathname}`)
    if (request.headers.authorization !== `Bearer ${accessToken}`) throw new Refused(401, 'UNAUTHORIZED', 'wrong token')
    const failure = failures.shift()
    if (failure !== undefined) throw new Refused(failure.code, failure.reason, failure.body ?? '')
    const [, base, version, collection, id] = url.pathname.split('/').map(decodeURIComponent)
    if (base !== 'api' || version !== 'v1' || collection !== 'pins') throw new Refused(404, 'NOT_FOUND', 'no such path')
    let text = ''
    for await (const chunk of request) text += String(chunk)
    if (request.method === 'GET') return { code: 200, value: id === undefined ? list(url.searchParams) : one(id) }
    if (request.method === 'POST' && id === undefined) return { code: 202, value: add(JSON.parse(text)) }
    if (request.method === 'DELETE' && id !== undefined) {
      const { requestid, pin } = one(id)
      pins.delete(requestid)
      await peer.data.unpin(pin.cid)
      return { code: 202 }
    }
    throw new Refused(400, 'BAD_REQUEST', 'no such call')
  }

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const { code, value } = await answer(request)
      response
        .writeHead(code, { 'content-type': 'application/json' })
        .end(value === undefined ? undefined : JSON.stringify(value))
    } catch (error) {
      const { code, reason, message } = error instanceof Refused ? error : new Refused(500, 'INTERNAL', String(error))
      response
        .writeHead(code, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: { reason, details: message } }))
    }
  }

  const server = createServer((request, response) => void respond(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`,
    accessToken,
    log,
    pins,
    failures,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}
