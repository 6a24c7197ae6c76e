import {
  type Backend,
  type BlockCapabilities,
  type Capabilities,
  defineBackend,
  type MessageCapabilities,
  unsupported
} from '@p2pl/core/backend'
import { blockHooks, type StorePolicy } from './blocks.ts'
import { type Combined, controlsOf } from './control.ts'
import { makeLegs } from './leg.ts'
import { Legs } from './legs.ts'
import { meet } from './meet.ts'
import { messageHooks } from './messages.ts'
import type { CheckedLegOptions } from './options.ts'
import { routingHooks } from './routing.ts'
import { secretsOf } from './secrets.ts'

export interface Policy extends StorePolicy {
  /** Where messages go: see `messageHooks`. */
  readonly spread: 'first' | 'all'
  readonly options: CheckedLegOptions
  /** The part that every backend must have. */
  readonly needs?: 'messages' | undefined
  /** Starts the work that the combinator does outside of calls. Resolves with the function that ends it. */
  readonly begin?: ((legs: Legs, report: (message: string) => void) => Promise<() => Promise<void>>) | undefined
}

/** Makes one backend from several. */
export function combine(combinator: string, backends: readonly Backend[], policy: Policy): Combined {
  const all = makeLegs(backends)
  const name = `${combinator}(${all.map((leg) => leg.name).join(',')})`
  const capabilities = (): Capabilities =>
    meet(
      all.map(({ backend }) => backend.capabilities),
      policy.quorum
    )
  const declared = capabilities()
  if (declared.messages === undefined && (declared.blocks === undefined || policy.needs === 'messages')) {
    const parts = policy.needs === 'messages' ? 'no messages' : 'neither messages nor blocks'
    throw unsupported(name, combinator, `its backends have ${parts} in common`)
  }
  const networks = backends.map((backend) => backend.networks)
  const legs = new Legs(name, all, policy.options)
  const combined = defineBackend({
    name,
    network: networks.includes(undefined) ? undefined : [...new Set(networks.flatMap((known) => known ?? []))],
    capabilities: declared,
    open: async ({ signal, report }) => {
      await legs.open(signal, report)
      const end = await policy.begin?.(legs, (message) => report({ type: 'warning', message }))
      return {
        self: () => selves(legs),
        messages:
          declared.messages && messageHooks(legs, policy.spread, () => capabilities().messages as MessageCapabilities),
        blocks: declared.blocks && blockHooks(legs, policy, () => capabilities().blocks as BlockCapabilities),
        routing: declared.routing && routingHooks(name, legs, policy.stagger),
        get capabilities() {
          return capabilities()
        },
        get secrets() {
          return secretsOf(legs)
        },
        get engine() {
          const engines = all.map(({ backend }) => backend.engine)
          return engines.every((engine) => engine === undefined) ? undefined : engines
        },
        close: async () => {
          await end?.()
          await legs.close()
        }
      }
    }
  })
  return Object.assign(combined, { legs: controlsOf(legs) })
}

/** One entry for each network and id. */
function selves(legs: Legs): ReturnType<Backend['self']> {
  const peers = new Map(legs.all.flatMap((leg) => leg.self()).map((peer) => [`${peer.network}/${peer.id}`, peer]))
  return [...peers.values()]
}
