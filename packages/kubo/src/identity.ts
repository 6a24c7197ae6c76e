import { failure } from './errors.ts'
import type { CallKind, Transport } from './rpc/transport.ts'
import { isP2plError } from '@p2pl/core/backend'

const maxAddresses = 16
const maxAddressLength = 512

/** What a daemon says of itself. */
export interface Identity {
  readonly id: string
  readonly addresses: readonly string[]
  /** Such as `kubo/0.43.1/`. */
  readonly agent: string
}

/** Asks the daemon who it is. Throws `PROTOCOL`, not retryable, when what answers is no Kubo daemon. */
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

/** Whether it has the form of a peer id. */
export function isPeerId(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9]{32,128}$/.test(value)
}

/** The entries with the form of a multiaddr, as many as the port allows. They come from others and may be anything. */
export function readableAddresses(list: unknown): string[] {
  return (Array.isArray(list) ? (list as unknown[]) : []).filter(isMultiaddr).slice(0, maxAddresses)
}

export function isMultiaddr(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxAddressLength && /^(?:\/[\x21-\x2e\x30-\x7e]+)+$/.test(value)
}
