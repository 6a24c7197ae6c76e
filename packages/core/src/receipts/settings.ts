import type { KeepOptions, ReceiptOptions, RecordStore } from '../api/receipts.ts'
import { invalidArgument } from '../errors.ts'
import { publicKeyFromPeerId } from '../identity.ts'
import { checkKeys, checkNumber, describe } from '../toolbox/options.ts'

const call = 'createPeer'
const day = 86_400_000
const maxGroup = 64
const topicName = 'p2pl/receipts/1'
const keepKeys: readonly (keyof KeepOptions)[] = [
  'peers',
  'maxBytes',
  'maxBytesEach',
  'maxStrangerBytes',
  'maxStrangerBytesEach',
  'term',
  'records'
]

export interface ByteLimits {
  readonly total: number
  readonly each: number
}

export interface KeepSettings {
  readonly peers: ReadonlySet<string>
  readonly known: ByteLimits
  readonly strangers: ByteLimits
  readonly term: number
  readonly records: RecordStore | undefined
}

export interface ReceiptSettings {
  readonly topic: string
  /** Absent if this peer keeps nothing for others. */
  readonly keep: KeepSettings | undefined
}

/** Throws `INVALID_ARGUMENT` for a wrong option. */
export function receiptSettings(options: ReceiptOptions | undefined): ReceiptSettings {
  checkKeys(`${call}: receipts`, options, ['group', 'keep'])
  const { group, keep } = options ?? {}
  if (group !== undefined && !(typeof group === 'string' && group.length >= 1 && group.length <= maxGroup)) {
    throw invalidArgument(
      call,
      `${call}: receipts.group must be a text of 1 to ${maxGroup} characters, not ${describe(group)}`
    )
  }
  const topic = group === undefined ? topicName : `${topicName}/${group}`
  return { topic, keep: keep === undefined ? undefined : keepSettings(keep) }
}

function keepSettings(keep: KeepOptions): KeepSettings {
  checkKeys(`${call}: receipts.keep`, keep, keepKeys)
  const bytes = (name: keyof KeepOptions, otherwise: number): number =>
    checkNumber(call, `receipts.keep.${name}`, keep[name], { min: 0, integer: true }, otherwise)
  const total = bytes('maxBytes', 0)
  const strangers = bytes('maxStrangerBytes', 0)
  const { records } = keep
  if (records !== undefined && (typeof records?.get !== 'function' || typeof records.set !== 'function')) {
    throw invalidArgument(call, `${call}: receipts.keep.records must have get(name) and set(name, bytes)`)
  }
  const peers = peerIds(call, 'receipts.keep.peers', keep.peers ?? [], 65_536)
  if (peers.size > 0 !== total > 0) {
    throw invalidArgument(
      call,
      `${call}: receipts.keep.peers and receipts.keep.maxBytes go together: for whom, and how much`
    )
  }
  return {
    peers,
    records,
    known: { total, each: Math.min(total, bytes('maxBytesEach', total)) },
    strangers: {
      total: strangers,
      each: Math.min(strangers, bytes('maxStrangerBytesEach', Math.ceil(strangers / 16)))
    },
    term: checkNumber(call, 'receipts.keep.term', keep.term, { min: 1_000, max: 366 * day, integer: true }, day)
  }
}

/** The ids as a set. Throws `INVALID_ARGUMENT` for anything that is not a list of peer ids. */
export function peerIds(operation: string, name: string, ids: unknown, max: number): ReadonlySet<string> {
  if (!Array.isArray(ids) || ids.length > max) {
    throw invalidArgument(
      operation,
      `${operation}: ${name} must be a list of at most ${max} peer ids (peer.id of each)`
    )
  }
  for (const id of ids as unknown[]) publicKeyFromPeerId(typeof id === 'string' ? id : describe(id))
  return new Set(ids as string[])
}
