import { type Signal, signal } from '@preact/signals'
import type { EntryView, NodesView, TraceView } from '@p2pl/ledger'
import { getJson } from './api.ts'
import { refreshAccounts } from './accounts.ts'
import { confirmEntry, followEntries, takeEntry } from './entries.ts'
import { isDemonstration, nodes, refresh, refreshAll, setDigest, setNodes } from './nodes.ts'
import { takeTrace } from './traces.ts'
import { followed } from './watched.ts'

/** `lost`: the server does not answer. The browser tries again by itself. */
export const connection: Signal<'connecting' | 'live' | 'lost'> = signal('connecting')

interface Events {
  /** Earlier events of the node were not sent. */
  readonly listening: object
  readonly entry: EntryView
  readonly overturned: EntryView
  readonly confirmed: { readonly cid: string; readonly confirmations: number }
  readonly digest: { readonly root: string; readonly entries: number }
  readonly trace: TraceView
}

const statusPeriodMs = 2_000

/** Follows the events of all nodes while the page is open. */
export async function follow(): Promise<void> {
  setInterval(() => {
    if (!document.hidden) refreshAll()
  }, statusPeriodMs)
  await listen()
}

async function listen(): Promise<void> {
  setNodes(await firstNodes())
  followEntries()
  const source = new EventSource('/v1/events?traces=true')
  source.addEventListener('open', () => {
    connection.value = 'live'
    refreshAll()
    // Events during the interruption were not sent.
    followEntries(true)
  })
  source.addEventListener('error', () => {
    connection.value = 'lost'
    // The server refused permanently, because it has too many listeners.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => void listen(), 5_000)
  })
  const on = <T extends keyof Events>(type: T, take: (node: string, data: Events[T]) => void): void => {
    source.addEventListener(type, (event: MessageEvent<string>) => {
      const { node, data } = named(JSON.parse(event.data))
      take(node, data as Events[T])
    })
  }
  source.addEventListener('nodes', (event: MessageEvent<string>) => {
    setNodes(JSON.parse(event.data) as NodesView)
    followEntries()
  })
  on('listening', (node) => {
    void refresh(node)
    if (node === followed.peek()) followEntries(true)
  })
  on('digest', (node, digest) => {
    setDigest(node, digest)
    refreshAccounts()
  })
  on('entry', takeEntry)
  on('overturned', takeEntry)
  on('confirmed', confirmEntry)
  on('trace', (node, view) => {
    takeTrace(node, view)
    if (view.trace.type === 'connected' || view.trace.type === 'disconnected') void refresh(node)
  })
}

/** A single node does not include its name in its events. */
function named(data: unknown): { node: string; data: unknown } {
  if (isDemonstration.peek()) return data as { node: string; data: unknown }
  return { node: nodes.peek()[0]?.name ?? '', data }
}

async function firstNodes(): Promise<NodesView> {
  for (;;) {
    try {
      return await getJson<NodesView>('/v1/nodes')
    } catch {
      connection.value = 'lost'
      await new Promise((resolve) => setTimeout(resolve, 1_000))
    }
  }
}
