import { multiaddr } from 'kubo-rpc-client'
import { peerIdFromString } from '@libp2p/peer-id'
import { boundedAddresses } from '../addresses.ts'
import type { AnswerLimits } from './answer.ts'

type Screen = NonNullable<AnswerLimits['screen']>

// What others say about themselves passes through the daemon. The library gives up a whole answer for one id or address
// that it does not know: anybody in the DHT could end the searches of everybody else.

/** Query events of one type, with the peers that can be read; others are left out. */
export function eventsOf(wanted: number): Screen {
  return (event) => {
    if (event['Type'] !== wanted) return undefined
    const responses = list(event['Responses']).filter(({ ID }) => isPeerId(ID))
    if (responses.length === 0) return undefined
    return { Type: wanted, ID: '', Responses: responses.map(({ ID, Addrs }) => ({ ID, Addrs: readable(Addrs) })) }
  }
}

/** The connected peers that can be read. */
export const swarmPeers: Screen = (answer) => ({
  Peers: list(answer['Peers']).filter(({ Peer, Addr }) => isPeerId(Peer) && isMultiaddr(Addr))
})

/** The daemon's own identity, with few and readable addresses. */
export const identity: Screen = (answer) => ({ ...answer, Addresses: readable(answer['Addresses']) })

function list(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value)
    ? value.filter((item): item is Record<string, unknown> => typeof item === 'object' && item !== null)
    : []
}

function readable(addresses: unknown): string[] {
  return boundedAddresses(Array.isArray(addresses) ? addresses : []).filter(isMultiaddr)
}

function isMultiaddr(address: unknown): boolean {
  return typeof address === 'string' && succeeds(() => multiaddr(address))
}

function isPeerId(id: unknown): boolean {
  return typeof id === 'string' && succeeds(() => peerIdFromString(id))
}

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt()
    return true
  } catch {
    return false
  }
}
