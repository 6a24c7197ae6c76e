import { failure } from './errors.ts'
import type { CallKind, Transport } from './rpc/transport.ts'
import { isP2plError } from '@p2pl/core/backend'

const maxAddresses = 16
const maxAddressLength = 512

/** What a daemon says about itself. */
export interface Identity {
  readonly id: string
  readonly addresses: readonly string[]
  /** For example `kubo/0.43.1/`. */
  readonly agent: string
}

/** Asks the daemon for its identity. Throws a `PROTOCOL` error, not retryable, when the other side is not a Kubo daemon. */
export async function identify(rpc: Transport, kind: CallKind, signal?: AbortSignal): Promise<Identity> {
  try {
    const {
      ID: id,
      Addresses: addresses,
      AgentVersion: agent
    } = await (await rpc.request(kind, { path: 'id', signal })).json()
    if (!isPeerId(id)) throw failure('PROTOCOL', kind.operation, 'the answer to "id" has no peer id')
    return { id, addresses: readableAddresses(addresses), agent: typeof agent === 'string' ? agent : '' }
  } catch (error) {
    if (!isP2plError(error, 'PROTOCOL') || !error.retryable) throw error
    throw failure('PROTOCOL', kind.operation, 'no Kubo daemon answers at this address: check "url"', {
      cause: error,
      retryable: false
    })
  }
}

/** Whether the value has the form of a peer id. */
export function isPeerId(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9]{32,128}$/.test(value)
}

/**
 * The entries that have the form of a multiaddr, at most as many as the port allows. They come from others and may be
 * anything.
 */
export function readableAddresses(list: unknown): string[] {
  return (Array.isArray(list) ? (list as unknown[]) : []).filter(isMultiaddr).slice(0, maxAddresses)
}

export function isMultiaddr(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxAddressLength && /^(?:\/[\x21-\x2e\x30-\x7e]+)+$/.test(value)
}
