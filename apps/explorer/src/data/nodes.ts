import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import type { NodesView, StatusView } from '@p2pl/ledger'
import { getJson } from './api.ts'

export interface NodeState {
  readonly name: string
  readonly life: 'starting' | 'up' | 'killed'
  readonly path: string
  /** Its last status. */
  readonly status?: StatusView | undefined
}

const statuses: Signal<ReadonlyMap<string, StatusView>> = signal(new Map())
const view: Signal<NodesView> = signal({ nodes: [], demonstration: false })

export const isDemonstration: ReadonlySignal<boolean> = computed(() => view.value.demonstration)

/** All nodes that the server knows, in its order. */
export const nodes: ReadonlySignal<readonly NodeState[]> = computed(() => {
  const { nodes: known } = view.value
  return known.map((node) => ({ ...node, status: statuses.value.get(node.name) }))
})

export function setNodes(given: NodesView): void {
  const before = new Map(view.peek().nodes.map(({ name, life }) => [name, life]))
  view.value = given
  for (const { name, life } of given.nodes) if (life === 'up' && before.get(name) !== 'up') void refresh(name)
}

/** Events report the root and the count with each change. The rest of a status is requested. */
export function setDigest(name: string, { root, entries }: { root: string; entries: number }): void {
  const known = statuses.peek().get(name)
  if (known === undefined || (known.root === root && known.entries === entries)) return
  setStatus(name, { ...known, root, entries })
}

const asking = new Map<string, { again: boolean }>()

/** Requests the status of a node: one request at a time, and another one if something happened meanwhile. */
export async function refresh(name: string): Promise<void> {
  const current = asking.get(name)
  if (current !== undefined) {
    current.again = true
    return
  }
  const run = { again: false }
  asking.set(name, run)
  try {
    do {
      run.again = false
      const node = view.peek().nodes.find((one) => one.name === name)
      if (node?.life === 'up') setStatus(name, await getJson(`${node.path}/status`, AbortSignal.timeout(10_000)))
    } while (run.again)
  } catch {
    // The node ended meanwhile; its life says so.
  } finally {
    asking.delete(name)
  }
}

export function refreshAll(): void {
  for (const { name } of view.peek().nodes) void refresh(name)
}

function setStatus(name: string, status: StatusView): void {
  statuses.value = new Map(statuses.peek()).set(name, status)
}
