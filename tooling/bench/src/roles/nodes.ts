import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { kuboObstacle } from '@p2pl/tooling-kubo'
import { type Child, startChild } from '../harness/child.ts'
import type { Context, Kind } from '../harness/scenario.ts'
import type { BackendName } from '../stacks/backends.ts'
import { haveAlternatives } from '../stacks/alternatives.ts'
import type { StackName } from '../stacks/stack.ts'
import type { Node, NodeOptions } from './node.ts'

/** A stack as a side of a comparison. */
export interface Competitor {
  readonly label: string
  readonly kind: Kind
  readonly stack: StackName
  readonly backend?: BackendName
  /** The share of the others' work that it gets, so that it does not take minutes. Default 1. */
  readonly share?: number
}

export const p2pl: Competitor = { label: 'p2pl', kind: 'p2pl', stack: 'p2pl', backend: 'helia' }
export const p2plBittorrent: Competitor = { ...p2pl, label: 'p2pl bittorrent', backend: 'bittorrent' }
export const p2plKubo: Competitor = { ...p2pl, label: 'p2pl ipfs-rpc', backend: 'ipfs-rpc' }
export const bareHelia: Competitor = { label: 'bare Helia', kind: 'engine', stack: 'helia' }
export const gossipsub: Competitor = { label: 'bare gossipsub', kind: 'engine', stack: 'helia' }
export const rawTcp: Competitor = { label: 'raw TCP', kind: 'limit', stack: 'tcp' }

type Alternative = 'hyperswarm' | 'hypercore' | 'iroh' | 'orbitdb'

const others: Readonly<Record<Alternative, Competitor>> = {
  hyperswarm: { label: 'Hyperswarm', kind: 'alternative', stack: 'hyperswarm' },
  hypercore: { label: 'Hypercore', kind: 'alternative', stack: 'hypercore' },
  iroh: { label: 'iroh', kind: 'alternative', stack: 'iroh' },
  orbitdb: { label: 'OrbitDB', kind: 'alternative', stack: 'orbitdb', share: 1 / 50 }
}

/** The installed ones among these alternatives. */
export function alternatives(...names: readonly Alternative[]): readonly Competitor[] {
  return haveAlternatives() ? names.map((name) => others[name]) : []
}

/** Part of the workspace, because p2pl carries it. */
export const webTorrent: Competitor = { label: 'WebTorrent', kind: 'alternative', stack: 'webtorrent' }

const obstacle = await kuboObstacle()
if (obstacle !== undefined) console.error(`p2pl on a Kubo daemon is left out: ${obstacle.message}`)

/** p2pl on its other backends, if they are available here. */
export const otherBackends: readonly Competitor[] = [p2plBittorrent, ...(obstacle === undefined ? [p2plKubo] : [])]

/** Starts peers in separate processes, each connected to all earlier ones. */
export async function startNodes(
  { stack, backend }: Competitor,
  count: number,
  context: Context
): Promise<Child<Node>[]> {
  const nodes: Child<Node>[] = []
  for (let i = 0; i < count; i++) {
    const folder = await mkdtemp(join(context.folder, 'node-'))
    const options: NodeOptions = { stack, options: { backend, folder } }
    const node = await startChild<Node>(new URL('./node.ts', import.meta.url), options, context)
    for (const earlier of nodes) await node.call.connect(await earlier.call.self())
    nodes.push(node)
  }
  return nodes
}
