import { connect, createInbox, Empty, type NatsConnection, type Status } from '@nats-io/transport-node'
import { BoundedMap, type OpenOptions, P2plError, untilAborted } from '@p2pl/core/backend'
import type { Settings } from './options.ts'

const pingMs = 1_000
const maxPings = 2
/** A server that has said nothing for this long is gone. */
const silenceMs = pingMs * (maxPings + 1)
/** In which a copy of this peer would answer. The server says at once where nobody listens. */
const claimMs = 5_000
const maxDenied = 1_000

/** Hears of losses. */
export interface Watcher {
  /** `since`: on the clock of `performance.now()`. */
  lost(since: number): void
  back(): void
}

/** The connection to the server. The library connects again; this class ends what waits for an answer that will never come. */
export class Connection {
  readonly nc: NatsConnection
  readonly watchers: Set<Watcher> = new Set<Watcher>()
  readonly #report: OpenOptions['report']
  readonly #inbox: string
  /** Publishes that nobody heard. */
  readonly #unheard = new Map<string, () => void>()
  /** How often the server has refused a publish to a subject. */
  readonly #denied = new BoundedMap<string, number>(maxDenied)
  #published = 0
  #losses = 0
  /** Fires when the connection is lost. */
  #life = new AbortController()

  private constructor(nc: NatsConnection, inbox: string, report: OpenOptions['report']) {
    this.nc = nc
    this.#inbox = inbox
    this.#report = report
  }

  static async open({ servers, connection }: Settings, { signal, report }: OpenOptions): Promise<Connection> {
    const connecting = connect({
      timeout: 5_000,
      ...connection,
      servers: [...servers],
      noEcho: true,
      pingInterval: pingMs,
      maxPingOut: maxPings,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      reconnectJitter: 250,
      // Credentials may be mended on the server while peers run.
      ignoreAuthErrorAbort: true
    })
    const nc = await untilAborted(connecting, signal).catch((error: unknown) => {
      void connecting.then(async (late) => await late.close()).catch(() => undefined)
      throw error
    })
    const made = new Connection(nc, createInbox(connection.inboxPrefix), report)
    void made.#watch()
    try {
      await made.#listen(signal)
    } catch (error) {
      await nc.close()
      throw error
    }
    return made
  }

  /** The work, or the error of the connection when that is lost first. `life` fires when it is. */
  async call<T>(work: (life: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const life = this.#life.signal
    life.throwIfAborted()
    return await untilAborted(work(life), signal === undefined ? life : AbortSignal.any([signal, life]))
  }

  /** Resolves when the server has had everything up to now. */
  async flush(signal?: AbortSignal): Promise<void> {
    await this.call(async () => await this.nc.flush(), signal)
  }

  /** Resolves when the server has the message, with whether anybody else listens to its subject. */
  async publish(subject: string, payload: Uint8Array, signal: AbortSignal): Promise<boolean> {
    this.#life.signal.throwIfAborted()
    const reply = `${this.#inbox}.${++this.#published}`
    const denied = this.#denied.get(subject)
    let heard = true
    this.#unheard.set(reply, () => {
      heard = false
    })
    try {
      this.nc.publish(subject, payload, { reply })
      await this.flush(signal).catch((cause: unknown) => {
        if (signal.aborted) throw cause
        const message = 'the connection to the NATS server broke before it confirmed the message'
        throw new P2plError({ code: 'UNCERTAIN', message, cause })
      })
      // Errors of the server come before its answer, but the library tells of them a moment later.
      await new Promise((resolve) => setImmediate(resolve))
      if (this.#denied.get(subject) === denied) return heard
      const message = `the server permits no publish to ${subject}: give this user the permission`
      throw new P2plError({ code: 'UNAUTHORIZED', message })
    } finally {
      this.#unheard.delete(reply)
    }
  }

  /** The server answers a publish that has no subscriber by a status of 503. */
  async #listen(signal: AbortSignal): Promise<void> {
    let refused: Error | undefined
    this.nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error) refused = error
        else if (message.headers?.code === 503 && message.data.length === 0) this.#unheard.get(message.subject)?.()
      }
    })
    await this.flush(signal)
    if (refused !== undefined) throw refused
  }

  async #watch(): Promise<void> {
    for await (const status of this.nc.status()) this.#take(status)
  }

  #take(status: Status): void {
    if (status.type === 'staleConnection') {
      this.#lose(performance.now() - silenceMs)
      destroySocket(this.nc)
    } else if (status.type === 'disconnect') this.#lose(performance.now())
    else if (status.type === 'reconnect') void this.#comeBack()
    else if (status.type === 'error' && 'operation' in status.error) {
      const { operation, subject } = status.error as { operation?: unknown; subject?: unknown }
      if (operation === 'publish') this.#denied.set(String(subject), (this.#denied.get(String(subject)) ?? 0) + 1)
    }
  }

  #lose(since: number): void {
    this.#losses++
    if (this.#life.signal.aborted) return
    const message = 'the connection to the NATS server is lost; it is being made again'
    const error = new P2plError({ code: 'UNREACHABLE', message })
    this.#life.abort(error)
    for (const watcher of this.watchers) watcher.lost(since)
    this.#report({ type: 'degraded', error })
  }

  async #comeBack(): Promise<void> {
    const losses = this.#losses
    // The library has sent the subscriptions, but the server may not have had them yet.
    await this.nc.flush().catch(() => undefined)
    if (losses !== this.#losses || this.nc.isClosed()) return
    this.#life = new AbortController()
    for (const watcher of this.watchers) watcher.back()
    this.#report({ type: 'recovered' })
  }

  async close(): Promise<void> {
    await this.nc.close()
  }

  /** Answers on the subject while this peer runs. Throws `LOCKED` where another one answers already. */
  async claim(subject: string, signal: AbortSignal): Promise<void> {
    this.nc.subscribe(subject, { callback: (error, message) => void (error ?? message.respond()) })
    const request = this.nc.request(subject, Empty, { timeout: claimMs })
    // No answer is what it should be.
    const taken = await this.call(async () => await request.then(() => true).catch(() => false), signal)
    if (!taken) return
    const message = `another peer answers on ${subject}: it runs with a copy of this folder; give each peer a folder of its own`
    throw new P2plError({ code: 'LOCKED', message })
  }
}

/**
 * A dead socket first has to take what it was given before the library (3.4) connects again, which a dead one never does. This is not
 * part of its API: where it changes, only that remains.
 */
function destroySocket(nc: NatsConnection): void {
  const { protocol } = nc as unknown as { protocol?: { transport?: { socket?: { destroy(): void } } } }
  protocol?.transport?.socket?.destroy()
}
