import type { PeerInfo } from '@p2pl/core'
import type { Bytes } from '../bytes.ts'
import { Malformed, Reader, Writer } from '../cbor.ts'
import { digestBytes } from '../cid.ts'
import { limits, messageVersion } from '../limits.ts'

/** Entries that became solid at the sender. */
export interface Announcement {
  readonly kind: 'announcement'
  /** Where the sender's blocks are available: one entry for each network that the sender is on. */
  readonly providers: readonly PeerInfo[]
  readonly entries: readonly Bytes[]
}

/** A question to others, part of a beacon. */
export interface Ask {
  /** Random bytes of the asker. An answer includes them to prove that it is fresh. */
  readonly nonce: Bytes
  /** How many of 256 peers should answer even if another peer already did: 1 to 256. */
  readonly share: number
}

/** An answer to an {@link Ask}: its sender could read the entries of the root in the same beacon. */
export interface Proof {
  readonly nonce: Bytes
  readonly proof: Bytes
}

/** The state of the sender's view. */
export interface Beacon {
  readonly kind: 'beacon'
  /** Where the sender's blocks are available: one entry for each network that the sender is on. */
  readonly providers: readonly PeerInfo[]
  readonly root: Bytes
  /** A hint: only the root is binding. */
  readonly count: number
  readonly ask?: Ask | undefined
  readonly proofs: readonly Proof[]
  /** The number of meaningless bytes. A message is answered with about as many bytes as it has itself. */
  readonly padding: number
}

/** Blocks that could not be fetched by CID. */
export interface RepairRequest {
  readonly kind: 'request'
  readonly wanted: readonly Bytes[]
  /** As in a beacon. */
  readonly padding: number
}

export interface RepairAnswer {
  readonly kind: 'answer'
  readonly blocks: readonly Bytes[]
  /** Blocks that the sender has but that are too large for an answer to a request of that size, with their sizes. */
  readonly larger: readonly { readonly digest: Bytes; readonly size: number }[]
}

export type WireMessage = Announcement | Beacon | RepairRequest | RepairAnswer

const kinds = ['announcement', 'beacon', 'request', 'answer'] as const
const items = { announcement: 4, beacon: 8, request: 4, answer: 4 } as const
export const nonceBytes = 16
export const proofBytes: number = digestBytes
export const maxProofs = 8
export const wholeShare = 256
const maxProviders = 4
const maxAddresses = 8
const maxAddressBytes = 512

function writeProviders(writer: Writer, providers: readonly PeerInfo[]): void {
  writeAll(writer, providers.slice(0, maxProviders), ({ network, id, addresses }) => {
    const usable = addresses.filter((address) => address.length <= maxAddressBytes / 4).slice(0, maxAddresses)
    writer.array(3).text(network).text(id)
    writeAll(writer, usable, (address) => writer.text(address))
  })
}

function readProviders(reader: Reader): PeerInfo[] {
  return readAll(reader, maxProviders, () => {
    reader.exactArray(3)
    const network = reader.text(maxAddressBytes)
    const id = reader.text(maxAddressBytes)
    return { network, id, addresses: readAll(reader, maxAddresses, () => reader.text(maxAddressBytes)) }
  })
}

function writeAll<T>(writer: Writer, all: readonly T[], write: (item: T) => void): void {
  writer.array(all.length)
  for (const item of all) write(item)
}

function readAll<T>(reader: Reader, max: number, read: () => T): T[] {
  const all: T[] = []
  const count = reader.array(max)
  for (let i = 0; i < count; i++) all.push(read())
  return all
}

export function encodeMessage(message: WireMessage): Bytes {
  const writer = new Writer(1024)
  writer.array(items[message.kind]).uint(messageVersion).uint(kinds.indexOf(message.kind))
  switch (message.kind) {
    case 'announcement':
      writeProviders(writer, message.providers)
      writeAll(writer, message.entries, (entry) => writer.bytes(entry))
      break
    case 'beacon':
      writeBeacon(writer, message)
      break
    case 'request':
      writeAll(writer, message.wanted, (digest) => writer.link(digest))
      writer.bytes(new Uint8Array(message.padding))
      break
    case 'answer':
      writeAll(writer, message.blocks, (block) => writer.bytes(block))
      writeAll(writer, message.larger, ({ digest, size }) => writer.array(2).link(digest).uint(size))
  }
  return writer.end()
}

function writeBeacon(writer: Writer, { providers, root, count, ask, proofs, padding }: Beacon): void {
  writeProviders(writer, providers)
  writer.link(root).uint(count)
  if (ask === undefined) writer.array(0)
  else writer.array(2).bytes(ask.nonce).uint(ask.share)
  writeAll(writer, proofs, ({ nonce, proof }) => writer.array(2).bytes(nonce).bytes(proof))
  writer.bytes(new Uint8Array(padding))
}

/** Throws `Malformed` for anything that is not a message. The result shares memory with `bytes`. */
export function decodeMessage(bytes: Uint8Array): WireMessage {
  const reader = new Reader(bytes)
  const length = reader.array(8)
  if (reader.uint() !== messageVersion) throw new Malformed('message of another version')
  const kind = kinds[reader.uint()]
  if (kind === undefined || length !== items[kind]) throw new Malformed('unknown message')
  const message = readBody(reader, kind)
  reader.end()
  return message
}

function readBody(reader: Reader, kind: (typeof kinds)[number]): WireMessage {
  const max = limits.maxMessageBytes
  switch (kind) {
    case 'announcement': {
      const providers = readProviders(reader)
      return { kind, providers, entries: readAll(reader, limits.messageEntries, () => reader.bytes(max)) }
    }
    case 'beacon':
      return readBeacon(reader)
    case 'request': {
      const wanted = readAll(reader, limits.repairCids, () => reader.link())
      return { kind, wanted, padding: reader.bytes(max).length }
    }
    default: {
      const blocks = readAll(reader, limits.repairCids, () => reader.bytes(max))
      const larger = readAll(reader, limits.repairCids, () => {
        reader.exactArray(2)
        return { digest: reader.link(), size: reader.uint() }
      })
      return { kind, blocks, larger }
    }
  }
}

function readBeacon(reader: Reader): Beacon {
  const providers = readProviders(reader)
  const root = reader.link()
  const count = reader.uint()
  const ask = readAsk(reader)
  const proofs = readAll(reader, maxProofs, () => {
    reader.exactArray(2)
    return { nonce: reader.exactBytes(nonceBytes), proof: reader.exactBytes(proofBytes) }
  })
  return { kind: 'beacon', providers, root, count, ask, proofs, padding: reader.bytes(limits.maxMessageBytes).length }
}

function readAsk(reader: Reader): Ask | undefined {
  if (reader.array(2) === 0) return undefined
  const nonce = reader.exactBytes(nonceBytes)
  const share = reader.uint()
  if (share < 1 || share > wholeShare) throw new Malformed('bad share')
  return { nonce, share }
}
