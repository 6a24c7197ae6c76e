import type { CallOptions, Timeouts } from '../api/common.ts'
import type { Network, PeerAddress } from '../api/network.ts'
import { Checks } from '../define/checks.ts'
import { invalidArgument, isP2plError, unsupported } from '../errors.ts'
import { typed } from '../foreign-error.ts'
import type { Backend } from '../port/backend.ts'
import type { PeerInfo } from '../port/common.ts'
import type { RoutingTransport } from '../port/routing.ts'
import { withTimeout } from '../toolbox/countdown.ts'
import { checkKeys, describe } from '../toolbox/options.ts'
import type { Clock } from '../clock.ts'
import type { Keeper } from './keeper.ts'

export interface NetworkContext {
  readonly backend: Backend
  readonly clock: Clock
  readonly timeouts: Timeouts
  readonly keeper: Keeper
  readonly assertRunning: (operation: string) => void
  /** Fires when the peer stops. */
  readonly life: AbortSignal
}

export function createNetwork(context: NetworkContext): Network {
  const { backend, clock, timeouts, keeper, assertRunning, life } = context

  const call = async <T>(
    operation: string,
    options: CallOptions | undefined,
    feature: 'findPeer' | 'connect',
    work: (routing: RoutingTransport, signal: AbortSignal) => Promise<T>
  ): Promise<T> => {
    assertRunning(operation)
    checkKeys(operation, options, ['signal', 'timeout', 'context'])
    const { routing, capabilities } = backend
    if (routing === undefined || (capabilities.routing?.[feature] ?? 'none') === 'none') {
      throw unsupported(backend.name, operation)
    }
    const scoped = { signal: options?.signal, timeout: options?.timeout, scope: life }
    return await withTimeout(clock, scoped, timeouts.routing, operation, (signal) =>
      typed(operation, backend.name, () => work(routing, signal))
    )
  }

  return {
    self: () => {
      assertRunning('network.self')
      return backend.self()
    },
    findPeer: async (id, options) =>
      await call('network.findPeer', options, 'findPeer', (routing, signal) =>
        routing.findPeer(id, { signal, context: options?.context })
      ),
    connect: async (peer, options) => {
      await call('network.connect', options, 'connect', async (routing, signal) => {
        const peers = peersOf(peer, routing, backend)
        const results = await Promise.allSettled(peers.map((each) => keeper.connect(each, signal, options?.context)))
        if (results.some((result) => result.status === 'fulfilled')) return
        throw mostTelling(results.map((result) => (result as PromiseRejectedResult).reason as unknown))
      })
    },
    disconnect: async (id, options) => {
      await call('network.disconnect', options, 'connect', async (routing, signal) => {
        keeper.drop(id)
        await routing.disconnect(id, { signal, context: options?.context })
      })
    },
    connections: async (options) =>
      await call('network.connections', options, 'connect', (routing, signal) =>
        routing.connections({ signal, context: options?.context })
      )
  }
}

function peersOf(address: PeerAddress, routing: RoutingTransport, backend: Backend): readonly PeerInfo[] {
  const operation = 'network.connect'
  if (typeof address === 'string') {
    const peer = routing.parseAddress(address)
    if (peer !== undefined) return [peer]
    if (/^\s*[[{]/.test(address)) {
      throw invalidArgument(operation, `${operation}: this text looks like JSON: give what JSON.parse makes of it`)
    }
    throw invalidArgument(
      operation,
      `${operation}: the backend "${backend.name}" reads no peer in ${describe(address)}; give an address with the peer's id as it prints it, such as an address of network.self()`
    )
  }
  const checks = new Checks(backend.name, undefined)
  const peers = (Array.isArray(address) ? address : [address]) as readonly unknown[]
  if (peers.length === 1 && typeof (peers[0] ?? undefined) !== 'object') {
    throw invalidArgument(
      operation,
      `${operation}: give network.self() of the other peer, or one of its addresses as text, not ${describe(peers[0])}`
    )
  }
  if (peers.length > 0) return peers.map((peer) => checks.peer(operation, peer))
  throw invalidArgument(operation, `${operation}: the list of addresses is empty`)
}

/** An error of a network that the peer is on says more than the refusal of a network that it is not on. */
function mostTelling(errors: readonly unknown[]): unknown {
  return errors.find((error) => !isP2plError(error, 'UNSUPPORTED')) ?? errors[0]
}
