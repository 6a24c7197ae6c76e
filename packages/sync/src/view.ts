import { checkFlag, checkKeys, checkNumber, describe, throwIfAborted } from '@p2pl/core/backend'
import { CID } from 'multiformats/cid'
import type { AppendOptions, Digest, Entry, View, ViewOptions, ViewStatus, Written } from './api.ts'
import { compareBytes, equalBytes } from './bytes.ts'
import type { Bytes } from './bytes.ts'
import { cidOf, digestOf } from './cid.ts'
import { parseEntry, widestBounds } from './entry/codec.ts'
import { checkEntry, Damaged } from './entry/damage.ts'
import { digestOfKey, keyOf } from './entry/key.ts'
import type { Key } from './entry/key.ts'
import { publicEntry } from './entry/public.ts'
import { EntryRecord } from './entry/record.ts'
import { damaged, invalid, notRunning } from './errors.ts'
import { settingsOf } from './options.ts'
import { importBlocks } from './replica/import.ts'
import { peerNetwork } from './replica/network.ts'
import { Replica } from './replica/replica.ts'
import { openTables } from './store/database.ts'
import { Store } from './store/store.ts'
import type { Root } from './tree/levels.ts'

/** How many heads `status` names. */
const statusHeads = 64
const defaultHeads = 1024
/** How many entries `written` reads at a time. */
const readTogether = 256
/** How many periods a call waits for a damaged entry to be repaired. */
const mendingPeriods = 4

/** Opens (or resumes) a view and joins its topic. */
export async function openView(options: ViewOptions): Promise<View> {
  return (await openReplica(options)).view
}

/** Like {@link openView}, but also returns the replica below the view. */
export async function openReplica(options: ViewOptions): Promise<{ readonly view: View; readonly replica: Replica }> {
  const settings = settingsOf(options)
  const tables = await openTables(options.store)
  let replica: Replica | undefined
  try {
    const store = await Store.open(tables, options.topic)
    const network = peerNetwork(options.peer, options.topic)
    replica = new Replica(store, network, options, settings)
    await replica.start()
    return { view: new OpenedView(options.topic, replica), replica }
  } catch (error) {
    await replica?.stop()
    await tables.close()
    throw error
  }
}

class OpenedView implements View {
  readonly topic: string
  readonly #replica: Replica
  #stopping: Promise<void> | undefined

  constructor(topic: string, replica: Replica) {
    this.topic = topic
    this.#replica = replica
  }

  #check(call: string, signal?: AbortSignal): void {
    if (this.#replica.stopped) throw notRunning(call)
    throwIfAborted(`view.${call}`, signal)
  }

  async append(payload: Uint8Array, options: AppendOptions = {}): Promise<Entry> {
    const check = (): void => {
      this.#check('append', options.signal)
    }
    checkKeys('view.append', options, ['parents', 'identity', 'signal'])
    check()
    const { entry, synced } = await this.#replica.appender.append(payload, options, check)
    await synced
    return publicEntry(entry)
  }

  async get(cid: CID): Promise<Entry | undefined> {
    this.#check('get')
    const digest = digestOf(checked('get', cid))
    if (digest === undefined) return undefined
    const bytes = await this.#mended('get', async () => await this.#replica.index.entry(digest))
    return bytes === undefined ? undefined : stored(bytes, digest)
  }

  /** Runs a read, and runs it again if a damaged entry was repaired meanwhile. Otherwise the error names the entry. */
  async #mended<T>(call: string, read: () => Promise<T>): Promise<T> {
    const { healer, period } = this.#replica
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof Damaged)) throw error
      const mended = await healer.mended(error.key, mendingPeriods * period)
      this.#check(call)
      if (!mended) throw damaged(call, [digestOfKey(error.key)], error)
    }
    return await read()
  }

  async has(cid: CID): Promise<boolean> {
    this.#check('has')
    const digest = digestOf(checked('has', cid))
    return digest !== undefined && (await this.#replica.store.clockOf(digest)) !== undefined
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
    checkKeys('view.entries', options, ['after', 'reverse', 'limit', 'signal'])
    checkFlag('view.entries', 'reverse', reverse)
    checkNumber('view.entries', 'limit', limit, { min: 0 }, undefined)
    this.#check('entries', signal)
    const { store } = this.#replica
    const from = options.after === undefined ? undefined : await this.#keyOf(options.after)
    const range = reverse === true ? { before: from } : { after: from }
    for await (const rows of store.entries({ ...range, reverse, limit })) {
      for (const [key, bytes] of rows) {
        yield await this.#whole('entries', key, bytes)
        this.#check('entries', signal)
      }
    }
  }

  async *written(
    options: { after?: number | undefined; limit?: number | undefined; signal?: AbortSignal | undefined } = {}
  ): AsyncGenerator<Written, void, undefined> {
    checkKeys('view.written', options, ['after', 'limit', 'signal'])
    let place = checkNumber('view.written', 'after', options.after, { min: 0, integer: true }, 0)
    let left = checkNumber('view.written', 'limit', options.limit, { min: 0 }, Infinity)
    this.#check('written', options.signal)
    const { store } = this.#replica
    while (left > 0 && place < store.arrived) {
      const recent = store.recent.after(place, Math.min(Math.ceil(left), readTogether))
      if (recent !== undefined) {
        for (const { position, entry } of recent) {
          yield { place: position, entry: publicEntry(entry) }
          this.#check('written', options.signal)
          place = position
        }
        left -= recent.length
        continue
      }
      const arrivals = await store.arrivals(place, Math.min(left, readTogether))
      if (arrivals.length === 0) return
      const bytes = await store.entriesAt(arrivals.map(({ key }) => key))
      for (const [i, { position, key }] of arrivals.entries()) {
        yield { place: position, entry: await this.#whole('written', key, bytes[i]) }
        this.#check('written', options.signal)
        place = position
      }
      left -= arrivals.length
    }
  }

  /** The entry from its bytes, or from other peers if the bytes on disk are damaged. */
  async #whole(call: string, key: Key, bytes: Bytes | undefined): Promise<Entry> {
    const digest = digestOfKey(key)
    if (bytes !== undefined && (await isWhole(key, bytes))) return stored(bytes, digest)
    const mended = await this.#mended(call, async () => await this.#replica.index.entry(digest))
    if (mended === undefined) throw damaged(call, [digest])
    return stored(mended, digest)
  }

  async #keyOf(cid: CID): Promise<Key> {
    const digest = digestOf(cid)
    const clock = digest === undefined ? undefined : await this.#replica.store.clockOf(digest)
    if (digest === undefined || clock === undefined) {
      throw invalid(
        'entries',
        `after: ${digest === undefined ? describe(cid) : String(cid)} is not the CID of an entry of this view`
      )
    }
    return keyOf(clock, digest)
  }

  heads(options: { limit?: number | undefined } = {}): readonly CID[] {
    checkKeys('view.heads', options, ['limit'])
    const limit = checkNumber('view.heads', 'limit', options.limit, { min: 0 }, defaultHeads)
    return this.#replica.committer.heads
      .newest(limit)
      .map(({ clock, digest }) => keyOf(clock, digest))
      .sort(compareBytes)
      .map((key) => cidOf(digestOfKey(key)))
  }

  get count(): number {
    return this.#replica.store.count
  }

  get store(): string {
    return this.#replica.store.id
  }

  async digest(): Promise<Digest> {
    this.#check('digest')
    return publicDigest(await this.#mended('digest', async () => await this.#replica.index.root()))
  }

  async publishDigest(options: { signal?: AbortSignal | undefined } = {}): Promise<Digest> {
    checkKeys('view.publishDigest', options, ['signal'])
    this.#check('publishDigest', options.signal)
    const { index, healer } = this.#replica
    const root = await this.#mended('publishDigest', async () => {
      const published = await index.publish()
      if (published.whole) return published.root
      const [key] = healer.keys
      throw key === undefined ? damaged('publishDigest', []) : new Damaged(key)
    })
    return publicDigest(root)
  }

  status(): ViewStatus {
    const { index, reports, retrieval, healer, dropped } = this.#replica
    const { lastRoot: root } = index
    const agreeing: string[] = []
    const proven: string[] = []
    const diverging: string[] = []
    for (const [sender, report] of reports.recent()) {
      if (equalBytes(report.root, root.digest)) agreeing.push(sender)
      else diverging.push(sender)
      if (reports.proves(sender, report, root.digest)) proven.push(sender)
    }
    return {
      digest: publicDigest(root),
      heads: this.heads({ limit: statusHeads }),
      agreeing,
      proven,
      diverging,
      missing: retrieval.chase.missing,
      oldestMissing: retrieval.chase.oldest(),
      pending: retrieval.intake.pending,
      quarantined: retrieval.chase.quarantined,
      damaged: healer.keys.map((key) => cidOf(digestOfKey(key))),
      dropped
    }
  }

  async agreed(options: { peers?: number | undefined; signal?: AbortSignal | undefined } = {}): Promise<Digest> {
    const { peers = 1, signal } = options
    checkKeys('view.agreed', options, ['peers', 'signal'])
    checkNumber('view.agreed', 'peers', peers, { min: 1, integer: true }, 1)
    this.#check('agreed', signal)
    const leave = this.#replica.askAgreement(peers)
    try {
      for (;;) {
        const changed = this.#change(signal)
        const { index, reports } = this.#replica
        const root = await this.#mended('agreed', async () => await index.root())
        let proven = 0
        for (const [sender, report] of reports.recent()) if (reports.proves(sender, report, root.digest)) proven++
        if (proven >= peers) return publicDigest(root)
        await changed
        this.#check('agreed', signal)
      }
    } finally {
      leave()
    }
  }

  /** Resolves when the root or what others report changes, at a stop and at an abort. */
  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        unwatch()
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const unwatch = this.#replica.watch(done)
      signal?.addEventListener('abort', done)
    })
  }

  async import(
    blocks: AsyncIterable<{ cid: CID; bytes: Uint8Array }>,
    options: { signal?: AbortSignal | undefined } = {}
  ): Promise<{ added: number; known: number; refused: number }> {
    checkKeys('view.import', options, ['signal'])
    this.#check('import', options.signal)
    if (typeof blocks?.[Symbol.asyncIterator] !== 'function' && !isIterable(blocks)) {
      throw invalid('import', `give an (async) iterable of { cid, bytes }, not ${describe(blocks)}`)
    }
    return await importBlocks(this.#replica, blocks, () => {
      this.#check('import', options.signal)
    })
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#replica.stop().then(async () => {
      await this.#replica.store.tables.close()
    })
    await this.#stopping
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/** Throws `INVALID_ARGUMENT` if the value is not a CID. The CID of other content is not in any view. */
function checked(call: string, cid: unknown): unknown {
  if (CID.asCID(cid) !== null) return cid
  throw invalid(call, `give a CID, such as the cid of an entry, not ${describe(cid)}: CID.parse(text) reads one`)
}

function isIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Symbol.iterator in value
}

async function isWhole(key: Key, bytes: Bytes): Promise<boolean> {
  try {
    await checkEntry(key, bytes)
    return true
  } catch (error) {
    if (error instanceof Damaged) return false
    throw error
  }
}

/** An entry from its bytes and their known hash. */
export function stored(bytes: Bytes, digest: Bytes): Entry {
  return publicEntry(new EntryRecord(bytes, parseEntry(bytes, widestBounds), digest))
}

function publicDigest(root: Root): Digest {
  return { root: cidOf(root.digest), count: root.count }
}
