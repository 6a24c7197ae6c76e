import type { CID } from 'multiformats/cid'
import type { CidInput } from '../api/common.ts'
import type { Acknowledgement, GoalOptions, ReachOptions, Receipt, WillingPeer } from '../api/receipts.ts'
import { identityBytes } from '../content/hash.ts'
import { invalidArgument, isP2plError, P2plError, unsupported, withFields } from '../errors.ts'
import { peerIds } from '../receipts/settings.ts'
import type { Countdown } from '../toolbox/countdown.ts'
import { checkFlag, checkNumber } from '../toolbox/options.ts'
import type { Calls } from './calls.ts'
import { toCid } from './cid-input.ts'

/** What is asked of other peers. */
export interface Wanted {
  readonly operation: string
  readonly replicas: number
  readonly challenge: number
  readonly peers: ReadonlySet<string> | undefined
  readonly fetch: boolean
  /** Large content gets extra time, because the app has given no timeout. */
  readonly patient: boolean
}

/** The outcome so far. */
export interface Attempt {
  readonly acknowledgements: Acknowledgement[]
  /** How many answers have come. */
  heard: number
}

export interface Question {
  readonly cid: CID | undefined
  readonly bytes: number
  readonly within: number
}

/** What the data half of a peer needs from receipts. */
export interface Reacher {
  reach(cid: CID, wanted: Wanted, countdown: Countdown, attempt: Attempt): Promise<void>
  willing(question: Question, signal: AbortSignal): Promise<WillingPeer[]>
  release(cid: CID, peers: readonly string[], signal: AbortSignal): Promise<void>
  /** The app has pinned it. */
  pinned(cid: CID): void
  /** The app has ended the pin. */
  unpinned(cid: CID): void
  /** A `gc` has run to its end. */
  collected(): void
}

export const goalKeys = ['replicas', 'challenge', 'peers'] as const

export async function reach(calls: Calls, input: CidInput, options: ReachOptions | undefined): Promise<Receipt> {
  const operation = 'data.reach'
  const cid = toCid(input, operation)
  const wanted = wantedOf(operation, options)
  checkFlag(operation, 'fetch', options?.fetch)
  if (identityBytes(cid, operation) !== undefined) {
    throw invalidArgument(operation, 'an identity CID carries its content: every peer that knows it has it')
  }
  const reacher = reacherOf(calls, operation)
  const { clock, timeouts } = calls.context
  const began = clock.now()
  const attempt: Attempt = { acknowledgements: [], heard: 0 }
  const receipt = (): Receipt => receiptOf(cid, 'local', attempt, clock.now() - began)
  try {
    await calls.run(options, timeouts.put, operation, (countdown) => reacher.reach(cid, wanted, countdown, attempt), [
      ...goalKeys,
      'fetch'
    ])
    return receipt()
  } catch (error) {
    throw missed(error, receipt(), attempt)
  }
}

/** The options of a goal, checked. */
export function wantedOf(operation: string, options: ReachOptions | undefined): Wanted {
  const { peers, fetch = true, timeout } = options ?? {}
  const replicas = checkNumber(operation, 'replicas', options?.replicas, { min: 1, max: 64, integer: true }, 1)
  const challenge = checkNumber(operation, 'challenge', options?.challenge, { min: 1, integer: true }, 256)
  const ids = peers === undefined ? undefined : peerIds(operation, 'peers', peers, 256)
  if (ids !== undefined && ids.size < replicas) {
    throw invalidArgument(operation, `${operation}: ${replicas} replicas need at least as many peers, not ${ids.size}`)
  }
  return { operation, replicas, challenge, peers: ids, fetch, patient: timeout === undefined }
}

/** Whether any option of a goal is given. */
export function hasGoal(options: GoalOptions | undefined): boolean {
  return goalKeys.some((key) => options?.[key] !== undefined)
}

export function reacherOf(calls: Calls, operation: string): Reacher {
  const reacher = calls.context.receipts?.()
  if (reacher !== undefined) return reacher
  throw unsupported(
    calls.context.backend.name,
    operation,
    'peers acknowledge content by messages: give createPeer a backend for "messages"'
  )
}

export function receiptOf(cid: CID, reached: Receipt['reached'], attempt: Attempt, took: number): Receipt {
  const { acknowledgements } = attempt
  return { cid, reached: acknowledgements.length > 0 ? 'retrievable' : reached, acknowledgements, took }
}

/** The error, with what was reached in spite of it. */
export function missed(error: unknown, reached: Receipt, attempt: Attempt | undefined): unknown {
  if (!isP2plError(error)) return error
  if (attempt === undefined || attempt.heard > 0 || error.code !== 'TIMEOUT') return withFields(error, { reached })
  const message = `${error.operation ?? 'data.reach'}: no peer that keeps content for this one has answered: others name its peer.id in createPeer({ receipts: { keep: { peers } } })`
  return new P2plError({ code: 'NO_PEERS', operation: error.operation, message, cause: error, reached })
}
