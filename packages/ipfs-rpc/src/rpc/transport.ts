import * as http from 'node:http'
import * as https from 'node:https'
import { throwIfAborted } from '@p2pl/core/backend'
import { backendName, classify, failure, notRunning, RpcStatusError } from '../errors.ts'
import { type Answer, answerOf, type AnswerLimits } from './answer.ts'
import { Call } from './call.ts'
import { Lane } from './lane.ts'
import type { Target } from './target.ts'

/** What a call is to the transport; the library knows nothing of it. */
export interface CallKind extends AnswerLimits {
  /** The port's name of the call, for errors. */
  readonly operation: string
  /**
   * `store`: local work of the daemon, few at a time. `network`: may wait long for others. `stream`: stays open.
   * Separate pools, so that slow fetches never hold up local work.
   */
  readonly lane: 'store' | 'network' | 'stream'
  /** Milliseconds for the whole call, or for a `stream` until its headers. Default for `store`: the transport's. */
  readonly timeout?: number | undefined
  /** Whether the request may be sent again when an idle connection turns out to be dead. Default true. */
  readonly idempotent?: boolean | undefined
  /** Parameters that the daemon knows, but the library's call has no option for. */
  readonly params?: Readonly<Record<string, string | boolean>> | undefined
}

export interface Request {
  /** Behind `/api/v0/`. */
  readonly path: string
  readonly query: URLSearchParams
  readonly body?: Body | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Body {
  readonly headers: Readonly<Record<string, string>>
  readonly chunks: readonly Uint8Array[]
}

/** The part of `fetch` that kubo-rpc-client uses. */
export type Fetch = (
  url: string,
  init: {
    readonly headers?: Headers
    readonly body?: AsyncIterable<Uint8Array | string>
    readonly signal?: AbortSignal
  }
) => Promise<Answer>

/** The address that the library believes to speak to; where the daemon really is, only the transport knows. */
export const libraryUrl = 'http://daemon.invalid/api/v0'

const basePath = new URL(libraryUrl).pathname
const maxErrorBytes = 16 * 1024
const maxWaiting = 16_384
const bounds = { store: 16, network: 256, stream: 4096 } as const

/**
 * Carries calls to the daemon over `node:http`: unix sockets, TLS, bounded answers, bounded pools and deadlines, none of
 * which the global `fetch` gives without a global dispatcher. Retries nothing.
 */
export class Transport {
  readonly #timeout: number
  readonly #lanes = {
    store: new Lane(bounds.store, maxWaiting),
    network: new Lane(bounds.network, maxWaiting),
    stream: new Lane(bounds.stream, 0)
  }
  readonly #calls = new Set<Call>()
  #agents: { store: http.Agent; network: http.Agent } | undefined
  #target: Target | undefined

  /** `timeout`: milliseconds that local work of the daemon may take. */
  constructor(timeout: number) {
    this.#timeout = timeout
  }

  get target(): Target | undefined {
    return this.#target
  }

  open(target: Target): void {
    this.close()
    this.retarget(target)
  }

  /** The daemon answers elsewhere now. Calls under way end as their connections do. */
  retarget(target: Target): void {
    this.#agents?.store.destroy()
    this.#agents?.network.destroy()
    const make = (maxSockets: number): http.Agent =>
      target.secure
        ? new https.Agent({ keepAlive: true, maxSockets, scheduling: 'lifo' })
        : new http.Agent({ keepAlive: true, maxSockets, scheduling: 'lifo' })
    this.#agents = { store: make(bounds.store), network: make(bounds.network) }
    this.#target = target
  }

  /** Ends every call under way with `NOT_RUNNING`. */
  close(): void {
    this.#target = undefined
    for (const call of this.#calls) call.fail(notRunning(call.operation))
    this.#agents?.store.destroy()
    this.#agents?.network.destroy()
    this.#agents = undefined
  }

  /** A `fetch` for the library: rejects with a {@link P2plError} for every answer but 200. */
  fetch(kind: CallKind): Fetch {
    return async (url, { headers, body, signal }) => {
      const { pathname, searchParams } = new URL(url)
      const call = await this.request(kind, {
        path: pathname.slice(basePath.length + 1),
        query: searchParams,
        body: body === undefined ? undefined : await wholeBody(headers, body),
        signal
      })
      return await answerOf(call, kind)
    }
  }

  /** Resolves with the headers of a 200. The caller reads the answer to its end or calls `fail`. */
  async request(kind: CallKind, request: Request): Promise<Call> {
    const { operation } = kind
    const { signal } = request
    if (this.#target === undefined) throw notRunning(operation)
    throwIfAborted(operation, signal, backendName)
    const lane = this.#lanes[kind.lane]
    const room = lane.enter(operation, signal)
    if (room !== undefined) await room

    let timer: NodeJS.Timeout | undefined
    const onAbort = (): void => call.fail(classify(operation, undefined, signal))
    const call = new Call(operation, () => {
      lane.leave()
      this.#calls.delete(call)
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    })
    this.#calls.add(call)
    signal?.addEventListener('abort', onAbort, { once: true })
    const timeout = kind.timeout ?? (kind.lane === 'store' ? this.#timeout : undefined)
    if (timeout !== undefined)
      timer = setTimeout(
        () => call.fail(failure('TIMEOUT', operation, `the daemon did not answer ${operation} within ${timeout} ms`)),
        timeout
      )
    try {
      throwIfAborted(operation, signal, backendName)
      await this.#exchange(call, kind, request)
      if (kind.lane === 'stream') {
        // From now on it lives by itself.
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
      }
      if (call.response.statusCode !== 200) throw await refusal(call)
      return call
    } catch (error) {
      const classified = classify(operation, error, signal)
      call.fail(classified)
      throw classified
    }
  }

  async #exchange(call: Call, kind: CallKind, request: Request): Promise<void> {
    const chunks = request.body?.chunks ?? []
    const first = this.#open(kind, request)
    try {
      await call.send(first, chunks)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      // The other side closed an idle connection just when it was taken from the pool.
      const stale = first.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE')
      if (!stale || kind.idempotent === false || this.#target === undefined) throw error
      await call.send(this.#open(kind, request), chunks)
    }
  }

  #open(kind: CallKind, { path, query, body }: Request): http.ClientRequest {
    const target = this.#target
    if (target === undefined || this.#agents === undefined) throw notRunning(kind.operation)
    const search = searchOf(query, kind.params)
    const request = target.secure ? https.request : http.request
    return request({
      ...target.connect,
      ...(target.secure ? tlsOptions(target) : {}),
      method: 'POST',
      path: `${target.basePath}${path}${search}`,
      headers: { 'content-length': '0', ...target.headers, ...body?.headers },
      agent: kind.lane === 'stream' ? false : this.#agents[kind.lane]
    })
  }
}

async function refusal(call: Call): Promise<RpcStatusError> {
  const status = call.response.statusCode ?? 0
  const text = (await call.collect(maxErrorBytes)).toString('utf8').trim()
  let message = text
  if (text.startsWith('{')) {
    try {
      const given = (JSON.parse(text) as { Message?: unknown }).Message
      if (typeof given === 'string') message = given
    } catch {
      // Not Kubo's JSON: the text itself is the best there is.
    }
  }
  return new RpcStatusError(status, message.slice(0, 1000))
}

function searchOf(query: URLSearchParams, params: CallKind['params']): string {
  const all = new URLSearchParams(query)
  for (const [name, value] of Object.entries(params ?? {})) all.set(name, String(value))
  return all.size === 0 ? '' : `?${all.toString()}`
}

/** What the library streams is at most a block: as a whole it has a known length, and can be sent a second time. */
async function wholeBody(headers: Headers | undefined, body: AsyncIterable<Uint8Array | string>): Promise<Body> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
  const whole = Buffer.concat(chunks)
  return {
    headers: { ...Object.fromEntries(headers ?? []), 'content-length': String(whole.length) },
    chunks: [whole]
  }
}

function tlsOptions(target: Target): https.RequestOptions {
  const { ca, cert, key, servername, rejectUnauthorized } = target.tls
  return {
    ...(ca === undefined ? {} : { ca: toPem(ca) }),
    ...(cert === undefined ? {} : { cert: toPem(cert) }),
    ...(key === undefined ? {} : { key: toPem(key) }),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized })
  }
}

function toPem(value: string | Uint8Array | readonly (string | Uint8Array)[]): string | Buffer | (string | Buffer)[] {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return Buffer.from(value)
  return value.map((one) => (typeof one === 'string' ? one : Buffer.from(one)))
}
