import { CID } from 'multiformats/cid'
import { textOf, type Window } from '@p2pl/embedded'
import type { Outbox } from './outbox.ts'
import { encodeMessage, type Entry, type Message } from './wire.ts'

/** Where blocks for others come from. */
export type ReadBlock = (multihash: Uint8Array) => Promise<Uint8Array | undefined>

/** Wants of one peer that are kept; then the oldest gives way. */
const maxWants = 2_048
/** A block of at most this size is the answer to the question whether it is here. */
const smallBlock = 1_024
/** A message is sent when it has this many bytes; with one more block it stays below the limit. */
const messageTarget = 1024 * 1024
const readAhead = 8

interface Want {
  readonly cid: CID
  readonly key: string
  readonly have: boolean
  readonly sendDontHave: boolean
}

/** What one peer wants from here. */
export class Ledger {
  readonly #outbox: Outbox
  readonly #read: ReadBlock
  readonly #window: Window
  readonly #index: Map<string, Set<Ledger>>
  /** All that is wanted, answered or not yet there. */
  readonly #wants = new Map<string, Want>()
  /** What is to be looked up. */
  #todo = new Set<Want>()
  #serving = false
  readonly #closed = new AbortController()

  constructor(outbox: Outbox, read: ReadBlock, window: Window, index: Map<string, Set<Ledger>>) {
    this.#outbox = outbox
    this.#read = read
    this.#window = window
    this.#index = index
  }

  receive({ full, entries }: Message): void {
    if (full) for (const key of this.#wants.keys()) this.#forget(key)
    for (const entry of entries) this.#take(entry)
    this.#serve()
  }

  /** A block that is wanted has come. */
  arrived(key: string): void {
    const want = this.#wants.get(key)
    if (want === undefined) return
    this.#todo.add(want)
    this.#serve()
  }

  close(): void {
    this.#closed.abort()
    for (const key of this.#wants.keys()) this.#forget(key)
  }

  #take(entry: Entry): void {
    const cid = CID.decode(entry.cid)
    const key = textOf(cid.multihash.bytes)
    if (entry.cancel) {
      this.#forget(key)
      return
    }
    const want: Want = { cid, key, have: entry.have, sendDontHave: entry.sendDontHave }
    const known = this.#wants.get(key)
    if (known !== undefined) this.#todo.delete(known)
    else if (this.#wants.size >= maxWants) this.#forget(this.#wants.keys().next().value ?? '')
    this.#wants.set(key, want)
    this.#todo.add(want)
    const ledgers = this.#index.get(key)
    if (ledgers === undefined) this.#index.set(key, new Set([this]))
    else ledgers.add(this)
  }

  #forget(key: string): void {
    const want = this.#wants.get(key)
    if (want === undefined) return
    this.#wants.delete(key)
    this.#todo.delete(want)
    const ledgers = this.#index.get(key)
    ledgers?.delete(this)
    if (ledgers?.size === 0) this.#index.delete(key)
  }

  #serve(): void {
    if (this.#serving || this.#todo.size === 0) return
    this.#serving = true
    // What fails is forgotten with the connection, or wanted again.
    void this.#run()
      .catch(() => {})
      .finally(() => {
        this.#serving = false
      })
  }

  async #run(): Promise<void> {
    while (this.#todo.size > 0 && !this.#closed.signal.aborted) {
      const leave = await this.#window.enter(this.#closed.signal)
      try {
        const message = await this.#answer()
        if (message.blocks.length > 0 || message.presences.length > 0) await this.#outbox.send(encodeMessage(message))
      } finally {
        leave()
      }
    }
  }

  /** Answers as much as fits into one message. */
  async #answer(): Promise<Message> {
    const message: Message = { full: false, entries: [], blocks: [], presences: [] }
    for (let bytes = 0; bytes < messageTarget && this.#todo.size > 0;) {
      const wants = this.#next()
      const found = await Promise.all(wants.map(({ cid }) => this.#read(cid.multihash.bytes)))
      for (const [i, want] of wants.entries()) {
        // Cancelled or replaced in the meantime.
        if (this.#wants.get(want.key) !== want) continue
        const block = found[i]
        if (block !== undefined && bytes > 0 && bytes + block.length > 2 * messageTarget) this.#todo.add(want)
        else bytes += this.#add(message, want, block)
      }
    }
    return message
  }

  #next(): Want[] {
    const wants: Want[] = []
    for (const want of this.#todo) {
      this.#todo.delete(want)
      if (wants.push(want) === readAhead) break
    }
    return wants
  }

  /** Adds the answer and returns its size. */
  #add(message: Message, want: Want, block: Uint8Array | undefined): number {
    if (block === undefined) {
      // It stays wanted: when the block comes, it is sent.
      if (!want.sendDontHave) return 0
      message.presences.push({ cid: want.cid.bytes, have: false })
      return want.cid.byteLength
    }
    if (want.have && block.length > smallBlock) {
      message.presences.push({ cid: want.cid.bytes, have: true })
      return want.cid.byteLength
    }
    this.#forget(want.key)
    message.blocks.push({ prefix: prefixOf(want.cid), data: block })
    return block.length
  }
}

/** All of a CID but the digest. */
function prefixOf(cid: CID): Uint8Array {
  if (cid.version === 0) return Uint8Array.of(0, 0x70, 0x12, 32)
  return cid.bytes.subarray(0, cid.byteLength - cid.multihash.digest.length)
}
