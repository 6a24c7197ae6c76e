import { CID } from 'multiformats/cid'
import { P2plError, type P2plErrorInit } from '../errors.ts'
import type { Block, PeerInfo } from '../port/common.ts'
import { isBytes } from '../toolbox/bytes.ts'
import { describe } from '../toolbox/options.ts'

const maxTopicBytes = 1_024
const maxProviders = 16
const maxAddresses = 16
const maxText = 512
/** Bytes of full digests, by multihash code. A shorter digest would prove nothing. */
const digestBytes: ReadonlyMap<number, number> = new Map([
  [0x12, 32],
  [0x13, 64]
])
const encoder = new TextEncoder()

/** Checks the arguments of calls, and throws in the name of a backend. */
export class Checks {
  readonly #backend: string
  readonly #networks: readonly string[] | undefined

  /** @param networks - The networks of peers and hints that are accepted; `undefined` accepts those of any network. */
  constructor(backend: string, networks: readonly string[] | undefined) {
    this.#backend = backend
    this.#networks = networks
  }

  #error(code: P2plErrorInit['code'], operation: string, message: string): P2plError {
    return new P2plError({ code, operation, backend: this.#backend, message: `${operation}: ${message}` })
  }

  invalid(operation: string, message: string): P2plError {
    return this.#error('INVALID_ARGUMENT', operation, message)
  }

  unsupported(operation: string, message: string): P2plError {
    return this.#error('UNSUPPORTED', operation, `the backend "${this.#backend}" ${message}`)
  }

  topic(operation: string, topic: unknown): void {
    if (!isTopicName(topic)) throw this.invalid(operation, topicRule)
  }

  payload(operation: string, payload: unknown, maxBytes: number): void {
    if (!isBytes(payload)) throw this.invalid(operation, `a payload is a Uint8Array, not ${describe(payload)}`)
    if (payload.byteLength <= maxBytes) return
    throw this.#error(
      'TOO_LARGE',
      operation,
      `a payload has at most ${maxBytes} bytes here, not ${payload.byteLength}: add it as data and publish its CID`
    )
  }

  cid(operation: string, value: unknown, hashes: readonly number[] | undefined): CID {
    const cid = CID.asCID(value as CID)
    if (cid === null) throw this.invalid(operation, `a CID is needed, not ${describe(value)}`)
    const { code, digest } = cid.multihash
    if (hashes === undefined) return cid
    if (!hashes.includes(code)) throw this.unsupported(operation, `does not take the multihash 0x${code.toString(16)}`)
    const whole = digestBytes.get(code)
    if (whole !== undefined && digest.byteLength !== whole) {
      throw this.unsupported(operation, `takes whole digests of ${whole} bytes, not ${digest.byteLength}`)
    }
    return cid
  }

  block(operation: string, block: unknown, hashes: readonly number[], maxBytes: number): Block {
    if (typeof block !== 'object' || block === null) {
      throw this.invalid(operation, `a block is { cid, bytes }, not ${describe(block)}`)
    }
    const { bytes } = block as Partial<Block>
    const cid = this.cid(operation, (block as Partial<Block>).cid, hashes)
    if (!isBytes(bytes)) throw this.invalid(operation, `the bytes of a block are a Uint8Array, not ${describe(bytes)}`)
    if (bytes.byteLength > maxBytes) {
      throw this.#error('TOO_LARGE', operation, `a block has at most ${maxBytes} bytes here, not ${bytes.byteLength}`)
    }
    return cid === (block as Block).cid ? (block as Block) : { cid, bytes }
  }

  /** Hints for this network. Hints for other networks, and hints that name this peer, are left out. */
  providers(operation: string, given: unknown, selves: () => readonly PeerInfo[]): readonly PeerInfo[] | undefined {
    if (given === undefined) return undefined
    if (!Array.isArray(given)) throw this.invalid(operation, 'providers are an array, such as network.self() of a peer')
    const hints: PeerInfo[] = []
    const own = selves()
    for (const peer of given as unknown[]) {
      const hint = this.peer(operation, peer)
      if (this.#isHere(hint) && !isAmong(own, hint) && hints.length < maxProviders) hints.push(hint)
    }
    return hints
  }

  peer(operation: string, value: unknown): PeerInfo {
    const { network, id, addresses } = (typeof value === 'object' && value !== null ? value : {}) as Partial<PeerInfo>
    const fits =
      isText(network) &&
      isText(id) &&
      Array.isArray(addresses) &&
      addresses.length <= maxAddresses &&
      addresses.every(isText)
    if (!fits) {
      throw this.invalid(
        operation,
        `a peer is { network, id, addresses }, such as an entry of network.self() of that peer, not ${describe(value)}`
      )
    }
    return value as PeerInfo
  }

  /** A peer of this network other than the local one. */
  remotePeer(operation: string, value: unknown, own: readonly PeerInfo[]): PeerInfo {
    const peer = this.peer(operation, value)
    if (!this.#isHere(peer)) {
      const here = (this.#networks ?? []).map((network) => `"${network}"`).join(' and ')
      throw this.unsupported(operation, `is on the network ${here}, and the peer on "${peer.network}"`)
    }
    if (isAmong(own, peer)) throw this.invalid(operation, 'the peer is this peer itself')
    return peer
  }

  #isHere({ network }: PeerInfo): boolean {
    return this.#networks === undefined || this.#networks.includes(network)
  }

  id(operation: string, value: unknown): void {
    if (!isText(value)) throw this.invalid(operation, `the id of a peer is text of 1 to ${maxText} characters`)
  }

  limit(operation: string, value: unknown, otherwise: number): number {
    if (value === undefined) return otherwise
    if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number
    throw this.invalid(operation, `limit must be a whole number from 1, not ${describe(value)}`)
  }
}

export const topicRule: string = `a topic name is well-formed text of 1 to ${maxTopicBytes} bytes of UTF-8`

export function isTopicName(topic: unknown): topic is string {
  // Half a surrogate pair would turn this into the name of another topic.
  if (typeof topic !== 'string' || topic === '' || !topic.isWellFormed()) return false
  return topic.length * 3 <= maxTopicBytes || encoder.encode(topic).byteLength <= maxTopicBytes
}

function isAmong(peers: readonly PeerInfo[], peer: PeerInfo): boolean {
  return peers.some(({ network, id }) => network === peer.network && id === peer.id)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxText
}
