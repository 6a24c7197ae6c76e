import * as http from 'node:http'
import * as https from 'node:https'
import { throwIfAborted } from '@p2pl/core/backend'
import { backendName, classify, failure, notRunning, RpcStatusError } from '../errors.ts'
import { Call } from './call.ts'
import { Lane } from './lane.ts'
import { LineSplitter, parseJson } from './lines.ts'
import type { Body } from './multipart.ts'
import type { Target } from './target.ts'

export type Params = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

export interface CallOptions {
  /** The port's name of the call, for errors. */
  readonly operation: string
  readonly signal?: AbortSignal | undefined
  readonly body?: Body | undefined
  /**
   * `store`: local work of the daemon, few at a time. `network`: may wait long for others. `stream`: stays open.
   * Separate pools, so that slow fetches never hold up local work.
   */
  readonly lane: 'store' | 'network' | 'stream'
  /** Most bytes of the answer. Default 1 MiB. */
  readonly maxBytes?: number | undefined
  /** Milliseconds for the whole call, or for a `stream` until its headers. Default for `store`: the client's. */
  readonly timeout?: number | undefined
  /** Whether the request may be sent again when an idle connection turns out to be dead. */
  readonly idempotent?: boolean | undefined
}

const maxErrorBytes = 16 * 1024
const maxLineBytes = 4 * 1024 * 1024
const maxWaiting = 16_384
const bounds = { store: 16, network: 256, stream: 4096 } as const

/**
 * The narrow part of Kubo's RPC that p2pl needs, over `node:http`: unix sockets, TLS, bounded answers, bounded pools and
 * deadlines, none of which `fetch` gives without a global dispatcher. Retries nothing.
 */
export class RpcClient {
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

  async bytes(path: string, params: Params, options: CallOptions): Promise<Buffer> {
    const call = await this.stream(path, params, options)
    return await call.collect(options.maxBytes ?? 1024 * 1024)
  }

  /** The one JSON object of the answer. */
  async json(path: string, params: Params, options: CallOptions): Promise<Record<string, unknown>> {
    return parseJson(options.operation, (await this.bytes(path, params, options)).toString('utf8'))
  }

  /** The JSON objects of the answer, one a line, as they come. */
  async *lines(path: string, params: Params, options: CallOptions): AsyncGenerator<Record<string, unknown>> {
    const call = await this.stream(path, params, options)
    const splitter = new LineSplitter(options.operation, maxLineBytes)
    for await (const chunk of call.chunks())
      for (const line of splitter.push(chunk)) yield parseJson(options.operation, line)
    const rest = splitter.rest()
    if (rest !== '') yield parseJson(options.operation, rest)
  }

  /** Resolves with the headers of a 200. The caller reads the answer to its end or calls `fail`. */
  async stream(path: string, params: Params, options: CallOptions): Promise<Call> {
    const { operation, signal } = options
    if (this.#target === undefined) throw notRunning(operation)
    throwIfAborted(operation, signal, backendName)
    const lane = this.#lanes[options.lane]
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
    const timeout = options.timeout ?? (options.lane === 'store' ? this.#timeout : undefined)
    if (timeout !== undefined)
      timer = setTimeout(
        () => call.fail(failure('TIMEOUT', operation, `the daemon did not answer ${operation} within ${timeout} ms`)),
        timeout
      )
    try {
      throwIfAborted(operation, signal, backendName)
      await this.#exchange(call, path, params, options)
      if (options.lane === 'stream') {
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

  async #exchange(call: Call, path: string, params: Params, options: CallOptions): Promise<void> {
    const chunks = options.body?.chunks ?? []
    const first = this.#request(path, params, options)
    try {
      await call.send(first, chunks)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      // The other side closed an idle connection just when it was taken from the pool.
      const stale = first.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE')
      if (!stale || options.idempotent === false || this.#target === undefined) throw error
      await call.send(this.#request(path, params, options), chunks)
    }
  }

  #request(path: string, params: Params, options: CallOptions): http.ClientRequest {
    const target = this.#target
    if (target === undefined || this.#agents === undefined) throw notRunning(options.operation)
    const request = target.secure ? https.request : http.request
    return request({
      ...target.connect,
      ...(target.secure ? tlsOptions(target) : {}),
      method: 'POST',
      path: `${target.basePath}${path}${query(params)}`,
      headers: { 'content-length': '0', ...target.headers, ...options.body?.headers },
      agent: options.lane === 'stream' ? false : this.#agents[options.lane]
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

function query(params: Params): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue
    if (Array.isArray(value)) for (const item of value) search.append(name, String(item))
    else search.append(name, String(value))
  }
  const text = search.toString()
  return text === '' ? '' : `?${text}`
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
