import type { Cryptography } from '@p2pl/core'
import { type Breather, FairSlots } from '@p2pl/core/backend'
import type { Standings } from '../standings.ts'
import type { Bytes } from '../bytes.ts'
import type { EntryBounds, EntryRecord } from '../entry/codec.ts'
import { limits } from '../limits.ts'
import type { Budgets } from '../replica/budgets.ts'
import type { Committer } from '../replica/committer.ts'
import type { SyncNetwork } from '../replica/network.ts'
import { Answers } from '../repair/answers.ts'
import { Repair } from '../repair/repair.ts'
import type { ViewIndex } from '../serve/view-index.ts'
import type { Timers } from '../toolbox/timers.ts'
import { SolidLeaves } from '../walks/solid-leaves.ts'
import { Walks } from '../walks/walks.ts'
import { Chase } from './chase.ts'
import { Checks } from './checks.ts'
import type { DropReason } from './checks.ts'
import { Intake } from './intake.ts'

export interface RetrievalOptions {
  readonly network: SyncNetwork
  readonly index: ViewIndex
  readonly committer: Committer
  readonly timers: Timers
  readonly breather: Breather
  readonly period: number
  readonly signal: AbortSignal
  readonly bounds: EntryBounds
  readonly cryptography: Cryptography
  readonly domain: Bytes
  readonly standings: Standings
  readonly budgets: Budgets
  readonly isKnown: (sender: string) => boolean
  readonly random: () => number
  readonly peers: () => number
  readonly validate: ((entry: EntryRecord) => Promise<boolean>) | undefined
  readonly dropped: (reason: DropReason, digest?: Bytes) => void
  /** Called when something is missing that is found faster by comparing roots. */
  readonly onDeep: () => void
  readonly onMerged: (root: Bytes) => void
  readonly onWalked: () => void
}

/**
 * All ways in which entries come from others: announced, chased by CID, found by a walk from a root, or repaired by a
 * broadcast.
 */
export class Retrieval {
  readonly checks: Checks
  readonly intake: Intake
  readonly chase: Chase
  readonly repair: Repair
  readonly answers: Answers
  readonly walks: Walks

  constructor(options: RetrievalOptions) {
    const { network, index, committer, timers, period, signal, bounds, standings, budgets, isKnown, random } = options
    const { blocks } = index
    this.repair = new Repair({ network, timers, period, asking: budgets.asking, padding: budgets.padding, isKnown })
    this.answers = new Answers({
      network,
      timers,
      period,
      budget: budgets.answers,
      peers: () => options.peers(),
      find: async (digest) => (await index.entry(digest)) ?? (await network.local(digest))
    })
    const ask = async (digest: Bytes, sender: string): Promise<Bytes> => await this.repair.ask(digest, sender)
    this.chase = new Chase({
      blocks,
      timers,
      signal,
      period,
      random,
      isKnown,
      ask,
      budget: budgets.missing,
      offer: async (bytes, origin) => await this.intake.offer(bytes, origin),
      abandon: (id) => this.intake.abandon(id),
      onDeep: () => options.onDeep()
    })
    this.checks = new Checks({
      committer,
      bounds,
      cryptography: options.cryptography,
      domain: options.domain,
      slots: new FairSlots(limits.verifying, isKnown),
      validate: options.validate
    })
    this.intake = new Intake({
      committer,
      bounds,
      breather: options.breather,
      now: () => timers.now(),
      checks: this.checks,
      checking: budgets.checking,
      pending: budgets.pending,
      hooks: {
        dropped: (reason, digest) => options.dropped(reason, digest),
        gave: (sender, bytes) => standings.gave(sender, bytes),
        wasted: (sender, bytes) => standings.wasted(sender, bytes),
        missing: (digest, id, origin) => this.chase.add(digest, id, origin),
        arrived: (id) => this.chase.arrived(id),
        unwanted: (id) => this.chase.unwanted(id),
        givenUp: (id) => this.chase.isGivenUp(id)
      }
    })
    this.walks = new Walks({
      standings,
      signal,
      announcedAt: () => this.intake.announcedAt,
      count: () => index.count,
      parts: {
        blocks,
        timers,
        period,
        bounds,
        random,
        committer,
        ask,
        breather: options.breather,
        checks: this.checks,
        intake: this.intake,
        levels: index.tree.levels,
        solid: new SolidLeaves(committer)
      },
      onLie: () => options.dropped('garbage'),
      onMerged: (root) => options.onMerged(root),
      onEnd: () => options.onWalked()
    })
  }
}
