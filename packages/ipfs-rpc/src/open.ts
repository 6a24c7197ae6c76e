import { join } from 'node:path'
import type { EngineEvent, OpenedBackend, OpenOptions } from '@p2pl/core/backend'
import { isOld, type Kubo, type KuboEvent } from '@p2pl/kubo'
import { failure } from '@p2pl/kubo/rpc'
import { isP2plError } from '@p2pl/core/backend'
import { Blocks } from './blocks/blocks.ts'
import { Messages } from './messages/messages.ts'
import type { Settings } from './options.ts'
import { Connections } from './routing/connections.ts'
import { routingHooks } from './routing/routing.ts'
import { type LibraryCallKind, RpcClient } from './rpc/client.ts'
import { secretsIn } from './secrets.ts'

const listingTopics: LibraryCallKind = { operation: 'start', lane: 'store' }

/** `repo`: the folder of a managed daemon. */
export async function openEngine(
  kubo: Kubo,
  { pubsub, silence, repo, kubo: { daemon } }: Settings & { readonly repo: string | undefined },
  { signal, report }: OpenOptions
): Promise<OpenedBackend<Kubo>> {
  await kubo.start({ signal, onEvent: (event) => report(engineEvent(event)) })
  const rpc = new RpcClient(kubo.rpc)
  const connections = new Connections(rpc, kubo, report)
  const close = async (): Promise<void> => {
    connections.close()
    await kubo.stop()
  }
  try {
    if (pubsub) await checkPubsub(rpc, signal)
  } catch (error) {
    await close()
    throw error
  }
  if (pubsub && isOld(kubo.identity.agent.replace(/^kubo\//, '')) === true)
    report({ type: 'warning', message: oldVersion(kubo.identity.agent) })
  return {
    self: () => kubo.identity,
    messages: pubsub ? new Messages(rpc, kubo.health, silence, report) : undefined,
    blocks: new Blocks(rpc, connections),
    routing: routingHooks(rpc, connections, daemon),
    secrets: repo === undefined ? undefined : secretsIn(join(repo, 'p2pl', 'secrets')),
    engine: kubo,
    close
  }
}

async function checkPubsub(rpc: RpcClient, signal: AbortSignal): Promise<void> {
  try {
    await rpc.call(listingTopics, signal, async (library, options) => await library.pubsub.ls(options))
  } catch (error) {
    if (!isP2plError(error, 'UNSUPPORTED') && !isP2plError(error, 'ENGINE')) throw error
    throw failure(
      'UNSUPPORTED',
      'start',
      'this daemon has no pubsub: run "ipfs config --json Pubsub.Enabled true" and restart it, or pass "pubsub: false" to use it for data only',
      { cause: error }
    )
  }
}

function oldVersion(agent: string): string {
  return `the daemon is ${agent.slice(0, 100)}: before Kubo 0.43 others can exhaust its memory through pubsub topics (CVE-2026-46679); update it`
}

function engineEvent(event: KuboEvent): EngineEvent {
  if (event.type === 'lost') return { type: 'degraded', error: event.error }
  return event.type === 'back' ? { type: 'recovered' } : event
}
