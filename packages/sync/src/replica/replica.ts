import type { Entry, ViewEvent, ViewOptions } from '../api.ts'
import { Asking } from '../beacons/asking.ts'
import { Beacons } from '../beacons/beacons.ts'
import { BeaconHandler } from '../beacons/handler.ts'
import { Questions } from '../beacons/questions.ts'
import { Reports } from '../beacons/reports.ts'
import { Standings } from '../standings.ts'
import { equalBytes } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { cidOf } from '../cid.ts'
import { signingDomain } from '../entry/codec.ts'
import { publicEntry } from '../entry/public.ts'
import { Healer } from '../heal/healer.ts'
import type { DropReason } from '../intake/checks.ts'
import { Retrieval } from '../intake/retrieval.ts'
import { limits } from '../limits.ts'
import type { Settings } from '../options.ts'
import { ViewIndex } from '../serve/view-index.ts'
import type { Committed, Store } from '../store/store.ts'
import { Breather } from '@p2pl/core/backend'
import { Timers } from '../toolbox/timers.ts'
import type { Root } from '../tree/levels.ts'
import { Announcer } from './announcer.ts'
import { Appender } from './append.ts'
import { createBudgets } from './budgets.ts'
import { Committer } from './committer.ts'
import type { SyncNetwork } from './network.ts'
import { Receiver } from './receiver.ts'
import { ReplicaState } from './state.ts'
import type { Effect } from './state.ts'
import { validator } from './validator.ts'

/**
 * Work between two turns of the event loop, some 10 ms on a slow machine, and the cost of each message or entry in
 * addition to its bytes.
 */
const work = { bytesPerTurn: 768 * 1024, bytesPerPiece: 1024 }

/** Creates the entry lazily: it takes 3 µs and 1.7 kB of memory, and many listeners need only the event. */
function entryEvent({ entry: record, local }: Committed): ViewEvent {
  let entry: Entry | undefined
  return {
    type: 'entry',
    get entry() {
      return (entry ??= publicEntry(record))
    },
    local
  }
}

/** Connects the parts of a view. All wiring between the parts is in this class. */
export class Replica {
  readonly store: Store
  readonly index: ViewIndex
  readonly committer: Committer
  readonly appender: Appender
  readonly retrieval: Retrieval
  readonly reports: Reports
  readonly healer: Healer
  readonly timers: Timers
  readonly period: number
  readonly id: string
  readonly #network: SyncNetwork
  readonly #announcer: Announcer
  readonly #receiver: Receiver
  readonly #state: ReplicaState
  readonly #asking: Asking
  readonly #beacons: Beacons
  readonly #handler: BeaconHandler
  readonly #stopping: AbortController = new AbortController()
  readonly #onEvent: ViewOptions['onEvent']
  readonly #watchers: Set<() => void> = new Set()
  dropped = 0

  constructor(store: Store, network: SyncNetwork, options: ViewOptions, settings: Settings) {
    const { period, bounds, random } = settings
    const { signal } = this.#stopping
    const domain = signingDomain(options.topic)
    const timers = new Timers(settings.clock)
    const breather = new Breather({ ...work, clock: settings.clock })
    const validate = validator(options.validate)
    const standings = new Standings({
      now: () => timers.now(),
      halfLife: 32 * period,
      maxGiven: limits.maxGiven,
      remembered: limits.standings
    })
    const isKnown = (sender: string): boolean => sender === network.id || standings.isKnown(sender)
    const budgets = createBudgets(timers, period, isKnown)
    const peers = (): number => this.reports.size
    this.store = store
    this.timers = timers
    this.period = period
    this.id = network.id
    this.#network = network
    this.#onEvent = options.onEvent
    this.reports = new Reports(timers, period, standings)
    this.index = new ViewIndex({
      store,
      network,
      timers,
      period,
      onDamage: (key) => this.healer.report(key),
      onRoot: (root, changed) => {
        this.retrieval.walks.own(root)
        if (changed) this.#digestChanged(root)
      }
    })
    const { lock, served } = this.index
    this.healer = new Healer({
      store,
      network,
      timers,
      period,
      signal,
      lock,
      providers: () => this.reports.providers(4),
      ask: async (digest) => await this.retrieval.repair.ask(digest, network.id),
      onDamage: (digest) => this.emit({ type: 'damaged', cid: cidOf(digest) }),
      onMended: () => {
        this.index.mended()
        this.#beacons.changed(0.1)
      }
    })
    this.#announcer = new Announcer(network, served)
    this.committer = new Committer(store, lock, (batch) => this.#committed(batch))
    this.appender = new Appender(this.committer, settings.identity, domain, bounds, validate)
    this.retrieval = new Retrieval({
      network,
      index: this.index,
      committer: this.committer,
      timers,
      breather,
      period,
      signal,
      bounds,
      cryptography: settings.cryptography,
      domain,
      standings,
      budgets,
      isKnown,
      random,
      peers,
      validate,
      dropped: (reason, digest) => this.#drop(reason, digest),
      onDeep: () => this.#beacons.lost(),
      onMerged: (root) => void this.#merged(root),
      onWalked: () => this.#tell(this.#state.walked())
    })
    const { walks, intake, repair, answers } = this.retrieval
    this.#state = new ReplicaState(timers, period, () => walks.catchingUp)
    this.#asking = new Asking(random, peers)
    this.#beacons = new Beacons({
      timers,
      period,
      random,
      peers,
      questionPause: () => this.#asking.pause,
      send: async () => await this.#handler.send()
    })
    this.#handler = new BeaconHandler({
      network,
      timers,
      period,
      index: this.index,
      state: this.#state,
      reports: this.reports,
      beacons: this.#beacons,
      asking: this.#asking,
      questions: new Questions(network.id, budgets.replies, peers),
      walks,
      proofs: budgets.proofs,
      flushes: budgets.flushes,
      stopped: () => this.stopped,
      onNews: () => this.#digestChanged(this.index.lastRoot)
    })
    this.#receiver = new Receiver({
      breather,
      handling: budgets.handling,
      intake,
      repair,
      answers,
      wasted: (sender, bytes) => standings.wasted(sender, bytes),
      dropped: (reason) => this.#drop(reason),
      beacon: async (sender, beacon, bytes) => await this.#handler.heard(sender, beacon, bytes)
    })
  }

  async start(): Promise<void> {
    await this.index.start()
    const listener = {
      message: async (sender: string, payload: Uint8Array): Promise<void> => {
        if (this.stopped) return
        if (sender !== this.id) this.#state.heard()
        await this.#receiver.receive(sender, payload)
      },
      gap: (): void => this.#beacons.lost()
    }
    await this.#network.listen(listener, this.#stopping.signal)
    this.#beacons.start()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#beacons.stop()
    this.timers.stop()
    this.#changed()
    await this.committer.idle()
    await this.#announcer.stop()
    // A running flush still needs the store.
    await this.index.lock.run(async () => {})
  }

  get stopped(): boolean {
    return this.#stopping.signal.aborted
  }

  /** Beacons ask for equal peers until the returned function is called. */
  askAgreement(peers: number): () => void {
    const done = this.#asking.wait(peers)
    this.#beacons.soon(0.02, true)
    return done
  }

  /** Calls back each time the root, or what others report, may have changed. */
  watch(callback: () => void): () => void {
    this.#watchers.add(callback)
    return () => this.#watchers.delete(callback)
  }

  #changed(): void {
    for (const callback of this.#watchers) callback()
  }

  emit(event: ViewEvent): void {
    try {
      this.#onEvent?.(event)
    } catch {
      // An error in a listener must not stop the view.
    }
  }

  #drop(reason: DropReason, digest?: Bytes): void {
    this.dropped++
    if (this.#onEvent === undefined) return
    this.emit({ type: 'dropped', reason, cid: digest === undefined ? undefined : cidOf(digest) })
  }

  #digestChanged(root: Root): void {
    if (this.#onEvent !== undefined) {
      this.emit({ type: 'digest', digest: { root: cidOf(root.digest), count: root.count } })
    }
    this.#changed()
  }

  #committed(batch: readonly Committed[]): void {
    const own = batch.filter(({ local }) => local)
    const effects = this.#state.committed(own.length > 0)
    for (const one of batch) {
      if (one.local) this.retrieval.intake.arrived(one.entry.id)
      if (this.#onEvent !== undefined) this.emit(entryEvent(one))
    }
    if (own.length < batch.length) this.#handler.gained()
    if (effects.includes('announce')) this.#announcer.announce(own.map(({ entry }) => entry))
    this.#tell(effects)
    this.#changed()
  }

  #tell(effects: readonly Effect[]): void {
    if (effects.includes('soon')) this.#beacons.changed(0.1)
    else if (effects.includes('later')) this.#beacons.changed(0.6)
  }

  /** Another peer's whole view is here. If our view has more, that peer should learn of it. */
  async #merged(root: Bytes): Promise<void> {
    try {
      const own = await this.index.root()
      if (!equalBytes(own.digest, root)) this.#beacons.answer()
    } catch {
      // The store was closed meanwhile, or is damaged.
    }
  }
}
