import { isP2plError, P2plError } from '@p2pl/core'
import type { ErrorCode, Peer, PeerInfo } from '@p2pl/core'
import { backoff, sleep, Slots } from '@p2pl/core/backend'
import type { Claim } from './frame.ts'

/** How many first blocks are requested at once. A request for a block that nobody has costs little. */
const maxProbes = 512
const probeTimeout = 10_000
/**
 * How many payloads may be in memory: those being fetched, once their first block came, and those that wait for the
 * reader.
 */
export const maxHeld = 16
/** The timeout of the first fetch of a payload in milliseconds. Each further attempt adds the same amount. */
const fetchTimeout = 15_000
const pauses = { first: 250, longest: 10_000 } as const
const providersAsked = 8

export interface Held {
  readonly payload: Uint8Array
  /** Called when the reader has taken the payload: others may be fetched. */
  readonly release: () => void
}

/** Fetches the large payloads of one reader by CID from peers of the topic. */
export class Payloads {
  readonly #peer: Peer
  readonly #maxBytes: number
  readonly #providers: (most: number) => PeerInfo[]
  readonly #probes: Slots = new Slots(maxProbes)
  readonly #held: Slots = new Slots(maxHeld)

  constructor(peer: Peer, maxBytes: number, providers: (most: number) => PeerInfo[]) {
    this.#peer = peer
    this.#maxBytes = maxBytes
    this.#providers = providers
  }

  /**
   * Tries repeatedly, for `timeout` milliseconds in total; waiting for a slow reader does not count. Wrong content
   * stays wrong, so it is given up at once.
   */
  async fetch({ cid, size }: Claim, timeout: number, signal: AbortSignal | undefined): Promise<Held> {
    if (size > this.#maxBytes) {
      throw failure('TOO_LARGE', `a payload of ${size} bytes is over maxPayloadBytes (${this.#maxBytes})`)
    }
    const { blocks, data, environment } = this.#peer
    const { clock } = environment
    let left = timeout
    const within = async <T>(most: number, work: (timeout: number) => Promise<T>): Promise<T> => {
      const began = clock.now()
      try {
        return await work(Math.max(1, Math.min(most, left)))
      } finally {
        left -= clock.now() - began
      }
    }
    for (let attempt = 1; ; attempt++) {
      const providers = this.#providers(providersAsked)
      let release: (() => void) | undefined
      try {
        await within(probeTimeout, async (most) => {
          const probe = async (): Promise<unknown> =>
            await blocks.get(cid, { root: cid, providers, timeout: most, signal })
          await this.#probes.run(probe, signal)
        })
        release = await this.#held.enter(signal)
        const payload = await within(attempt * fetchTimeout, async (most) => {
          return await data.bytes(cid, { providers, maxBytes: size, timeout: most, signal })
        })
        if (payload.length === size) return { payload, release }
        throw failure('INVALID_CONTENT', `a payload was promised with ${size} bytes and has ${payload.length}`)
      } catch (error) {
        release?.()
        if (signal?.aborted === true || isLasting(error)) throw error
      }
      if (left <= 0) throw failure('TIMEOUT', `no peer gave the payload within ${timeout} ms`)
      await within(backoff(pauses, attempt), async (most) => {
        await sleep(most, { clock, signal, hold: true })
      })
    }
  }
}

function isLasting(error: unknown): boolean {
  return isP2plError(error) && !error.retryable && error.code !== 'NOT_FOUND'
}

function failure(code: ErrorCode, message: string): P2plError {
  return new P2plError({ code, operation: 'subscribe', retryable: code === 'TIMEOUT', message })
}
