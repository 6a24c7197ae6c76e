import type { Bytes } from '../bytes.ts'
import type { EntryRecord } from '../entry/codec.ts'
import { limits } from '../limits.ts'
import type { Served } from '../serve/served.ts'
import type { SyncNetwork } from './network.ts'

/** Sends own entries to the topic. Entries that gather while the previous message is handed over share the next one. */
export class Announcer {
  readonly #network: SyncNetwork
  readonly #served: Served
  #waiting: EntryRecord[] = []
  #running: Promise<void> | undefined
  #stopped = false

  constructor(network: SyncNetwork, served: Served) {
    this.#network = network
    this.#served = served
  }

  announce(entries: readonly EntryRecord[]): void {
    for (const entry of entries) this.#waiting.push(entry)
    this.#running ??= this.#run()
  }

  /** Resolves when no message is being handed over. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#stopped) {
      const entries = this.#waiting
      this.#waiting = []
      try {
        await this.#served.serveEntries(entries)
      } catch {
        // The entries still travel inside the message and inside the index.
      }
      for (const batch of batches(entries)) {
        this.#network.send((providers) => ({ kind: 'announcement', providers, entries: batch }))
      }
    }
    this.#running = undefined
  }
}

function* batches(entries: readonly EntryRecord[]): Generator<Bytes[], void, undefined> {
  let batch: Bytes[] = []
  let bytes = 0
  for (const entry of entries) {
    const full = bytes + entry.bytes.length > limits.messageBytes || batch.length >= limits.messageEntries
    if (full && batch.length > 0) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(entry.bytes)
    bytes += entry.bytes.length
  }
  if (batch.length > 0) yield batch
}
