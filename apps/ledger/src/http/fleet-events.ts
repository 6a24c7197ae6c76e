import { setTimeout as sleep } from 'node:timers/promises'
import type { StreamEvent } from './event-stream.ts'
import type { Demo, DemoPeer } from './front.ts'

type NodeLedger = NonNullable<DemoPeer['ledger']>

const pauseMs = 500

/**
 * The events of all peers of a demonstration as one stream, each with the name of its peer: `{ node, data }`. After
 * each pause, the first event of a peer, `listening`, is sent again: earlier events were not sent.
 */
export class FleetEvents {
  readonly #demo: Demo
  readonly #send: (event: StreamEvent) => void
  readonly #open = new Map<NodeLedger, AbortController>()
  #unwatch: (() => void) | undefined

  constructor(demo: Demo, send: (event: StreamEvent) => void) {
    this.#demo = demo
    this.#send = send
  }

  start(): void {
    this.#unwatch = this.#demo.watch(() => {
      this.#follow()
    })
    this.#follow()
  }

  stop(): void {
    this.#unwatch?.()
    this.#unwatch = undefined
    for (const end of this.#open.values()) end.abort()
    this.#open.clear()
  }

  /** Listens to each run of each peer once. */
  #follow(): void {
    const running = new Map(
      this.#demo.peers().flatMap(({ name, ledger }) => (ledger === undefined ? [] : [[ledger, name]]))
    )
    for (const [ledger, end] of this.#open) {
      if (running.has(ledger)) continue
      end.abort()
      this.#open.delete(ledger)
    }
    for (const [ledger, name] of running) {
      if (this.#open.has(ledger)) continue
      const end = new AbortController()
      this.#open.set(ledger, end)
      void this.#listen(ledger, name, end.signal)
    }
  }

  async #listen(ledger: NodeLedger, node: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let listening = false
      try {
        for await (const { type, data } of ledger.events({ traces: true, signal })) {
          if (!listening) this.#send({ type: 'listening', data: { node, data: {} } })
          listening = true
          this.#send({ type, data: { node, data } })
        }
      } catch {
        // The peer was killed, or disconnected this reader for being too slow.
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
    }
  }
}
