import type { PeerInfo } from '@p2pl/core'
import type { CID } from 'multiformats/cid'
import type { KeepingService } from '../api.ts'
import { failure } from '../errors.ts'
import { checkKeys, checkNumber } from '@p2pl/core/backend'
import { parsePins, parseStatus, type PinStatus } from './answers.ts'
import { type Method, request } from './http.ts'

export interface PinningServiceOptions {
  /** The name in statuses. Default: the host of the endpoint. */
  readonly name?: string | undefined
  /** The address of the API, such as `https://pins.example/api/v1`. */
  readonly endpoint: string
  readonly accessToken: string
  /** Milliseconds between two looks at a pin that is in progress. Default 2,000. */
  readonly pollEvery?: number | undefined
  /** Milliseconds for one call. Default 30,000. */
  readonly timeout?: number | undefined
}

/** Maximum number of addresses that a service is given: the API allows 20. */
const maxOrigins = 20

/**
 * A remote pinning service that speaks the IPFS Pinning Service API, version 1. Its answers are trusted, since that API
 * proves nothing.
 */
export function pinningService(options: PinningServiceOptions): KeepingService {
  const operation = 'pinningService'
  checkKeys(operation, options, ['name', 'endpoint', 'accessToken', 'pollEvery', 'timeout'])
  const { accessToken, name } = options ?? {}
  const endpoint = endpointOf(options?.endpoint)
  const milliseconds = (option: 'pollEvery' | 'timeout', max: number, otherwise: number): number =>
    checkNumber(operation, option, options[option], { min: 1, max, integer: true }, otherwise)
  const pollEvery = milliseconds('pollEvery', 3_600_000, 2_000)
  const timeout = milliseconds('timeout', 2_147_483_647, 30_000)
  if (name !== undefined && (typeof name !== 'string' || name === '')) {
    throw failure('INVALID_ARGUMENT', operation, `${operation}: name must be non-empty text`)
  }
  if (typeof accessToken !== 'string' || !/^[\x21-\x7e]+$/.test(accessToken)) {
    throw failure(
      'INVALID_ARGUMENT',
      'pinningService',
      'pinningService: accessToken must be the text that the service gave you'
    )
  }
  const call = async (method: Method, path: string, signal: AbortSignal, body?: unknown): Promise<unknown> =>
    await request({ method, url: `${endpoint}${path}`, accessToken, timeout, signal, body })

  /** The most advanced pin of this CID. */
  const find = async (cid: CID, signal: AbortSignal): Promise<PinStatus | undefined> => {
    const query = `cid=${cid.toString()}&status=queued,pinning,pinned&limit=10`
    const pins = parsePins(await call('GET', `/pins?${query}`, signal))
    return pins.find(({ status }) => status === 'pinned') ?? pins[0]
  }
  return {
    name: name ?? new URL(endpoint).host,

    async keep(cid, { providers, signal }) {
      const origins = originsOf(providers)
      let pin = await find(cid, signal)
      pin ??= parseStatus(await call('POST', '/pins', signal, { cid: cid.toString(), name: 'p2pl', origins }))
      while (pin.status !== 'pinned') {
        if (pin.status === 'failed') {
          throw failure(
            'NOT_FOUND',
            'replication',
            `the pinning service could not get ${cid.toString()}: ${pin.details}`
          )
        }
        await pause(pollEvery, signal)
        pin = parseStatus(await call('GET', `/pins/${encodeURIComponent(pin.requestId)}`, signal))
      }
    },

    has: async (cid, { signal }) => (await find(cid, signal))?.status === 'pinned',

    async release(cid, { signal }) {
      for (let pin = await find(cid, signal); pin !== undefined; pin = await find(cid, signal)) {
        await call('DELETE', `/pins/${encodeURIComponent(pin.requestId)}`, signal)
      }
    }
  }
}

function endpointOf(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  const local = url !== undefined && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
  // Only https or a local address, because the token is sent with each call.
  if (url !== undefined && (url.protocol === 'https:' || (url.protocol === 'http:' && local)) && url.username === '') {
    return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  }
  throw failure(
    'INVALID_ARGUMENT',
    'pinningService',
    'pinningService: endpoint must be an https address without user or password'
  )
}

/** Multiaddrs that include the peer's id. */
function originsOf(providers: readonly PeerInfo[]): string[] {
  const addresses = providers.flatMap(({ id, addresses: of }) =>
    of
      .filter((address) => address.startsWith('/'))
      .map((address) => (address.includes('/p2p/') ? address : `${address}/p2p/${id}`))
  )
  return addresses.slice(0, maxOrigins)
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(signal.reason as Error)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
