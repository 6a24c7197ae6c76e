import type { Outcome, Standing } from '../rules/outcome.ts'
import { bytesOf, type Key, textOf, viewOf, writeText } from './keys.ts'
import type { Codec } from './table.ts'

/** An entry as the approvals see it. */
export interface EntryRow {
  /** One bit per witness. It is set if an entry of the witness approves this one, directly or through others. */
  readonly approvedBy: number
  readonly parents: readonly Key[]
}

/** The outcome of an entry, once it is counted. */
export type Judgement = Outcome | 'unjudged'

/** One line of an account, with the state of the account after it: an entry by the account, or a transfer to it. */
export type Line = OwnLine | ReceivedLine

export interface OwnLine extends Standing {
  readonly own: true
  readonly sequence: number
  readonly amount: bigint
  /** The receiver of the amount; absent for a record. */
  readonly to?: string | undefined
  readonly outcome: Judgement
}

export interface ReceivedLine extends Standing {
  readonly own: false
  readonly amount: bigint
  /** Whether the transfer is accepted. */
  readonly counts: boolean
}

/** An account after its last line. */
export interface AccountRow extends Standing {
  readonly last: Key
}

/** A content that records name. */
export interface DocumentRow {
  /** Its first record in canonical order. */
  readonly first: Key
  readonly mediaType: string
  /** Whether records give it different media types. */
  readonly contested: boolean
}

const outcomes: readonly Judgement[] = ['accepted', 'sequence-used', 'sequence-gap', 'overdraft', 'unjudged']
const [receivedInVain, received] = [outcomes.length, outcomes.length + 1]
const [standingBytes, keyBytes] = [16, 40]

export const entryCodec: Codec<EntryRow> = {
  encode({ approvedBy, parents }) {
    const bytes = new Uint8Array(4 + keyBytes * parents.length)
    viewOf(bytes).setUint32(0, approvedBy)
    for (const [i, parent] of parents.entries()) writeText(bytes, parent, 4 + keyBytes * i)
    return bytes
  },
  decode(bytes) {
    const text = textOf(bytes.subarray(4))
    const parents = Array.from({ length: text.length / keyBytes }, (_, i) =>
      text.slice(keyBytes * i, keyBytes * (i + 1))
    )
    return { approvedBy: viewOf(bytes).getUint32(0), parents }
  }
}

export const lineCodec: Codec<Line> = {
  encode(line) {
    const to = line.own ? (line.to ?? '') : ''
    const bytes = new Uint8Array(1 + standingBytes + 8 + (line.own ? 8 + to.length : 0))
    const view = viewOf(bytes)
    bytes[0] = line.own ? outcomes.indexOf(line.outcome) : line.counts ? received : receivedInVain
    writeStanding(view, 1, line)
    view.setBigInt64(17, line.amount)
    if (line.own) {
      view.setFloat64(25, line.sequence)
      writeText(bytes, to, 33)
    }
    return bytes
  },
  decode(bytes) {
    const view = viewOf(bytes)
    const kind = bytes[0] as number
    const common = { ...readStanding(view, 1), amount: view.getBigInt64(17) }
    const outcome = outcomes[kind]
    if (outcome === undefined) return { ...common, own: false, counts: kind === received }
    const to = bytes.length > 33 ? textOf(bytes.subarray(33)) : undefined
    return { ...common, own: true, sequence: view.getFloat64(25), to, outcome }
  }
}

export const accountCodec: Codec<AccountRow> = {
  encode(row) {
    const bytes = new Uint8Array(standingBytes + row.last.length)
    writeStanding(viewOf(bytes), 0, row)
    writeText(bytes, row.last, standingBytes)
    return bytes
  },
  decode: (bytes) => ({ ...readStanding(viewOf(bytes), 0), last: textOf(bytes.subarray(standingBytes)) })
}

export const documentCodec: Codec<DocumentRow> = {
  encode: ({ first, mediaType, contested }) => bytesOf((contested ? '1' : '0') + first + mediaType),
  decode(bytes) {
    const text = textOf(bytes)
    return { contested: text[0] === '1', first: text.slice(1, 1 + keyBytes), mediaType: text.slice(1 + keyBytes) }
  }
}

export const keyCodec: Codec<Key> = { encode: bytesOf, decode: textOf }

/** The codec of a table that needs only its keys. */
export const emptyCodec: Codec<true> = { encode: () => new Uint8Array(), decode: () => true }

export const sizeCodec: Codec<number> = {
  encode(size) {
    const bytes = new Uint8Array(8)
    viewOf(bytes).setFloat64(0, size)
    return bytes
  },
  decode: (bytes) => viewOf(bytes).getFloat64(0)
}

function writeStanding(view: DataView, at: number, { balance, next }: Standing): void {
  view.setBigInt64(at, balance)
  view.setFloat64(at + 8, next)
}

function readStanding(view: DataView, at: number): Standing {
  return { balance: view.getBigInt64(at), next: view.getFloat64(at + 8) }
}
