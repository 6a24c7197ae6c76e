import type { CallOptions, Deadlines } from '../api/common.ts'
import type { Network } from '../api/network.ts'
import type { Clock } from '../clock.ts'
import { type CountdownOptions, withDeadline } from '../deadline.ts'
import { isP2plError, unsupported } from '../errors.ts'
import { typed } from '../foreign-error.ts'
import type { Backend } from '../port/backend.ts'
import type { AbortOptions, PeerInfo } from '../port/common.ts'
import type { Routing } from '../port/routing.ts'
import type { Backends } from './backends.ts'

export interface NetworkContext {
  readonly backends: Backends
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly assertRunning: (operation: string) => void
  /** Fires when the peer stops. */
  readonly life: AbortSignal
}

export function createNetwork(context: NetworkContext): Network {
  const { backends, clock, deadlines, assertRunning, life } = context
  const { data } = backends

  const scoped = (options: CallOptions | undefined): CountdownOptions => ({
    signal: options?.signal,
    deadline: options?.deadline,
    scope: life
  })

  const routingOf = (backend: Backend, operation: 'findPeer' | 'connect'): Routing => {
    const { routing } = backend
    if (routing === undefined || backend.capabilities.routing?.[operation] === 'none') {
      throw unsupported(backend.name, `network.${operation}`)
    }
    return routing
  }

  /** On every backend; fails only when no backend succeeded, with the error that says most. */
  const onEach = async (
    operation: string,
    signal: AbortSignal,
    call: (routing: Routing, options: AbortOptions) => Promise<void>
  ): Promise<void> => {
    const results = await Promise.allSettled(
      backends.all.map(async (backend) => {
        const routing = routingOf(backend, 'connect')
        await typed(operation, backend.name, () => call(routing, { signal }))
      })
    )
    const failures = results.filter((result) => result.status === 'rejected').map((result) => result.reason as unknown)
    if (failures.length < results.length) return
    const telling = failures.find(
      (error) => !isP2plError(error, 'UNSUPPORTED') && !isP2plError(error, 'INVALID_ARGUMENT')
    )
    throw telling ?? failures[0] ?? unsupported(data.name, operation)
  }

  return {
    self: () => {
      assertRunning('network.self')
      return data.self()
    },
    selves: () => {
      assertRunning('network.selves')
      return [data, ...backends.all.filter((backend) => backend !== data)].map((backend) => backend.self())
    },
    findPeer: async (id, options) => {
      assertRunning('network.findPeer')
      return await withDeadline(clock, scoped(options), deadlines.routing, 'network.findPeer', async (signal) => {
        const routing = routingOf(data, 'findPeer')
        return await typed('network.findPeer', data.name, () => routing.findPeer(id, { signal }))
      })
    },
    connect: async (peer, options) => {
      assertRunning('network.connect')
      await withDeadline(clock, scoped(options), deadlines.routing, 'network.connect', async (signal) => {
        await onEach('network.connect', signal, async (routing, abort) => {
          await routing.connect(peer, abort)
        })
      })
    },
    disconnect: async (id, options) => {
      assertRunning('network.disconnect')
      await withDeadline(clock, scoped(options), deadlines.routing, 'network.disconnect', async (signal) => {
        await onEach('network.disconnect', signal, async (routing, abort) => {
          await routing.disconnect(id, abort)
        })
      })
    },
    connections: async (options) => {
      assertRunning('network.connections')
      return await withDeadline(clock, scoped(options), deadlines.routing, 'network.connections', async (signal) => {
        const able = backends.all.filter(
          ({ routing, capabilities }) => routing !== undefined && capabilities.routing?.connect !== 'none'
        )
        if (able.length === 0) throw unsupported(data.name, 'network.connections')
        const found: PeerInfo[] = []
        for (const { name, routing } of able) {
          found.push(...(await typed('network.connections', name, () => routing?.connections({ signal }) ?? [])))
        }
        return found
      })
    }
  }
}
