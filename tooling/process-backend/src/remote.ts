import {
  defineBackend,
  type Backend,
  type BlockHooks,
  type Capabilities,
  type DefinedBackend,
  type EngineEvent,
  type MessageHooks,
  type PeerInfo,
  type RoutingHooks
} from '@p2pl/core/backend'
import type { Child } from './child.ts'
import type { Callable } from './codec.ts'

/** How the child gets its backend. */
export interface BackendSource {
  /** A module, in the form that `import.meta.resolve` returns. */
  readonly module: string
  /** The function that it exports; its result is the backend. */
  readonly name: string
  /** Copied into the child. */
  readonly args: readonly unknown[]
  /** The backend's name and capabilities, which a caller may read before there is a child. */
  readonly of: Pick<Backend, 'name' | 'capabilities'>
  /** The network of its peers. */
  readonly network: string
  /** The backend's parser of addresses, because that call cannot wait for another process. */
  readonly parseAddress?: RoutingHooks['parseAddress']
  /** Methods of the backend beyond the port. */
  readonly methods?: readonly string[]
}

/** A backend in a separate process. */
export type RemoteBackend = DefinedBackend<never> & Record<string, Callable>

type Hook = (...args: readonly unknown[]) => unknown

/** Implements the port over a backend in another process: each hook calls the method of the same name there. */
export function remoteBackend(child: Child, source: BackendSource): RemoteBackend {
  const { of, network, parseAddress } = source
  let made: Promise<void> | undefined
  const make = async (): Promise<void> => await (made ??= child.make(source.module, source.name, source.args))
  const backend = defineBackend<never>({
    name: of.name,
    network,
    capabilities: of.capabilities,
    open: async ({ signal, report }) => {
      await make()
      await child.call(['start'], { signal, onEvent: (event: EngineEvent) => report(event) })
      const [self] = (await child.call(['self'])) as readonly PeerInfo[]
      const capabilities = (await child.call(['capabilities'])) as Capabilities
      return {
        self: () => self as PeerInfo,
        capabilities,
        messages: capabilities.messages && messageHooks(child),
        blocks: capabilities.blocks && (hooksOf(child, 'blocks', blockCalls, ['pins', 'gc']) as unknown as BlockHooks),
        routing: capabilities.routing && {
          ...(hooksOf(child, 'routing', routingCalls, ['findProviders']) as RoutingHooks),
          ...(parseAddress !== undefined && { parseAddress }),
          bootstrap: (await child.call(['routing', 'bootstrap'])) as readonly PeerInfo[]
        },
        close: async () => void (await child.call(['stop']))
      }
    }
  })
  const own = (method: string): [string, Callable] => [
    method,
    async (...args) => {
      await make()
      return await child.call([method], ...args)
    }
  ]
  return Object.assign(backend, Object.fromEntries((source.methods ?? []).map(own)))
}

const blockCalls: readonly string[] = ['get', 'putMany', 'has', 'delete', 'pin', 'unpin']
const routingCalls: readonly string[] = ['provide', 'unprovide', 'findPeer', 'connect', 'disconnect', 'connections']

function messageHooks(child: Child): MessageHooks {
  const call = (name: string): Hook => hookOf(child, 'messages', name)
  return {
    publish: call('publish') as MessageHooks['publish'],
    join: call('subscribe') as MessageHooks['join'],
    peers: call('peers') as NonNullable<MessageHooks['peers']>
  }
}

function hooksOf(
  child: Child,
  part: string,
  names: readonly string[],
  iterables: readonly string[]
): Readonly<Record<string, Hook>> {
  const iterate = (name: string): Hook =>
    async function* (...args) {
      yield* (await child.call([part, name], ...args)) as AsyncIterable<unknown>
    }
  return Object.fromEntries([
    ...names.map((name) => [name, hookOf(child, part, name)] as const),
    ...iterables.map((name) => [name, iterate(name)] as const)
  ])
}

function hookOf(child: Child, part: string, name: string): Hook {
  return async (...args) => await child.call([part, name], ...args)
}
