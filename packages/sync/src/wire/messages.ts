import type { PeerInfo } from '@p2pl/core'
import type { Bytes } from '../bytes.ts'
import { Malformed, Reader, Writer } from '../cbor.ts'
import { formatVersion, limits } from '../limits.ts'

/** Entries that became solid at the sender. */
export interface Announcement {
  readonly kind: 'announcement'
  readonly provider: PeerInfo
  readonly entries: readonly Bytes[]
}

/** What the sender's view is. */
export interface Beacon {
  readonly kind: 'beacon'
  readonly provider: PeerInfo
  readonly root: Bytes
  readonly count: number
  /** A few of the heads, newest first. */
  readonly heads: readonly Bytes[]
  /** How many peers with an equal view the sender would like to hear from. */
  readonly wanted: number
}

/** Blocks that could not be fetched by CID. */
export interface RepairRequest {
  readonly kind: 'request'
  readonly wanted: readonly Bytes[]
}

export interface RepairAnswer {
  readonly kind: 'answer'
  readonly provider: PeerInfo
  readonly blocks: readonly Bytes[]
}

export type WireMessage = Announcement | Beacon | RepairRequest | RepairAnswer

const kinds = ['announcement', 'beacon', 'request', 'answer'] as const
export const maxBeaconHeads = 8
export const maxWanted = 1024
const maxAddresses = 16
const maxAddressBytes = 512

function writeProvider(writer: Writer, { id, addresses }: PeerInfo): Writer {
  const usable = addresses.filter((address) => address.length <= maxAddressBytes / 4).slice(0, maxAddresses)
  writer.array(2).text(id).array(usable.length)
  for (const address of usable) writer.text(address)
  return writer
}

function readProvider(reader: Reader): PeerInfo {
  reader.exactArray(2)
  const id = reader.text(maxAddressBytes)
  const count = reader.array(maxAddresses)
  const addresses: string[] = []
  for (let i = 0; i < count; i++) addresses.push(reader.text(maxAddressBytes))
  return { id, addresses }
}

function writeAll(writer: Writer, all: readonly Bytes[], write: (item: Bytes) => void): Writer {
  writer.array(all.length)
  for (const item of all) write(item)
  return writer
}

export function encodeMessage(message: WireMessage): Bytes {
  const writer = new Writer(1024)
  const body = { announcement: 4, beacon: 7, request: 3, answer: 4 }[message.kind]
  writer.array(body).uint(formatVersion).uint(kinds.indexOf(message.kind))
  switch (message.kind) {
    case 'announcement':
      writeAll(writeProvider(writer, message.provider), message.entries, (entry) => writer.bytes(entry))
      break
    case 'beacon':
      writeProvider(writer, message.provider).link(message.root).uint(message.count)
      writeAll(writer, message.heads, (head) => writer.link(head)).uint(message.wanted)
      break
    case 'request':
      writeAll(writer, message.wanted, (digest) => writer.link(digest))
      break
    case 'answer':
      writeAll(writeProvider(writer, message.provider), message.blocks, (block) => writer.bytes(block))
  }
  return writer.end()
}

function readAll(reader: Reader, max: number, read: () => Bytes): Bytes[] {
  const all: Bytes[] = []
  const count = reader.array(max)
  for (let i = 0; i < count; i++) all.push(read())
  return all
}

/** Throws `Malformed` for whatever is not a message. The result shares memory with `bytes`. */
export function decodeMessage(bytes: Uint8Array): WireMessage {
  const reader = new Reader(bytes)
  const items = reader.array(7)
  if (reader.uint() !== formatVersion) throw new Malformed('message of another version')
  const kind = kinds[reader.uint()]
  const message = readBody(reader, kind, items)
  reader.end()
  return message
}

function readBody(reader: Reader, kind: (typeof kinds)[number] | undefined, items: number): WireMessage {
  const max = limits.maxMessageBytes
  if (kind === 'announcement' && items === 4) {
    const provider = readProvider(reader)
    return { kind, provider, entries: readAll(reader, limits.messageEntries, () => reader.bytes(max)) }
  }
  if (kind === 'beacon' && items === 7) {
    const provider = readProvider(reader)
    const root = reader.link()
    const count = reader.uint()
    const heads = readAll(reader, maxBeaconHeads, () => reader.link())
    const wanted = reader.uint()
    if (wanted > maxWanted) throw new Malformed('wants too many')
    return { kind, provider, root, count, heads, wanted }
  }
  if (kind === 'request' && items === 3) {
    return { kind, wanted: readAll(reader, limits.repairCids, () => reader.link()) }
  }
  if (kind === 'answer' && items === 4) {
    const provider = readProvider(reader)
    return { kind, provider, blocks: readAll(reader, limits.repairCids, () => reader.bytes(max)) }
  }
  throw new Malformed('unknown message')
}
