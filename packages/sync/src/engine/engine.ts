import type { ViewEvent, ViewOptions } from '../api.ts'
import { equalBytes } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { cidOf } from '../cid.ts'
import { signingDomain } from '../entry/codec.ts'
import type { EntryRecord } from '../entry/codec.ts'
import { publicEntry } from '../entry/public.ts'
import { IndexTree } from '../index/tree.ts'
import type { Root } from '../index/tree.ts'
import { limits } from '../limits.ts'
import type { Settings } from '../options.ts'
import type { Store } from '../store/store.ts'
import { decodeMessage, maxBeaconHeads, maxWanted } from '../wire/messages.ts'
import type { Announcement, Beacon, WireMessage } from '../wire/messages.ts'
import { Appender } from './append.ts'
import { Beacons } from './beacons.ts'
import { Chase } from './chase.ts'
import { Committer } from './committer.ts'
import type { Committed } from './committer.ts'
import { Exchange } from './exchange.ts'
import { Intake } from './intake.ts'
import type { DropReason } from './intake.ts'
import { Mutex } from './mutex.ts'
import type { SyncNetwork } from './network.ts'
import { Repair } from './repair.ts'
import { Server } from './server.ts'
import { Timers } from './timers.ts'

/**
 * After so many beacon periods without a message nobody seems to be there, and own entries are not announced one by one: whoever
 * comes, or comes back, compares roots first.
 */
const companyPeriods = 6

/** Puts the parts together: what each of them tells the others is here and nowhere else. */
export class Engine {
  readonly store: Store
  readonly committer: Committer
  readonly appender: Appender
  readonly intake: Intake
  readonly chase: Chase
  readonly beacons: Beacons
  readonly timers: Timers
  readonly #network: SyncNetwork
  readonly #period: number
  readonly #tree: IndexTree
  readonly #server: Server
  readonly #exchange: Exchange
  readonly #repair: Repair
  readonly #lock: Mutex = new Mutex()
  readonly #stopping: AbortController = new AbortController()
  readonly #onEvent: ViewOptions['onEvent']
  readonly #questions: Set<{ readonly peers: number }> = new Set()
  readonly #watchers: Set<() => void> = new Set()
  #announcing: EntryRecord[] = []
  #announcement: Promise<void> | undefined
  /** Entries of others came while catching up, and nobody was told yet. */
  #untold = false
  /** Own entries are in no beacon yet. */
  #ownUntold = false
  #handling = 0
  #heardAt = -Infinity
  dropped = 0

  constructor(store: Store, network: SyncNetwork, options: ViewOptions, settings: Settings) {
    const { period, bounds, random } = settings
    const { signal } = this.#stopping
    const domain = signingDomain(options.topic)
    this.store = store
    this.#network = network
    this.#onEvent = options.onEvent
    const timers = new Timers(settings.clock)
    this.timers = timers
    this.#period = period
    this.#server = new Server(network, store, this.#lock, () => timers.now(), period)
    this.#tree = new IndexTree(store, this.#server)
    this.#server.attach(this.#tree)
    this.committer = new Committer(store, this.#lock, (batch) => {
      this.#committed(batch)
    })
    const validate = async (entry: EntryRecord): Promise<boolean> => {
      if (options.validate === undefined) return true
      try {
        return (await options.validate(publicEntry(entry))) === 'valid'
      } catch {
        // A rule that throws for an entry does not let it in.
        return false
      }
    }
    this.appender = new Appender(this.committer, settings.identity, domain, bounds, validate)
    this.#repair = new Repair(network, timers, period, async (digest) => {
      return (await store.entry(digest)) ?? (await network.local(digest))
    })
    this.chase = new Chase({
      network,
      repair: this.#repair,
      timers,
      signal,
      random,
      period,
      intake: () => this.intake,
      onDeep: () => {
        this.beacons.lost()
      }
    })
    this.intake = new Intake(this.committer, options.peer.cryptography, domain, bounds, {
      validate,
      dropped: (reason, digest) => {
        this.drop(reason, digest)
      },
      missing: (digest, id, origin) => {
        this.chase.add(digest, id, origin)
      },
      arrived: (id) => {
        this.chase.arrived(id)
      },
      unwanted: (id) => {
        this.chase.unwanted(id)
      },
      givenUp: (id) => this.chase.isGivenUp(id)
    })
    this.#exchange = new Exchange({
      network,
      timers,
      signal,
      period,
      bounds,
      intake: this.intake,
      tree: this.#tree,
      repair: this.#repair,
      onLie: () => {
        this.drop('garbage')
      },
      onMerged: (root) => {
        void this.#merged(root)
      },
      onEnd: () => {
        if (this.#untold) this.beacons.changed(false)
        this.#untold = false
      }
    })
    this.beacons = new Beacons(timers, period, random, async (wanted) => {
      await this.#sendBeacon(wanted)
    })
  }

  async start(): Promise<void> {
    const listener = {
      message: (sender: string, payload: Uint8Array): void => {
        this.#receive(sender, payload)
      },
      gap: (): void => {
        this.beacons.lost()
      }
    }
    await this.#network.listen(listener, this.#stopping.signal)
    this.beacons.start()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.beacons.stop()
    this.timers.stop()
    this.#watch()
    await this.committer.idle()
    await this.#announcement
    // A flush that is under way still needs the store.
    await this.#lock.run(async () => {})
  }

  get stopped(): boolean {
    return this.#stopping.signal.aborted
  }

  async root(): Promise<Root> {
    if (this.#tree.clean) return this.#tree.known as Root
    const before = this.#tree.known
    const root = await this.#lock.run(async () => await this.#tree.flush())
    this.#exchange.own(root)
    if (before !== undefined && !equalBytes(before.digest, root.digest)) this.#digestChanged(root)
    return root
  }

  /** The root as it was last computed. */
  get lastRoot(): Root | undefined {
    return this.#tree.known
  }

  async publishRoot(): Promise<Root> {
    const root = await this.#server.publish()
    this.#exchange.own(root)
    return root
  }

  /** Beacons ask for equal peers until the result is called. */
  askAgreement(peers: number): () => void {
    const question = { peers }
    this.#questions.add(question)
    this.#ask()
    this.beacons.soon(0.02, true)
    return () => {
      this.#questions.delete(question)
      this.#ask()
    }
  }

  #ask(): void {
    let most = 0
    for (const { peers } of this.#questions) most = Math.max(most, peers)
    this.beacons.want(Math.min(most, maxWanted))
  }

  /** Calls back whenever the root, or what others report, may have changed. */
  watch(callback: () => void): () => void {
    this.#watchers.add(callback)
    return () => this.#watchers.delete(callback)
  }

  #watch(): void {
    for (const callback of this.#watchers) callback()
  }

  emit(event: ViewEvent): void {
    try {
      this.#onEvent?.(event)
    } catch {
      // A listener's mistake is not ours, and must not stop the view.
    }
  }

  drop(reason: DropReason, digest?: Bytes): void {
    this.dropped++
    if (this.#onEvent === undefined) return
    this.emit({ type: 'dropped', reason, cid: digest === undefined ? undefined : cidOf(digest) })
  }

  #digestChanged(root: Root): void {
    if (this.#onEvent !== undefined) {
      this.emit({ type: 'digest', digest: { root: cidOf(root.digest), count: root.count } })
    }
    this.#watch()
  }

  #committed(batch: readonly Committed[]): void {
    const company = this.timers.now() - this.#heardAt <= companyPeriods * this.#period
    for (const one of batch) {
      if (one.local) {
        if (company) this.#announcing.push(one.entry)
        this.intake.arrived(one.entry.id)
      }
      if (this.#onEvent !== undefined) this.emit({ type: 'entry', entry: publicEntry(one.entry), local: one.local })
    }
    const announcing = this.#announcing.length > 0
    if (batch.some(({ local }) => local)) this.#ownUntold = true
    if (!announcing && this.#exchange.catchingUp) this.#untold = true
    else this.beacons.changed(announcing)
    if (announcing) this.#announcement ??= this.#announce()
    this.#watch()
  }

  /** Own entries, as many to a message as have come together while the last ones were handed over. */
  async #announce(): Promise<void> {
    while (this.#announcing.length > 0 && !this.stopped) {
      const entries = this.#announcing
      this.#announcing = []
      try {
        await this.#server.serveEntries(entries)
      } catch {
        // They still travel inside the message, and inside the index.
      }
      for (const batch of batches(entries)) {
        this.#network.send((provider) => ({ kind: 'announcement', provider, entries: batch }))
      }
    }
    this.#announcement = undefined
  }

  #receive(sender: string, payload: Uint8Array): void {
    if (this.stopped) return
    if (sender !== this.#network.id) this.#heardAt = this.timers.now()
    if (payload.length > limits.maxMessageBytes) {
      this.drop('oversized')
      return
    }
    let message: WireMessage
    try {
      message = decodeMessage(payload)
    } catch {
      this.drop('garbage')
      return
    }
    // Announcements bring their own bounds; the rest is small, and too much of it is somebody's attack.
    if (message.kind !== 'announcement' && this.#handling > limits.checking) {
      this.drop('overloaded')
      return
    }
    this.#handling++
    void this.#handle(sender, message)
      .catch(() => undefined)
      .finally(() => this.#handling--)
  }

  async #handle(sender: string, message: WireMessage): Promise<void> {
    switch (message.kind) {
      case 'announcement':
        await this.#announced(message)
        break
      case 'beacon':
        await this.#beacon(sender, message)
        break
      case 'request':
        this.#repair.request(sender, message)
        break
      case 'answer':
        await this.#repair.answer(message)
    }
  }

  async #announced({ provider, entries }: Announcement): Promise<void> {
    const origin = { providers: [provider], depth: 0 }
    // All at once: signatures are checked side by side, and a child does not ask for a parent in the same message.
    await Promise.all(entries.map(async (bytes) => await this.intake.offer(bytes.slice(), origin)))
  }

  async #beacon(sender: string, beacon: Beacon): Promise<void> {
    if (sender === this.#network.id) return
    const own = (this.#exchange.catchingUp ? this.lastRoot : undefined) ?? (await this.root())
    if (this.stopped) return
    const news = this.beacons.heard(sender, beacon, own)
    if (!equalBytes(beacon.root, own.digest)) {
      // An empty view has nothing to fetch, not even its root.
      if (beacon.count === 0 || this.#exchange.isMerged(beacon.root)) this.beacons.answer()
      else this.#exchange.offer(sender, { ...beacon, root: beacon.root.slice() })
    }
    if (news) this.#digestChanged(own)
  }

  /** All of somebody's view is here: if ours is more than theirs, they want to know. */
  async #merged(root: Bytes): Promise<void> {
    try {
      const own = await this.root()
      if (!equalBytes(own.digest, root)) this.beacons.answer()
    } catch {
      // The store was closed meanwhile.
    }
  }

  async #sendBeacon(wanted: number): Promise<void> {
    // Half a view is news to nobody, and making its index holds up the other half.
    if (this.#exchange.catchingUp && wanted === 0 && !this.#ownUntold) return
    this.#ownUntold = false
    try {
      const root = await this.publishRoot()
      if (this.stopped) return
      const heads = this.store
        .headList()
        .sort((a, b) => b.clock - a.clock)
        .slice(0, maxBeaconHeads)
        .map(({ digest }) => digest)
      const { digest, count } = root
      this.#network.send((provider) => ({ kind: 'beacon', provider, root: digest, count, heads, wanted }))
    } catch {
      // Without a store or backend there is nothing to tell; the next period tries again.
      this.#ownUntold = true
    }
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
