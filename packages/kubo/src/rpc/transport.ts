import { isDeepStrictEqual } from 'node:util'
import { giveUpAfter } from '@p2pl/core/backend'
import type { Pool } from 'undici'
import { classify, failure, notRunning, stopped } from '../errors.ts'
import { Answer } from './answer.ts'
import { refusal } from './refusal.ts'
import type { Target, TlsOptions } from './target.ts'

/** The properties of a call that the transport needs. */
export interface CallKind {
  /** The name of the call, for errors. */
  readonly operation: string
  /**
   * `store`: local work of the daemon, few calls at a time. `network`: may wait long for other peers. `stream`: stays
   * open. Each lane has its own connections, so that slow fetches never delay local work.
   */
  readonly lane: Lane
  /**
   * Milliseconds for the whole call; for a `stream`, until its headers arrive. Default for `store`: the timeout of the
   * transport.
   */
  readonly timeout?: number | undefined
}

export type Lane = 'store' | 'network' | 'stream'

export interface Request {
  /** The path after `/api/v0/`. */
  readonly path: string
  readonly query?: URLSearchParams | undefined
  readonly body?: Body | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Body {
  readonly headers: Readonly<Record<string, string>>
  /** The parts to send, in order. They are not joined, because that would copy every block. */
  readonly parts: readonly Uint8Array[]
}

const connections: Readonly<Record<Lane, number>> = { store: 16, network: 256, stream: 4096 }
/** The most calls that are running or wait for a connection. Beyond that, calls are refused with `OVERLOADED`. */
const mostCalls: Readonly<Record<Lane, number>> = { store: 4096, network: 4096, stream: 4096 }
const connectTimeout = 10_000
/** After this long (ms) without data, the system probes the connection, so that a dead one ends within seconds. */
const keepAliveDelay = 5_000

/**
 * Carries calls to the daemon, by HTTP over TCP, TLS or a unix socket. All answers and waits are bounded. It retries
 * nothing.
 */
export class Transport {
  readonly #timeout: number
  readonly #underWay: Record<Lane, number> = { store: 0, network: 0, stream: 0 }
  #pools: Readonly<Record<Lane, Pool>> | undefined
  #target: Target | undefined

  /** `timeout`: milliseconds that local work of the daemon may take. */
  constructor(timeout: number) {
    this.#timeout = timeout
  }

  /** Sets the address of the daemon. Running calls to another address end with `UNREACHABLE`. */
  async open(target: Target): Promise<void> {
    if (this.#target !== undefined && isDeepStrictEqual(target, this.#target)) return
    // Imported only when needed: on a runtime that is too old, undici ends the process before anybody can report it.
    const undici = await import('undici')
    if (typeof undici.Pool.prototype.destroy !== 'function')
      throw failure(
        'UNSUPPORTED',
        'start',
        'calls of a daemon need undici, which Bun replaces by a part of it: use Node 22.19 or newer, or Deno'
      )
    this.#end(new Error('the daemon was started again'))
    this.#target = target
    this.#pools = {
      store: poolOf(undici.Pool, target, connections.store),
      network: poolOf(undici.Pool, target, connections.network),
      stream: poolOf(undici.Pool, target, connections.stream)
    }
  }

  /** Ends every running call with `NOT_RUNNING`. */
  close(): void {
    this.#end(stopped)
  }

  /**
   * Resolves with an answer once the headers of a 200 have arrived. The caller reads the answer to its end or calls
   * `fail`.
   */
  async request(kind: CallKind, { path, query, body, signal }: Request): Promise<Answer> {
    const { operation, lane } = kind
    const [pool, target] = [this.#pools?.[lane], this.#target]
    if (pool === undefined || target === undefined) throw notRunning(operation)
    if (signal?.aborted === true) throw classify(operation, undefined, signal)
    if (this.#underWay[lane] >= mostCalls[lane])
      throw failure('OVERLOADED', operation, `${mostCalls[lane]} calls of the daemon are under way; make fewer at once`)
    this.#underWay[lane]++
    const end = new AbortController()
    const onAbort = (): void => end.abort(classify(operation, undefined, signal))
    signal?.addEventListener('abort', onAbort, { once: true })
    const timeout = kind.timeout ?? (lane === 'store' ? this.#timeout : undefined)
    const onTimeout = (): void =>
      end.abort(failure('TIMEOUT', operation, `the daemon did not answer ${operation} within ${timeout} ms`))
    const cancel = timeout === undefined ? undefined : giveUpAfter(timeout, onTimeout, { hold: true })
    const release = (): void => {
      cancel?.()
      signal?.removeEventListener('abort', onAbort)
    }
    const onEnd = (): void => {
      this.#underWay[lane]--
      release()
    }
    let answer: Answer | undefined
    try {
      const response = await pool.request({
        method: 'POST',
        path: `${target.basePath}${path}${searchOf(query)}`,
        headers: { ...target.headers, ...body?.headers, ...lengthOf(body) },
        body: payloadOf(body),
        signal: end.signal
      })
      answer = new Answer(operation, response, onEnd)
      if (response.statusCode !== 200) throw await refusal(answer, response, target.origin)
      // From now on the stream takes no slot.
      if (lane === 'stream') release()
      return answer
    } catch (error) {
      const classified = classify(operation, error, undefined, addressOf(target))
      if (answer === undefined) onEnd()
      else answer.fail(classified)
      throw classified
    }
  }

  #end(reason: Error): void {
    for (const pool of Object.values(this.#pools ?? {})) void pool.destroy(reason)
    this.#pools = undefined
    this.#target = undefined
  }
}

function poolOf(PoolOfUndici: typeof Pool, target: Target, most: number): Pool {
  const { socketPath, tls } = target
  return new PoolOfUndici(target.origin, {
    connections: most,
    pipelining: 1,
    // Every call has its own timeout or its caller's signal.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: {
      timeout: connectTimeout,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveDelay,
      ...(socketPath === undefined ? {} : { socketPath }),
      ...tlsOptions(tls)
    }
  })
}

function lengthOf(body: Body | undefined): Record<string, string> {
  if (body === undefined) return {}
  return { 'content-length': String(body.parts.reduce((sum, { byteLength }) => sum + byteLength, 0)) }
}

/** A single part is sent in one packet with the headers. */
function payloadOf(body: Body | undefined): Uint8Array | null {
  if (body === undefined) return null
  const [first, ...others] = body.parts
  // undici takes any iterable, but its types do not say so.
  return others.length === 0 ? (first ?? null) : (body.parts as unknown as Uint8Array)
}

/** Without the path, which may contain a secret. */
function addressOf({ origin, socketPath }: Target): string {
  return socketPath ?? origin
}

type Pem = string | Buffer

function tlsOptions(tls: TlsOptions): Record<string, unknown> {
  const { ca, cert, key, servername, rejectUnauthorized } = tls
  const given = { ca: pems(ca), cert: pems(cert), key: pems(key), servername, rejectUnauthorized }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

function pems(value: TlsOptions['ca']): Pem | Pem[] | undefined {
  if (value === undefined || typeof value === 'string') return value
  if (value instanceof Uint8Array) return Buffer.from(value)
  return value.map((one) => (typeof one === 'string' ? one : Buffer.from(one)))
}

function searchOf(query: URLSearchParams | undefined): string {
  return query === undefined || query.size === 0 ? '' : `?${query.toString()}`
}
