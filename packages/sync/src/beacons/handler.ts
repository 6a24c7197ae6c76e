import type { Budget } from '@p2pl/core/backend'
import { equalBytes } from '../bytes.ts'
import type { Bytes } from '../bytes.ts'
import { Damaged } from '../entry/damage.ts'
import type { SyncNetwork } from '../replica/network.ts'
import type { ReplicaState } from '../replica/state.ts'
import type { Timers } from '../toolbox/timers.ts'
import { limits } from '../limits.ts'
import type { ViewIndex } from '../serve/view-index.ts'
import type { Root } from '../tree/levels.ts'
import type { Walks } from '../walks/walks.ts'
import { encodeMessage } from '../wire/messages.ts'
import type { Beacon, Proof } from '../wire/messages.ts'
import type { Asking } from './asking.ts'
import type { Beacons } from './beacons.ts'
import { isProof, provePossession } from './proof.ts'
import type { Questions } from './questions.ts'
import type { Reports } from './reports.ts'

export interface BeaconHandlerOptions {
  readonly network: SyncNetwork
  readonly timers: Timers
  readonly period: number
  readonly index: ViewIndex
  readonly state: ReplicaState
  readonly reports: Reports
  readonly beacons: Beacons
  readonly asking: Asking
  readonly questions: Questions
  readonly walks: Walks
  readonly proofs: Budget
  readonly flushes: Budget
  readonly stopped: () => boolean
  /** Called when the reports of others have changed. */
  readonly onNews: () => void
}

/** A view that lacks entries and has received none for this many periods asks others. */
const idlePeriods = 0.2
/** While entries stream in, a beacon of another peer causes a computation of the root at most once in this many periods. */
const rootPeriods = 0.25
/** The assumed size of a beacon in bytes before the first one is sent. */
const usualBytes = 256

/** Receives the beacons of others, compares them with this view, and sends its own. */
export class BeaconHandler {
  readonly #options: BeaconHandlerOptions
  #sentBytes = usualBytes
  #gainedAt = -Infinity
  #rootAt = -Infinity

  constructor(options: BeaconHandlerOptions) {
    this.#options = options
  }

  /** Entries of others arrived. */
  gained(): void {
    this.#gainedAt = this.#options.timers.now()
    this.#options.asking.gained()
  }

  async heard(sender: string, beacon: Beacon, bytes: number): Promise<void> {
    const { network, reports, beacons, questions, walks, stopped, onNews } = this.#options
    if (sender === network.id) return
    const own = await this.#comparable(sender)
    if (stopped()) return
    const news = reports.heard(sender, beacon)
    // An echo of an earlier root says nothing about later entries.
    if (this.#options.index.tree.clean) beacons.heard(beacon, own)
    if (equalBytes(beacon.root, own.digest)) {
      walks.agrees(sender)
      if (await this.#checkProofs(sender, beacon)) onNews()
    } else if (beacon.count === 0 || walks.isMerged(beacon.root)) {
      // The sender lacks something that is here. An empty view has nothing to fetch, not even its root.
      walks.agrees(sender)
      if (questions.mayAnswer(sender, bytes, this.#sentBytes)) beacons.answer()
    } else walks.offer(sender, beacon)
    if (beacon.ask !== undefined && questions.asked(sender, beacon.ask, bytes, this.#sentBytes)) beacons.answer(true)
    if (news) onNews()
  }

  /**
   * The current root. It is the last computed root while this view catches up, while so many entries arrive that no two
   * roots are equal, or when the sender has used up its budget for computing roots.
   */
  async #comparable(sender: string): Promise<Root> {
    const { state, index, flushes, walks, timers, period } = this.#options
    if (state.current === 'catching up') return index.lastRoot
    const isRecent = timers.now() - this.#rootAt < rootPeriods * period
    if (walks.streaming && (isRecent || index.unindexed > limits.streamed)) return index.lastRoot
    if (index.tree.clean) return index.lastRoot
    if (flushes.take(sender, 1) === undefined) return index.lastRoot
    try {
      const root = await index.root()
      this.#rootAt = timers.now()
      return root
    } catch (error) {
      if (error instanceof Damaged) return index.lastRoot
      throw error
    }
  }

  async #checkProofs(sender: string, { root, proofs }: Beacon): Promise<boolean> {
    const { asking, reports } = this.#options
    const { tree, lock } = this.#options.index
    const own = proofs.find(({ nonce }) => asking.isOwn(nonce))
    if (own === undefined || this.#options.proofs.take(sender, 1) === undefined) return false
    return await lock.run(async () => {
      const { known } = tree
      if (known === undefined || !equalBytes(known.digest, root)) return false
      if (!(await isProof(tree.levels, known, own.nonce, sender, own.proof))) return false
      reports.prove(sender, root)
      return true
    })
  }

  /**
   * Never rejects: when the store or the backend is unavailable there is nothing to send, and the next period tries
   * again.
   */
  async send(): Promise<void> {
    const { state, asking } = this.#options
    if (!state.due(asking.isAwaited)) return
    try {
      await this.#send()
      state.told(true)
    } catch {
      state.told(false)
    }
  }

  async #send(): Promise<void> {
    const { asking, reports, network, questions, walks, timers, period, stopped } = this.#options
    const root = await this.#publish()
    this.#rootAt = timers.now()
    if (stopped()) return
    const idle = timers.now() - this.#gainedAt > idlePeriods * period
    asking.behind = idle && walks.hasTickets && !reports.hasCompany(root.digest)
    const proofs = await this.#prove(root, questions.take())
    const { ask, padding } = asking.next()
    const { digest, count } = root
    network.send((providers) => {
      const beacon: Beacon = { kind: 'beacon', providers, root: digest, count, ask, proofs, padding }
      this.#sentBytes = encodeMessage({ ...beacon, padding: 0 }).length
      return beacon
    })
  }

  async #publish(): Promise<Root> {
    const { index } = this.#options
    try {
      return (await index.publish()).root
    } catch (error) {
      if (error instanceof Damaged) return index.lastRoot
      throw error
    }
  }

  async #prove(root: Root, nonces: readonly Bytes[]): Promise<Proof[]> {
    const { network, index } = this.#options
    const { tree, lock } = index
    if (nonces.length === 0) return []
    return await lock.run(async () => {
      const { known } = tree
      if (known === undefined || !equalBytes(known.digest, root.digest)) return []
      const proofs: Proof[] = []
      for (const nonce of nonces) {
        proofs.push({ nonce, proof: await provePossession(tree.levels, known, nonce, network.id) })
      }
      return proofs
    })
  }
}
