import type { PeerId } from '@libp2p/interface'
import { systemClock } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import type { QueuedMessage } from './library.ts'
import type { WantEntry } from './message.ts'

type Send = (peer: PeerId, message: QueuedMessage) => void

/** Collects ended wants. One message tells each peer of all wants that end in one turn of the event loop. */
export class Recalls {
  readonly #send: Send
  readonly #waiting = new Map<PeerId, Map<string, WantEntry>>()
  readonly #keys = new Set<string>()
  #scheduled = false

  constructor(send: Send) {
    this.#send = send
  }

  add(peer: PeerId, key: string, cid: CID): void {
    const wantlist = this.#waiting.get(peer) ?? new Map<string, WantEntry>()
    this.#waiting.set(peer, wantlist.set(key, { cid: cid.bytes, priority: 1, cancel: true }))
    this.#keys.add(key)
    if (this.#scheduled) return
    this.#scheduled = true
    systemClock.nextTurn(() => {
      this.#scheduled = false
      this.send()
    })
  }

  /** Sends what is collected if the want is part of it. */
  sendIfAny(key: string): void {
    if (this.#keys.has(key)) this.send()
  }

  send(): void {
    const waiting = [...this.#waiting]
    this.clear()
    for (const [peer, wantlist] of waiting)
      this.#send(peer, { full: false, pendingBytes: 0, wantlist, blocks: new Map(), blockPresences: new Map() })
  }

  clear(): void {
    this.#waiting.clear()
    this.#keys.clear()
  }
}
