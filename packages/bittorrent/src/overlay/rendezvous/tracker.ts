import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { untilAborted } from '@p2pl/core/backend'
import type { Address } from '../../tools/address.ts'
import { bdecode, type Bencoded } from '../../tools/bencode.ts'
import type { Key } from '../keys.ts'

export interface Announcement {
  readonly key: Key
  readonly peerId: Uint8Array
  readonly port: number
  readonly event: 'started' | 'stopped' | 'update'
}

const maxAnswer = 65_536
const maxPeers = 200
const wanted = 50
const attempts = 3
const attemptTimeout = 1_500
const httpTimeout = 10_000

/**
 * Announces this peer to a tracker and returns the addresses of the others. Rejects when it does not answer as a
 * tracker.
 */
export async function announceTo(
  tracker: URL,
  announcement: Announcement,
  signal: AbortSignal
): Promise<readonly Address[]> {
  return tracker.protocol === 'udp:'
    ? await announceByUdp(tracker, announcement, signal)
    : await announceByHttp(tracker, announcement, signal)
}

async function announceByHttp(
  tracker: URL,
  { key, peerId, port, event }: Announcement,
  signal: AbortSignal
): Promise<readonly Address[]> {
  const query = [
    `info_hash=${percent(key)}`,
    `peer_id=${percent(peerId)}`,
    `port=${port}&uploaded=0&downloaded=0&left=0&compact=1&numwant=${wanted}`,
    ...(event === 'update' ? [] : [`event=${event}`])
  ].join('&')
  const url = `${tracker.origin}${tracker.pathname}${tracker.search === '' ? '?' : `${tracker.search}&`}${query}`
  const limited = AbortSignal.any([signal, AbortSignal.timeout(httpTimeout)])
  const response = await fetch(url, { signal: limited, redirect: 'error' })
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of response.body ?? []) {
    length += part.byteLength
    if (length > maxAnswer) throw new RangeError('the answer of the tracker is too long')
    parts.push(part)
  }
  const { value } = bdecode(Buffer.concat(parts))
  const peers = (value as { peers?: Bencoded }).peers
  if (!(peers instanceof Uint8Array)) throw new RangeError('the tracker gave no compact list of peers')
  return compactPeers(peers)
}

/** Escapes every byte, which any tracker understands. */
function percent(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
}

/** The UDP protocol of BEP 15. */
async function announceByUdp(
  tracker: URL,
  { key, peerId, port, event }: Announcement,
  signal: AbortSignal
): Promise<readonly Address[]> {
  const socket = createSocket('udp4')
  socket.on('error', () => {})
  try {
    const ask = async (build: (transaction: number) => Buffer): Promise<Buffer> => {
      const transaction = randomBytes(4).readUInt32BE(0)
      const packet = build(transaction)
      for (let attempt = 0; attempt < attempts; attempt++) {
        const answered = answer(socket, transaction)
        socket.send(packet, Number(tracker.port), tracker.hostname)
        const bytes = await untilAborted(answered, signal)
        if (bytes !== undefined) return bytes
      }
      throw new Error('the tracker does not answer')
    }
    const greeting = await ask((transaction) => {
      const packet = Buffer.alloc(16)
      packet.writeBigUInt64BE(0x417_2710_1980n)
      packet.writeUInt32BE(transaction, 12)
      return packet
    })
    if (greeting.byteLength < 16 || greeting.readUInt32BE(0) !== 0) throw new RangeError('the tracker refuses')
    const events = { update: 0, started: 2, stopped: 3 }
    const peers = await ask((transaction) => {
      const packet = Buffer.alloc(98)
      greeting.copy(packet, 0, 8, 16)
      packet.writeUInt32BE(1, 8)
      packet.writeUInt32BE(transaction, 12)
      packet.set(key, 16)
      packet.set(peerId, 36)
      packet.writeUInt32BE(events[event], 80)
      packet.writeInt32BE(wanted, 92)
      packet.writeUInt16BE(port, 96)
      return packet
    })
    if (peers.byteLength < 20 || peers.readUInt32BE(0) !== 1) throw new RangeError('the tracker refuses')
    return compactPeers(peers.subarray(20))
  } finally {
    socket.close()
  }
}

/** The packet that answers the transaction, or `undefined` when none arrives. */
async function answer(socket: ReturnType<typeof createSocket>, transaction: number): Promise<Buffer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>()
  const onMessage = (bytes: Buffer): void => {
    if (bytes.byteLength >= 8 && bytes.readUInt32BE(4) === transaction) resolve(bytes)
  }
  const timer = setTimeout(() => resolve(undefined), attemptTimeout)
  timer.unref()
  socket.on('message', onMessage)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    socket.off('message', onMessage)
  }
}

/** BEP 23: four bytes of address and two of port, repeated. */
function compactPeers(bytes: Uint8Array): Address[] {
  const peers: Address[] = []
  for (let at = 0; at + 6 <= bytes.byteLength && peers.length < maxPeers; at += 6) {
    const [a, b, c, d, high = 0, low = 0] = bytes.subarray(at, at + 6)
    const port = high * 256 + low
    if (port > 0) peers.push({ host: `${a}.${b}.${c}.${d}`, port })
  }
  return peers
}
