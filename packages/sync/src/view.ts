import type { CID } from 'multiformats/cid'
import type { AppendOptions, Digest, Entry, View, ViewOptions, ViewStatus } from './api.ts'
import { compareBytes, equalBytes } from './bytes.ts'
import type { Bytes } from './bytes.ts'
import { cidOf, digestOf } from './cid.ts'
import { Engine } from './engine/engine.ts'
import { importBlocks } from './engine/import.ts'
import { peerNetwork } from './engine/network.ts'
import { parseEntry, recordOf, widestBounds } from './entry/codec.ts'
import { publicEntry } from './entry/public.ts'
import { digestOfKey, keyOf } from './entry/key.ts'
import type { Key } from './entry/key.ts'
import { aborted, invalid, notRunning } from './errors.ts'
import type { Root } from './index/tree.ts'
import { settingsOf } from './options.ts'
import { openTables } from './store/database.ts'
import { Store } from './store/store.ts'

/** Opens (or resumes) a view and joins its topic. */
export async function openView(options: ViewOptions): Promise<View> {
  const settings = settingsOf(options)
  const tables = await openTables(options.store)
  let engine: Engine | undefined
  try {
    const store = await Store.open(tables, options.topic)
    const network = peerNetwork(options.peer, options.topic)
    engine = new Engine(store, network, options, settings)
    // An index that lags behind the store after a crash is brought up here; otherwise this reads a few keys.
    await engine.root()
    await engine.start()
    return new OpenedView(options.topic, engine)
  } catch (error) {
    await engine?.stop()
    await tables.close()
    throw error
  }
}

class OpenedView implements View {
  readonly topic: string
  readonly #engine: Engine
  #stopping: Promise<void> | undefined

  constructor(topic: string, engine: Engine) {
    this.topic = topic
    this.#engine = engine
  }

  #check(call: string, signal?: AbortSignal): void {
    if (this.#engine.stopped) throw notRunning(call)
    if (signal?.aborted === true) throw aborted(call, signal)
  }

  async append(payload: Uint8Array, options: AppendOptions = {}): Promise<Entry> {
    const check = (): void => {
      this.#check('append', options.signal)
    }
    check()
    const { entry, synced } = await this.#engine.appender.append(payload, options, check)
    await synced
    return publicEntry(entry)
  }

  async get(cid: CID): Promise<Entry | undefined> {
    this.#check('get')
    const digest = digestOf(cid)
    if (digest === undefined) return undefined
    const bytes = await this.#engine.store.entry(digest)
    return bytes === undefined ? undefined : stored(bytes, digest)
  }

  async has(cid: CID): Promise<boolean> {
    this.#check('has')
    const digest = digestOf(cid)
    return digest !== undefined && (await this.#engine.store.clockOf(digest)) !== undefined
  }

  async *entries(
    options: {
      after?: CID | undefined
      reverse?: boolean | undefined
      limit?: number | undefined
      signal?: AbortSignal | undefined
    } = {}
  ): AsyncGenerator<Entry, void, undefined> {
    const { signal, limit, reverse } = options
    this.#check('entries', signal)
    const from = options.after === undefined ? undefined : await this.#keyOf(options.after)
    const range = reverse === true ? { before: from } : { after: from }
    for await (const rows of this.#engine.store.entries({ ...range, reverse, limit })) {
      for (const [key, bytes] of rows) {
        yield stored(bytes, digestOfKey(key))
        this.#check('entries', signal)
      }
    }
  }

  async #keyOf(cid: CID): Promise<Key> {
    const digest = digestOf(cid)
    const clock = digest === undefined ? undefined : await this.#engine.store.clockOf(digest)
    if (digest === undefined || clock === undefined) {
      throw invalid('entries', `after: ${String(cid)} is not in this view`)
    }
    return keyOf(clock, digest)
  }

  heads(): readonly CID[] {
    return this.#engine.store
      .headList()
      .map(({ clock, digest }) => keyOf(clock, digest))
      .sort(compareBytes)
      .map((key) => cidOf(digestOfKey(key)))
  }

  get count(): number {
    return this.#engine.store.count
  }

  async digest(): Promise<Digest> {
    this.#check('digest')
    return publicDigest(await this.#engine.root())
  }

  async publishDigest(options: { signal?: AbortSignal | undefined } = {}): Promise<Digest> {
    this.#check('publishDigest', options.signal)
    return publicDigest(await this.#engine.publishRoot())
  }

  status(): ViewStatus {
    const { lastRoot, beacons, chase, intake, dropped } = this.#engine
    const root = lastRoot as Root
    const agreeing: string[] = []
    const diverging: string[] = []
    for (const [sender, report] of beacons.recent()) {
      if (equalBytes(report.root, root.digest)) agreeing.push(sender)
      else diverging.push(sender)
    }
    return {
      digest: publicDigest(root),
      heads: this.heads(),
      agreeing,
      diverging,
      missing: chase.missing,
      oldestMissing: chase.oldest(),
      pending: intake.pending,
      quarantined: chase.quarantined,
      dropped
    }
  }

  async agreed(options: { peers?: number | undefined; signal?: AbortSignal | undefined } = {}): Promise<Digest> {
    const { peers = 1, signal } = options
    if (!Number.isInteger(peers) || peers < 1) throw invalid('agreed', `peers is ${peers}, allowed are 1 and more`)
    this.#check('agreed', signal)
    const leave = this.#engine.askAgreement(peers)
    try {
      for (;;) {
        const changed = this.#change(signal)
        const root = await this.#engine.root()
        let equal = 0
        for (const [, report] of this.#engine.beacons.recent()) if (equalBytes(report.root, root.digest)) equal++
        if (equal >= peers) return publicDigest(root)
        await changed
        this.#check('agreed', signal)
      }
    } finally {
      leave()
    }
  }

  /** Resolves at the next change of the root or of what others report, at a stop and at an abort. */
  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        unwatch()
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const unwatch = this.#engine.watch(done)
      signal?.addEventListener('abort', done)
    })
  }

  async import(
    blocks: AsyncIterable<{ cid: CID; bytes: Uint8Array }>,
    options: { signal?: AbortSignal | undefined } = {}
  ): Promise<{ added: number; known: number; refused: number }> {
    this.#check('import', options.signal)
    return await importBlocks(this.#engine, blocks, () => {
      this.#check('import', options.signal)
    })
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#engine.stop().then(async () => {
      await this.#engine.store.tables.close()
    })
    await this.#stopping
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

function stored(bytes: Bytes, digest: Bytes): Entry {
  return publicEntry(recordOf(parseEntry(bytes, widestBounds), bytes, digest))
}

function publicDigest(root: Root): Digest {
  return { root: cidOf(root.digest), count: root.count }
}
